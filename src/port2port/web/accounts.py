"""Accounts and sessions: the verbs of the door. One transaction each: load, decide, record."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from port2port.core.clock import Clock
from port2port.core.errors import BadInput, Conflict, NotAllowed, NotFound
from port2port.core.ids import NewId
from port2port.core.party import SYSTEM_ACCOUNT, Role
from port2port.store import Store, Transaction
from port2port.web import facts, passkeys, tables
from port2port.web.limits import Buckets, Rate, TooOften, network_of
from port2port.web.model import LANGUAGES, THEMES, Account, Credential, Invitation, Method, Session, Visitor, is_alive
from port2port.web.passwords import Passwords, acceptable, account_name, normal
from port2port.web.settings import MAX_CREDENTIALS, MAX_NAME_CHARS, WebSettings
from port2port.web.surface import Counting

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 64
TOUCH_EACH = timedelta(seconds=60)
"""A session's last use is written at most this often."""
INVITATION_LIFE = timedelta(hours=24)
REFUSALS_EACH = timedelta(minutes=1)
"""Refused sign-ins are written together at most this often: a guesser does not fill the disk."""


class Accounts:
    """Who can sign in here, and who has. Safe for threads."""

    def __init__(self, store: Store, clock: Clock, new_id: NewId, settings: WebSettings, counters: Counting) -> None:
        self._store, self._clock, self._new_id = store, clock, new_id
        self._settings, self._counters = settings, counters
        self._passwords = Passwords(settings)
        self._challenges = passkeys.Challenges()
        self._per_account = Buckets(Rate(settings.attempts_per_account, timedelta(minutes=1)))
        self._per_network = Buckets(Rate(settings.attempts_per_network, timedelta(seconds=2)))
        self._refusals = _Refusals()

    # Sessions

    def visitor(self, token: str) -> Visitor | None:
        """Who holds this session token now; None when the session is over or the account disabled."""
        if not token or len(token) > MAX_TOKEN_CHARS:
            return None
        now = self._clock()
        with self._store.reading() as view:
            found = tables.find_session(view, _hashed(token))
        if found is None or not found[1].enabled or not is_alive(found[0], now, self._idle):
            return None
        if now - found[0].seen_at >= TOUCH_EACH:
            with self._store.transaction() as tx:
                tables.touch_session(tx, found[0].token_hash, now)
        return Visitor(found[1], found[0])

    def sign_in_with_password(self, name: str, password: str, address: str) -> str:
        """Answers a session token. Raises `NotAllowed` in the same words whatever was wrong, or `TooOften`."""
        key = normal(name)[:MAX_NAME_CHARS].strip().casefold()
        self._take_attempt(key, address)
        with self._store.reading() as view:
            account = tables.find_account_by_name(view, key)
        right = self._passwords.matches(account.password_hash if account else "", password)
        if account is None or not right:
            raise self._refused("wrong")
        if not account.enabled:
            raise self._refused("disabled")
        fresh = self._passwords.hash(password) if self._passwords.is_outdated(account.password_hash) else ""
        with self._store.transaction() as tx:
            if fresh:
                tables.set_account(tx, account.id, password_hash=fresh)
            return self._begin(tx, account, Method.PASSWORD)

    def sign_in_for_demonstration(self, role: Role) -> str:
        """A session as `demo-<role>`, whose account is made at first use. The caller knows that it is one."""
        name = f"demo-{role.value}"
        with self._store.transaction() as tx:
            account = tables.find_account(tx, name)
            if account is None:
                account = self._account(name, name, role, "", self._settings.language)
                tables.add_account(tx, account)
                tx.append(facts.AccountCreated(at=self._clock(), account=name, role=role, by=SYSTEM_ACCOUNT))
            if not account.enabled:
                raise NotAllowed("web.error.sign-in", hint="web.error.sign-in.hint")
            return self._begin(tx, account, Method.DEMONSTRATION)

    def sign_out(self, visitor: Visitor) -> None:
        with self._store.transaction() as tx:
            tables.remove_session(tx, visitor.session.token_hash)
            tx.append(facts.SignedOut(at=self._clock(), account=visitor.account.id))

    # Passkeys

    def passkey_sign_in_options(self, relying_party: str, address: str) -> dict[str, Any]:
        """What the browser hands to an authenticator to sign in, with the name of its challenge."""
        self._per_network.take(network_of(address), self._clock())
        name, challenge = self._challenges.make("", self._clock())
        return {"challenge": name, "options": passkeys.authentication_options(relying_party, challenge.value)}

    def sign_in_with_passkey(
        self, challenge: str, answer: dict[str, Any], relying_party: str, origin: str, address: str
    ) -> str:
        """Answers a session token. Raises `PasskeyRefused`, or `TooOften`."""
        self._per_network.take(network_of(address), self._clock())
        try:
            value = self._challenges.take(challenge, "", self._clock())
            with self._store.reading() as view:
                credential = tables.find_credential(view, passkeys.credential_id(answer))
                account = tables.find_account(view, credential.account_id) if credential else None
            if credential is None or account is None or not account.enabled:
                raise passkeys.PasskeyRefused
            count = passkeys.verify_authentication(answer, value, relying_party, origin, credential)
        except passkeys.PasskeyRefused:
            self._refused("passkey")
            raise
        with self._store.transaction() as tx:
            tables.use_credential(tx, credential.id, count, self._clock())
            return self._begin(tx, account, Method.PASSKEY)

    def passkey_options(self, visitor: Visitor, relying_party: str, organisation: str) -> dict[str, Any]:
        """What the browser hands to an authenticator to make a passkey, with the name of its challenge."""
        known = self._may_add_passkey(visitor)
        name, challenge = self._challenges.make(visitor.account.id, self._clock())
        options = passkeys.registration_options(relying_party, organisation, visitor.account, challenge.value, known)
        return {"challenge": name, "options": options}

    def add_passkey(
        self, visitor: Visitor, challenge: str, answer: dict[str, Any], title: str, relying_party: str, origin: str
    ) -> str:
        """Keep a new passkey; answers the token of a new session in place of the old one, now with a passkey."""
        self._may_add_passkey(visitor)
        account, now = visitor.account, self._clock()
        value = self._challenges.take(challenge, account.id, now)
        made = passkeys.verify_registration(answer, value, relying_party, origin)
        with self._store.transaction() as tx:
            if tables.find_credential(tx, made.credential_id):
                raise Conflict("web.error.passkey-known")
            new = Credential(
                id=made.credential_id,
                account_id=account.id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                title=_title(title),
                added_at=now,
                used_at=None,
            )
            tables.add_credential(tx, new)
            tx.append(facts.PasskeyAdded(at=now, account=account.id))
            tables.remove_session(tx, visitor.session.token_hash)
            return self._new_session(tx, account, strong=True)

    def remove_passkey(self, visitor: Visitor, hex_id: str) -> None:
        """Raises `NotFound`, or `Conflict` for an administrator's last one."""
        account = visitor.account
        with self._store.transaction() as tx:
            known = tables.credentials(tx, account.id)
            gone = passkeys.own_credential(known, hex_id)
            if not visitor.session.strong:
                raise NotAllowed("web.error.passkey-first", hint="web.error.passkey-first.hint")
            if account.role is Role.ADMINISTRATOR and len(known) == 1:
                raise Conflict("web.error.passkey-last", hint="web.error.passkey-last.hint")
            tables.remove_credential(tx, account.id, gone.id)
            tx.append(facts.PasskeyRemoved(at=self._clock(), account=account.id))

    def passkeys_of(self, account_id: str) -> Sequence[Credential]:
        with self._store.reading() as view:
            return tables.credentials(view, account_id)

    # Accounts

    def all(self) -> Sequence[Account]:
        with self._store.reading() as view:
            return tables.accounts(view)

    def create(self, name: str, role: Role, password: str, by: str, language: str | None = None) -> Account:
        """Make an account. Raises `BadInput` (name, password), `Conflict` when the name is taken."""
        kept = account_name(name)
        hashed = self._passwords.hash(acceptable(password, kept))
        with self._store.transaction() as tx:
            return self._create(tx, kept, role, hashed, by, language or self._settings.language)

    def set_role(self, account_id: str, role: Role, by: str) -> None:
        """Holds from the next request on. Raises `NotFound`, `Conflict` for the last administrator."""
        with self._store.transaction() as tx:
            account = self._existing(tx, account_id)
            if account.role is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR:
                self._keep_one_administrator(tx, account)
            if account.role is not role:
                tables.set_account(tx, account_id, role=role.value)
                tx.append(facts.RoleChanged(at=self._clock(), account=account_id, role=role, by=by))

    def disable(self, account_id: str, by: str) -> None:
        """Ends all sessions of the account at once. Raises `NotFound`, `Conflict` for the last administrator."""
        with self._store.transaction() as tx:
            account = self._existing(tx, account_id)
            if account.role is Role.ADMINISTRATOR:
                self._keep_one_administrator(tx, account)
            tables.set_account(tx, account_id, enabled=0)
            tables.remove_sessions(tx, account_id)
            tx.append(facts.AccountDisabled(at=self._clock(), account=account_id, by=by))

    def enable(self, account_id: str, by: str) -> None:
        with self._store.transaction() as tx:
            self._existing(tx, account_id)
            tables.set_account(tx, account_id, enabled=1)
            tx.append(facts.AccountEnabled(at=self._clock(), account=account_id, by=by))

    def prefer(self, account_id: str, *, language: str | None = None, theme: str | None = None) -> None:
        """Set what an account's screens look like. Raises `BadInput` for what we do not have."""
        if (language or "en") not in LANGUAGES or (theme or "day") not in THEMES:
            raise BadInput("web.error.form", hint="web.error.form.hint")
        values = {key: value for key, value in (("language", language), ("theme", theme)) if value}
        if values:
            with self._store.transaction() as tx:
                tables.set_account(tx, account_id, **values)

    # Invitations

    def invite(self, role: Role, by: str) -> str:
        """A token with which somebody makes himself an account, once, within a day."""
        return make_invitation(self._store, role, by, self._clock())

    def invitation(self, token: str) -> Invitation:
        """Raises `NotFound` when it was used, is too old or never was."""
        with self._store.reading() as view:
            found = tables.find_invitation(view, _hashed(token[:MAX_TOKEN_CHARS]))
        if found is None or self._clock() >= found.expires_at:
            raise NotFound("web.error.invitation", hint="web.error.invitation.hint")
        return found

    def accept(self, token: str, name: str, password: str, language: str, address: str) -> str:
        """Use an invitation: answers a session token of the new account."""
        self._per_network.take(network_of(address), self._clock())
        invitation = self.invitation(token)
        kept = account_name(name)
        hashed = self._passwords.hash(acceptable(password, kept))
        with self._store.transaction() as tx:
            if not tables.remove_invitation(tx, invitation.token_hash):
                raise NotFound("web.error.invitation", hint="web.error.invitation.hint")
            account = self._create(tx, kept, invitation.role, hashed, invitation.made_by, language)
            return self._begin(tx, account, Method.SET_UP)

    # Inside

    @property
    def _idle(self) -> timedelta:
        return timedelta(minutes=self._settings.session_idle_minutes)

    def _begin(self, tx: Transaction, account: Account, method: Method) -> str:
        tables.sweep(tx, self._clock())
        tx.append(facts.SignedIn(at=self._clock(), account=account.id, method=method.value))
        return self._new_session(tx, account, strong=method.is_strong)

    def _new_session(self, tx: Transaction, account: Account, *, strong: bool) -> str:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        begun = Session(
            token_hash=_hashed(token),
            account_id=account.id,
            strong=strong,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=self._settings.session_hours),
        )
        tables.add_session(tx, begun)
        return token

    def _create(self, tx: Transaction, name: str, role: Role, hashed: str, by: str, language: str) -> Account:
        if tables.find_account_by_name(tx, name):
            raise Conflict("web.error.name-taken", hint="web.error.name-taken.hint")
        account = self._account(self._new_id(), name, role, hashed, language)
        tables.add_account(tx, account)
        tx.append(facts.AccountCreated(at=self._clock(), account=account.id, role=role, by=by))
        return account

    def _account(self, account_id: str, name: str, role: Role, hashed: str, language: str) -> Account:
        return Account(
            id=account_id,
            name=name,
            role=role,
            language=language if language in LANGUAGES else "en",
            theme="day",
            password_hash=hashed,
            enabled=True,
            created_at=self._clock(),
        )

    def _existing(self, tx: Transaction, account_id: str) -> Account:
        account = tables.find_account(tx, account_id)
        if account is None:
            raise NotFound("web.error.not-found")
        return account

    def _keep_one_administrator(self, tx: Transaction, leaving: Account) -> None:
        others = (each for each in tables.accounts(tx) if each.id != leaving.id)
        if not any(each.enabled and each.role is Role.ADMINISTRATOR for each in others):
            raise Conflict("web.error.last-administrator", hint="web.error.last-administrator.hint")

    def _may_add_passkey(self, visitor: Visitor) -> Sequence[Credential]:
        """A stolen password must not be enough to add a passkey beside those that exist."""
        known = self.passkeys_of(visitor.account.id)
        if known and not visitor.session.strong:
            raise NotAllowed("web.error.passkey-first", hint="web.error.passkey-first.hint")
        if len(known) >= MAX_CREDENTIALS:
            raise Conflict("web.error.passkeys-full", hint="web.error.passkeys-full.hint")
        return known

    def _take_attempt(self, name: str, address: str) -> None:
        try:
            self._per_network.take(network_of(address), self._clock())
            self._per_account.take(name, self._clock())
        except TooOften:
            self._refused("too-often")
            raise

    def _refused(self, reason: str) -> NotAllowed:
        """Count a refusal; answers what to raise: the same words for every reason."""
        self._counters.add(f"web.refused.sign-in-{reason}")
        due = self._refusals.add(reason, self._clock())
        if due:
            now = self._clock()
            with self._store.transaction() as tx:
                tx.append(*(facts.SignInRefused(at=now, reason=why, count=n) for why, n in due.items()))
        return NotAllowed("web.error.sign-in", hint="web.error.sign-in.hint")


