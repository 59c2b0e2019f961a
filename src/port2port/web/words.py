"""Every string on a screen: one table per key, four languages side by side (docs/decisions/0003).

A key or language that is missing is a failing test; at run time English is shown and the key logged.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from port2port.core.errors import BadInput
from port2port.web.model import LANGUAGES

MAX_FILE_BYTES = 512 * 1024
MAX_ACCEPT_CHARS = 200
FALLBACK = "en"

log = logging.getLogger("port2port.web")
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_ACCEPTED = re.compile(r"\s*([A-Za-z]{2})(?:-[A-Za-z0-9]+)*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


class Words:
    """The words of all owners together: key -> language -> text."""

    def __init__(self, table: Mapping[str, Mapping[str, str]]) -> None:
        self._table = table
        self._missed: set[tuple[str, str]] = set()

    @classmethod
    def load(cls, files: Iterable[Path]) -> Words:
        """Read `words.toml` files. Raises `BadInput` on a file that is no such table, or a key that two files have."""
        table: dict[str, Mapping[str, str]] = {}
        for path in files:
            for key, texts in read_words(path).items():
                if key in table:
                    raise BadInput(f"{path}: the word {key!r} stands in another file too.")
                table[key] = texts
        return cls(table)

    def keys(self) -> Iterable[str]:
        return self._table.keys()

    def has(self, key: str) -> bool:
        return key in self._table

    def say(self, language: str, key: str, /, **values: object) -> str:
        """The text of `key`, its `{placeholders}` filled from `values`. Unknown: the key itself, and it is logged."""
        texts = self._table.get(key, {})
        if language not in texts:
            self._miss(language, key)
        text = texts.get(language) or texts.get(FALLBACK) or key
        return fill(text, values)

    def table(self, language: str, prefix: str = "") -> dict[str, str]:
        """All texts of one language whose key starts with `prefix`: what the browser gets."""
        return {
            key: texts.get(language) or texts.get(FALLBACK, key)
            for key, texts in sorted(self._table.items())
            if key.startswith(prefix)
        }

    def _miss(self, language: str, key: str) -> None:
        if (language, key) not in self._missed and len(self._missed) < 1000:
            self._missed.add((language, key))
            log.warning("no word for %r in %r", key, language)


def read_words(path: Path) -> dict[str, dict[str, str]]:
    """One file. Raises `BadInput` when it is too large, not TOML, or not a table of tables of texts."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadInput(f"{path} is larger than {MAX_FILE_BYTES} bytes.")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}.") from error
    for key, texts in table.items():
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise BadInput(f"{path}: {key!r} is not a table of texts.", hint='Write the key in quotes: ["owner.word"].')
    return table


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in the place of `{name}`; a name that has no value stays as it is."""
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), text)


def placeholders(text: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(text))


def preferred(accept_language: str, default: str = FALLBACK) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4)."""
    best, best_weight = default, 0.0
    for part in accept_language[:MAX_ACCEPT_CHARS].split(","):
        match = _ACCEPTED.fullmatch(part)
        if match and (language := match[1].lower()) in LANGUAGES:
            weight = float(match[2] or 1)
            if weight > best_weight:
                best, best_weight = language, weight
    return best
