"""What can go wrong, as a tree of five.

    Port2PortError
    ├── BadInput       a stranger's bytes or a person's form cannot be read         HTTP 400   exit 2
    │   └── DecodeError    a wire format was not followed
    ├── NotAllowed     the caller may not do this                                   HTTP 403   exit 3
    ├── NotFound       there is no such thing, or the caller may not know of it     HTTP 404   exit 4
    ├── Conflict       it was true a moment ago, or contradicts what is stored      HTTP 409   exit 5
    └── Unavailable    disk full, database away, line down: try again later         HTTP 503   exit 6

A refusal by the rules is a value with a reason (`handling.Withheld`), not an exception. A broken
assumption is an `assert`.
"""

from __future__ import annotations


class Port2PortError(Exception):
    """Base of every error a person may see. `hint` says what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(Port2PortError):
    """A form, file or setting cannot be understood."""


class DecodeError(BadInput):
    """Bytes do not follow their wire format. `reason` is a short, countable word."""

    def __init__(self, message: str, *, reason: str = "malformed", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class NotAllowed(Port2PortError):
    """The caller is known, and may not do this."""


class NotFound(Port2PortError):
    """No such thing, or nothing that the caller may know of: the answer is the same."""


class Conflict(Port2PortError):
    """Somebody was faster, or what was said contradicts what is stored."""


class Unavailable(Port2PortError):
    """A resource is missing for now. Nothing that was acknowledged is lost."""