class _Refusals:
    """Refusals not yet written down."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._written_at: datetime | None = None
        self._lock = Lock()

    def add(self, reason: str, now: datetime) -> dict[str, int]:
        """Count one; answers what is to be written now, empty when it is too early."""
        with self._lock:
            self._waiting[reason] += 1
            if self._written_at is not None and now - self._written_at < REFUSALS_EACH:
                return {}
            due, self._waiting, self._written_at = dict(self._waiting), Counter(), now
            return due


def make_invitation(store: Store, role: Role, by: str, now: datetime) -> str:
    """Store an invitation; answers its token, which is kept nowhere."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    new = Invitation(token_hash=_hashed(token), role=role, made_by=by, expires_at=now + INVITATION_LIFE)
    with store.transaction() as tx:
        tables.add_invitation(tx, new)
    return token


def first_administrator_link(store: Store, base_url: str, now: datetime) -> str | None:
    """A link to make the first administrator, valid once within a day; None when there are accounts."""
    with store.reading() as view:
        if tables.count_accounts(view):
            return None
    return administrator_link(store, base_url, now)


def administrator_link(store: Store, base_url: str, now: datetime) -> str:
    """A link to make one more administrator: for who has the machine but lost every passkey."""
    return f"{base_url.rstrip('/')}/set-up?token={make_invitation(store, Role.ADMINISTRATOR, SYSTEM_ACCOUNT, now)}"


def _hashed(token: str) -> bytes:
    """Tokens have 256 random bits: a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _title(text: str) -> str:
    """What a person calls his passkey."""
    printable = "".join(char for char in text if char.isprintable()).strip()
    return printable[:MAX_NAME_CHARS] or "Passkey"
