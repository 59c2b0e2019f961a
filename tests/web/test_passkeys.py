"""Passkeys, with an authenticator written out here: ECDSA P-256 and CBOR, as WebAuthn Level 2 has it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from httpx import Response

from port2port.capability import Site
from port2port.core.clock import SteppedClock
from port2port.core.party import Role
from port2port.testing.browser import HOST, ORIGIN, Browser, browser
from port2port.web import accounts_of

PASSWORD = "seven grey barges"
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
JSON = {"Accept": "application/json"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """A security key in software. Its fields can be made wrong one at a time."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    relying_party: str = HOST
    origin: str = ORIGIN
    flags: int = USER_PRESENT | USER_VERIFIED
    count: int = 0
    challenge: str = ""
    """Empty: the one it is given."""
    type_suffix: str = ""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED, self._attested())}
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(
            {"clientDataJSON": b64(client), "attestationObject": b64(cbor2.dumps(attestation)), "transports": ["usb"]}
        )

    def get(self, options: dict[str, Any], user: str = "") -> dict[str, Any]:
        self.count += 1
        client, data = self._client("webauthn.get", options["challenge"]), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(user.encode()),
            }
        )

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        name = b64(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client(self, kind: str, challenge: str) -> bytes:
        values = {"type": kind + self.type_suffix, "challenge": self.challenge or challenge, "origin": self.origin}
        return json.dumps({**values, "crossOrigin": False}).encode()

    def _data(self, more_flags: int = 0, attested: bytes = b"") -> bytes:
        head = hashlib.sha256(self.relying_party.encode()).digest() + bytes([self.flags | more_flags])
        return head + self.count.to_bytes(4, "big") + attested

    def _attested(self) -> bytes:
        at = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}
        return bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)


def post_json(it: Browser, path: str, body: Any) -> Response:
    headers = {"X-CSRF-Token": it.token, **JSON}
    return it.client.post(path, json=body, headers=headers, follow_redirects=False)


def register(it: Browser, key: Authenticator, title: str = "phone") -> Response:
    asked = post_json(it, "/account/passkeys/options", {}).json()
    answer = {"challenge": asked["challenge"], "title": title, "credential": key.create(asked["options"])}
    done = post_json(it, "/account/passkeys", answer)
    if done.status_code == 200:
        it.learn_token("/account")
    return done


def sign_in(it: Browser, key: Authenticator) -> Response:
    it.learn_token()
    asked = post_json(it, "/sign-in/passkey/options", {}).json()
    done = post_json(it, "/sign-in/passkey", {"challenge": asked["challenge"], "credential": key.get(asked["options"])})
    if done.status_code == 200:
        it.learn_token("/account")
    return done


@pytest.fixture
def boss(stranger: Browser) -> Browser:
    """An administrator who signed in by password and has no passkey yet."""
    accounts_of(stranger.app).create("boss", Role.ADMINISTRATOR, PASSWORD, by="system")
    stranger.sign_in_with_password("boss", PASSWORD)
    return stranger


@pytest.fixture
def key(boss: Browser) -> Authenticator:
    """A key that the administrator registered; he is signed out."""
    made = Authenticator()
    assert register(boss, made).status_code == 200
    boss.post("/sign-out")
    return made


def test_registering_a_passkey_opens_everything_to_an_administrator(boss: Browser) -> None:
    assert boss.get("/accounts").headers["location"] == "/account"
    assert register(boss, Authenticator(), "my phone").status_code == 200
    assert boss.get("/accounts").status_code == 200
    assert "my phone" in boss.get("/account").text


def test_the_session_before_the_passkey_is_over(boss: Browser) -> None:
    before = dict(boss.client.cookies)
    register(boss, Authenticator())
    boss.client.cookies.clear()
    boss.client.cookies.update(before)
    assert boss.get("/account").status_code == 303


def test_signing_in_with_a_passkey(place: Site, boss: Browser, key: Authenticator) -> None:
    assert sign_in(boss, key).json() == {"status": "signed-in"}
    assert boss.get("/accounts").status_code == 200
    methods = [each.fact.method for each in place.store.read(0, kinds=["SignedIn"])]  # type: ignore[union-attr]
    assert methods == ["password", "passkey"]


def test_the_browser_is_asked_to_verify_the_user_and_told_of_no_account(boss: Browser, key: Authenticator) -> None:
    boss.learn_token()
    options = post_json(boss, "/sign-in/passkey/options", {}).json()["options"]
    assert options["userVerification"] == "required"
    assert options["rpId"] == HOST
    assert not options.get("allowCredentials")


def test_a_new_passkey_must_be_discoverable_and_verify_the_user(boss: Browser) -> None:
    options = post_json(boss, "/account/passkeys/options", {}).json()["options"]
    wanted = options["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")


