"""Passwords: Argon2id (RFC 9106), and the same cost whether or not the account exists."""

from __future__ import annotations

import secrets
import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from port2port.core.errors import BadInput, Unavailable
from port2port.web.settings import MAX_NAME_CHARS, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, WebSettings

MAX_AT_ONCE = 2
"""Hashes computed at the same time: each takes its memory."""
WAIT_S = 5.0
MIN_DISTINCT_CHARS = 5


class Passwords:
    """Hashes and checks. Safe for threads."""

    def __init__(self, settings: WebSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._turn = BoundedSemaphore(MAX_AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        with self._in_turn():
            return self._hasher.hash(normal(password))

    def matches(self, stored: str, password: str) -> bool:
        """Whether it is the password; `stored` empty (no such account, no password) costs the same and is False."""
        with self._in_turn():
            try:
                right = self._hasher.verify(stored or self._nobody, normal(password)[:MAX_PASSWORD_CHARS])
            except (VerificationError, InvalidHashError):
                return False
        return right and bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _in_turn(self) -> _Turn:
        return _Turn(self._turn)


class _Turn:
    def __init__(self, turn: BoundedSemaphore) -> None:
        self._turn = turn

    def __enter__(self) -> None:
        if not self._turn.acquire(timeout=WAIT_S):
            raise Unavailable("web.error.busy", hint="web.error.busy.hint")

    def __exit__(self, *_: object) -> None:
        self._turn.release()


def normal(text: str) -> str:
    """One spelling for what looks the same (NIST SP 800-63B-4, 3.1.1.2: NFKC before hashing)."""
    return unicodedata.normalize("NFKC", text)


def acceptable(password: str, name: str) -> str:
    """The password, when it is long enough and no obvious guess. Raises `BadInput`."""
    if not MIN_PASSWORD_CHARS <= len(normal(password)) <= MAX_PASSWORD_CHARS:
        raise BadInput("web.error.password-length", hint="web.error.password-length.hint")
    if len(set(password)) < MIN_DISTINCT_CHARS or account_name(name) in normal(password).casefold():
        raise BadInput("web.error.password-simple", hint="web.error.password-length.hint")
    return password


def account_name(text: str) -> str:
    """The name under which an account is kept. Raises `BadInput` when empty, too long or not printable."""
    name = normal(text).strip().casefold()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise BadInput("web.error.name", hint="web.error.name.hint")
    return name
