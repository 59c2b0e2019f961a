"""What is wrong with one object: the rule it breaks, where, and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.stix.limits import MAX_SENTENCE_CHARS

Path = str
"""As a granular marking writes it: property names and `[index]` joined by dots; empty for the whole object."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    `rule` begins with the section of STIX 2.1 that says so (`2.9-prefix`), or is `schema` for what its JSON Schema
    says, `json` for what is no I-JSON object, `limit` for what is too large, `port2port` for our own extension.
    No value of the object stands in the sentence: it may be personal, or a trap for whoever reads the log.
    """

    rule: str
    path: Path
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.path or 'the object'}: {self.sentence}"


def problem(rule: str, path: Path, sentence: str) -> Problem:
    """A problem whose path and sentence are short, and safe to print: keys of a dictionary are a stranger's words."""
    return Problem(rule, _printable(path), _printable(sentence))


def _printable(text: str) -> str:
    short = text[:MAX_SENTENCE_CHARS]
    return short if short.isprintable() else "".join(each if each.isprintable() else "·" for each in short)