WRONG = [
    {"flags": USER_PRESENT},
    {"flags": USER_VERIFIED},
    {"flags": 0},
    {"origin": "http://evil.example"},
    {"origin": f"{ORIGIN}:8102"},
    {"relying_party": "evil.example"},
    {"challenge": b64(b"another challenge of 32 bytes ..")},
    {"type_suffix": "x"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_no_passkey_is_registered_by_an_answer_that_proves_nothing(boss: Browser, wrong: dict[str, Any]) -> None:
    assert register(boss, Authenticator(**wrong)).status_code == 403
    assert boss.get("/accounts").status_code == 303


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_nobody_signs_in_by_an_answer_that_proves_nothing(
    boss: Browser, key: Authenticator, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(key, name, value)
    refused = sign_in(boss, key)
    assert (refused.status_code, refused.json()["detail"]) == (403, "The passkey was not accepted.")
    assert boss.get("/account").status_code == 303


def test_another_key_under_the_same_name_is_refused(boss: Browser, key: Authenticator) -> None:
    key.key = ec.generate_private_key(ec.SECP256R1())
    assert sign_in(boss, key).status_code == 403


def test_an_unknown_passkey_reads_like_a_wrong_one(boss: Browser, key: Authenticator) -> None:
    unknown = sign_in(boss, Authenticator()).json()
    key.flags = USER_PRESENT
    assert unknown == sign_in(boss, key).json()


def test_a_counter_that_goes_back_is_a_copied_key(boss: Browser, key: Authenticator) -> None:
    key.count = 10
    assert sign_in(boss, key).status_code == 200
    boss.post("/sign-out")
    key.count = 5
    assert sign_in(boss, key).status_code == 403


def test_a_challenge_is_used_once(boss: Browser, key: Authenticator) -> None:
    boss.learn_token()
    asked = post_json(boss, "/sign-in/passkey/options", {}).json()
    answer = {"challenge": asked["challenge"], "credential": key.get(asked["options"])}
    assert post_json(boss, "/sign-in/passkey", answer).status_code == 200
    boss.learn_token("/account")
    boss.post("/sign-out")
    boss.learn_token()
    assert post_json(boss, "/sign-in/passkey", answer).status_code == 403


def test_a_challenge_ends_after_five_minutes(place: Site, boss: Browser, key: Authenticator) -> None:
    boss.learn_token()
    asked = post_json(boss, "/sign-in/passkey/options", {}).json()
    assert isinstance(place.clock, SteppedClock)
    place.clock.step(timedelta(minutes=5))
    answer = {"challenge": asked["challenge"], "credential": key.get(asked["options"])}
    assert post_json(boss, "/sign-in/passkey", answer).status_code == 403


def test_a_challenge_to_sign_in_registers_nothing(boss: Browser) -> None:
    asked = post_json(boss, "/sign-in/passkey/options", {}).json()
    answer = {"challenge": asked["challenge"], "credential": Authenticator().create(asked["options"])}
    assert post_json(boss, "/account/passkeys", answer).status_code == 403


def test_a_stolen_password_cannot_add_a_passkey_beside_another(boss: Browser, key: Authenticator) -> None:
    boss.sign_in_with_password("boss", PASSWORD)
    assert post_json(boss, "/account/passkeys/options", {}).status_code == 403
    remove = boss.post(f"/account/passkeys/{key.credential_id.hex()}/remove")
    assert remove.status_code == 403
    assert "sign in with the passkey" in boss.get("/account").text


def test_a_disabled_account_cannot_sign_in_with_its_passkey(place: Site, boss: Browser, key: Authenticator) -> None:
    accounts = accounts_of(boss.app)
    accounts.create("second", Role.ADMINISTRATOR, PASSWORD, by="system")
    accounts.disable(next(each.id for each in accounts.all() if each.name == "boss"), by="system")
    assert sign_in(boss, key).status_code == 403


def test_a_passkey_can_be_removed_but_not_the_last_of_an_administrator(boss: Browser, key: Authenticator) -> None:
    sign_in(boss, key)
    second = Authenticator()
    assert register(boss, second, "spare").status_code == 200
    remove = f"/account/passkeys/{key.credential_id.hex()}/remove"
    assert boss.post(remove).status_code == 303
    assert boss.post(remove).status_code == 404
    assert boss.post(f"/account/passkeys/{second.credential_id.hex()}/remove").status_code == 409


def test_a_passkey_of_another_account_cannot_be_removed(place: Site, boss: Browser, key: Authenticator) -> None:
    with browser(place, role=Role.OPERATOR) as other:
        assert other.post(f"/account/passkeys/{key.credential_id.hex()}/remove").status_code == 404
    assert sign_in(boss, key).status_code == 200


def test_the_same_passkey_is_not_registered_twice(boss: Browser) -> None:
    key = Authenticator()
    register(boss, key)
    assert register(boss, key).status_code == 409


@pytest.mark.parametrize(
    "credential", [{}, {"rawId": 5}, {"rawId": "x" * 5000}, {"rawId": "é"}, {"id": "a", "rawId": "YQ", "response": []}]
)
def test_any_answer_is_read_or_refused(boss: Browser, credential: dict[str, Any]) -> None:
    for path in ("/account/passkeys", "/sign-in/passkey"):
        kind = "/account/passkeys/options" if path.startswith("/account") else "/sign-in/passkey/options"
        challenge = post_json(boss, kind, {}).json()["challenge"]
        refused = post_json(boss, path, {"challenge": challenge, "credential": credential})
        assert refused.status_code in (400, 403)


def test_an_oversized_answer_is_refused(boss: Browser) -> None:
    body = {"challenge": "x", "credential": {"rawId": "x" * 20_000}}
    assert post_json(boss, "/account/passkeys", body).status_code == 413


def test_by_address_the_same_page_is_offered_by_name(place: Site) -> None:
    with browser(place, demonstration=False, origin="http://127.0.0.1:8101") as it:
        assert 'href="http://localhost:8101/sign-in"' in it.get("/sign-in").text
        it.learn_token()
        assert post_json(it, "/sign-in/passkey/options", {}).status_code == 403
