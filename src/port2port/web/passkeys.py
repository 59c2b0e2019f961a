"""Passkeys: WebAuthn Level 2 through py_webauthn, user verification required and checked here.

The library is loaded when the first passkey is used: most nodes start without one. A challenge is kept in
memory, used once, and forgotten after five minutes.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import msgspec

from port2port.core.errors import BadInput, NotAllowed, NotFound
from port2port.web.model import Account, Credential

CHALLENGE_BYTES = 32
CHALLENGE_LIFE = timedelta(minutes=5)
MAX_CHALLENGES = 1_000
MAX_CREDENTIAL_BYTES = 16_384
"""The browser's answer as JSON: far above what any authenticator sends."""


class PasskeyRefused(NotAllowed):
    """The authenticator's answer proves nothing: wrong key, origin, challenge, or the user was not verified."""

    def __init__(self) -> None:
        super().__init__("web.error.passkey", hint="web.error.passkey.hint")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an authenticator has to sign, for whom (empty: whoever signs in), at which relying party."""

    value: bytes
    account_id: str
    until: datetime


class Challenges:
    """Challenges under way. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Challenge] = OrderedDict()
        self._lock = Lock()

    def make(self, account_id: str, now: datetime) -> tuple[str, Challenge]:
        """A fresh one, with the name under which `take` finds it."""
        name = secrets.token_urlsafe(16)
        made = Challenge(secrets.token_bytes(CHALLENGE_BYTES), account_id, now + CHALLENGE_LIFE)
        with self._lock:
            self._kept[name] = made
            while len(self._kept) > MAX_CHALLENGES:
                self._kept.popitem(last=False)
        return name, made

    def take(self, name: str, account_id: str, now: datetime) -> bytes:
        """The challenge, once. Raises `PasskeyRefused` when unknown, used, too old or another account's."""
        with self._lock:
            found = self._kept.pop(name, None)
        if found is None or found.account_id != account_id or now >= found.until:
            raise PasskeyRefused
        return found.value


@dataclass(frozen=True, slots=True)
class Registered:
    """What a new passkey gave us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def registration_options(
    relying_party: str, organisation: str, account: Account, challenge: bytes, known: Sequence[Credential]
) -> Any:
    """PublicKeyCredentialCreationOptions as JSON values: a discoverable credential with user verification."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=relying_party,
        rp_name=organisation,
        user_id=account.id.encode(),
        user_name=account.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.id) for each in known],
        supported_pub_key_algs=[Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256],
    )
    return msgspec.json.decode(options_to_json(options))


def authentication_options(relying_party: str, challenge: bytes) -> Any:
    """PublicKeyCredentialRequestOptions as JSON values, without a list of credentials: it would tell who exists."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=relying_party, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return msgspec.json.decode(options_to_json(options))


def verify_registration(answer: dict[str, Any], challenge: bytes, relying_party: str, origin: str) -> Registered:
    """Check a new passkey (WebAuthn Level 2, 7.1). Raises `PasskeyRefused`."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=relying_party,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    if not verified.user_verified:
        raise PasskeyRefused
    return Registered(verified.credential_id, verified.credential_public_key, verified.sign_count)


def verify_authentication(
    answer: dict[str, Any], challenge: bytes, relying_party: str, origin: str, credential: Credential
) -> int:
    """Check a sign-in (WebAuthn Level 2, 7.2); answers the new signature counter. Raises `PasskeyRefused`."""
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=relying_party,
            expected_origin=origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    if not verified.user_verified:
        raise PasskeyRefused
    return verified.new_sign_count


def credential_id(answer: dict[str, Any]) -> bytes:
    """The id in a browser's answer. Raises `BadInput` when there is none that can be read."""
    from webauthn import base64url_to_bytes

    raw = answer.get("rawId")
    if not isinstance(raw, str) or len(raw) > 1400:
        raise BadInput("web.error.form", hint="web.error.form.hint")
    try:
        return base64url_to_bytes(raw)
    except ValueError as error:
        raise BadInput("web.error.form", hint="web.error.form.hint") from error


def own_credential(known: Sequence[Credential], hex_id: str) -> Credential:
    """One of an account's passkeys by its id in hex. Raises `NotFound`."""
    found = next((each for each in known if each.id.hex() == hex_id), None)
    if found is None:
        raise NotFound("web.error.not-found")
    return found
