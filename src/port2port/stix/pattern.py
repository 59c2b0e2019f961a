"""Is this a STIX pattern? The grammar of STIX 2.1 section 9 by recursive descent; matching is another part's work.

Keywords are written in capitals, as the standard does. What a path means for its object type is not asked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from port2port.core.errors import DecodeError
from port2port.stix import times
from port2port.stix.limits import MAX_PATTERN_CHARS, MAX_PATTERN_DEPTH

_TOKENS = re.compile(
    r"""(?P<space>[\s\u00a0\ufeff]+|/\*(?:[^*]|\*(?!/))*\*/|//[^\r\n]*)
    |(?P<timestamp>t'[^'\\]*')
    |(?P<hex>h'(?:[0-9a-fA-F]{2})*')
    |(?P<binary>b'[A-Za-z0-9+/=]*')
    |(?P<string>'(?:[^'\\]|\\['\\])*')
    |(?P<float>[+-]?\d*\.\d+)
    |(?P<integer>[+-]?(?:0|[1-9]\d*))
    |(?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<mark>==|!=|<>|<=|>=|[=<>()\[\].,:*])""",
    re.VERBOSE | re.ASCII,
)
_KEYWORDS = frozenset(
    [
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "LAST",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "TRUE",
        "FALSE",
        "WITHIN",
        "REPEATS",
        "TIMES",
        "true",
        "false",
    ]
)
_LITERALS = frozenset({"string", "integer", "float", "hex", "binary", "timestamp", "true", "false"})
Token = tuple[str, str]
"""Kind, text; keywords and marks are their own kind."""


_COMPARISON = r"(?!true\b|false\b)[a-z][a-z0-9-]*:(?!true\b|false\b)[a-z_][a-z0-9_]* = '(?:[^'\\]|\\['\\])*'"
_is_plain = re.compile(rf"\[{_COMPARISON}(?: (?:OR|AND) {_COMPARISON})*\]", re.ASCII).fullmatch
"""What most indicators of the world look like; a test holds it against the grammar."""


def is_pattern(text: str) -> bool:
    """Whether the text is a pattern of at most `MAX_PATTERN_CHARS`."""
    if len(text) <= MAX_PATTERN_CHARS and _is_plain(text):
        return True
    return is_pattern_by_grammar(text)


def is_pattern_by_grammar(text: str) -> bool:
    """The same, always by the grammar."""
    try:
        _Parser(text).pattern()
    except DecodeError:
        return False
    return True


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            raise _refusal(f"character {at + 1} begins nothing")
        at = found.end()
        kind, word = str(found.lastgroup), found.group()
        if kind != "space":
            tokens.append((word if kind == "mark" or word in _KEYWORDS else kind, word))
    return tokens


def _refusal(why: str) -> DecodeError:
    return DecodeError(f"This is not a STIX pattern: {why}.", reason="bad-pattern")


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN_CHARS:
            raise _refusal(f"it has more than {MAX_PATTERN_CHARS} characters")
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def pattern(self) -> None:
        self._joined(("FOLLOWEDBY", "OR", "AND"), self._observation)
        if self._at != len(self._tokens):
            raise _refusal(f"nothing more was expected at word {self._at + 1}")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, *kinds: str) -> str:
        """The next token's text, which must be of one of these kinds."""
        if self._peek() not in kinds:
            raise _refusal(f"word {self._at + 1} should be {' or '.join(kinds)}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _may_take(self, *kinds: str) -> bool:
        if self._peek() not in kinds:
            return False
        self._at += 1
        return True

    def _joined(self, by: tuple[str, ...], one: Callable[[], None]) -> None:
        one()
        while self._may_take(*by):
            one()

    def _within(self, what: Callable[[], None], closing: str) -> None:
        self._depth += 1
        if self._depth > MAX_PATTERN_DEPTH:
            raise _refusal(f"more than {MAX_PATTERN_DEPTH} brackets inside each other")
        what()
        self._take(closing)
        self._depth -= 1

    def _observation(self) -> None:
        is_simple = self._take("[", "(") == "["
        if is_simple:
            self._within(self._comparisons, "]")
        else:
            self._within(lambda: self._joined(("FOLLOWEDBY", "OR", "AND"), self._observation), ")")
        seen = set()
        while (kind := self._peek()) in ("START", "WITHIN", "REPEATS"):
            if is_simple and kind in seen:
                raise _refusal(f"one observation has {kind} twice")
            seen.add(kind)
            self._qualifier()

    def _qualifier(self) -> None:
        if self._may_take("START"):
            start = self._moment()
            self._take("STOP")
            if not times.is_before(start, self._moment()):
                raise _refusal("STOP is not later than START")
        elif self._may_take("WITHIN"):
            self._positive(self._take("integer", "float"))
            self._take("SECONDS")
        else:
            self._take("REPEATS")
            self._positive(self._take("integer"))
            self._take("TIMES")

    def _positive(self, number: str) -> None:
        if number.startswith("-") or float(number) <= 0:
            raise _refusal("a number of seconds or times is above zero")

    def _moment(self) -> str:
        text = self._take("timestamp")[2:-1]
        if not times.is_timestamp(text):
            raise _refusal("a timestamp is none")
        return text

    def _comparisons(self) -> None:
        self._joined(("AND", "OR"), self._comparison)

    def _comparison(self) -> None:
        if self._may_take("("):
            self._within(self._comparisons, ")")
            return
        is_negated = self._may_take("NOT")
        if is_negated or self._peek() == "EXISTS":
            self._take("EXISTS")
            self._path()
            return
        self._path()
        self._may_take("NOT")
        self._test()

    def _path(self) -> None:
        self._take("name")
        self._take(":")
        self._step()
        while self._peek() in (".", "["):
            if self._may_take("."):
                self._step()
            else:
                self._take("[")
                self._take("integer", "*")
                self._take("]")

    def _step(self) -> None:
        if "-" in self._take("name", "string") and self._tokens[self._at - 1][0] == "name":
            raise _refusal("a property with a hyphen stands in quotes")

    def _test(self) -> None:
        if self._may_take("=", "==", "!=", "<>", ">", "<", ">=", "<="):
            self._literal()
        elif self._may_take("IN"):
            self._take("(")
            if not self._may_take(")"):
                self._within(lambda: self._joined((",",), self._literal), ")")
        else:
            self._take("LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET")
            self._take("string")

    def _literal(self) -> None:
        if self._peek() == "timestamp":
            self._moment()
            return
        kind, text = self._peek(), self._take(*_LITERALS)
        if kind == "binary" and not _is_base64(text[2:-1]):
            raise _refusal("a binary value is not base64")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True
