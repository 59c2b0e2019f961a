"""Patterns: what we take and refuse is what `stix2-patterns` takes and refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.stix.limits import MAX_PATTERN_CHARS, MAX_PATTERN_DEPTH
from port2port.stix.pattern import is_pattern, is_pattern_by_grammar

GOOD = [
    "[ipv4-addr:value = '198.51.100.1']",
    "[shipping-container:number = 'CSQU3054383'] FOLLOWEDBY [road-vehicle:plate = '1ABC123'] WITHIN 3600 SECONDS",
    "[file:hashes.'X-1' = 'aec0'] AND [x-y:a_b IN ('a', 'b', 1, 2.5, true, h'ff', b'YQ==')] REPEATS 5 TIMES",
    "([a:b = 1] OR ([a:b != 2] AND [a:b <> 3])) START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
    "[a:b[0].c[*].d NOT LIKE 'x%' AND (a:e MATCHES '^a' OR NOT EXISTS a:b)]",
    "[a:b NOT = 1 AND a:c > 2.5 OR a:d <= -7 AND a:e >= t'2026-01-01T00:00:00.000Z']",
    "[ipv4-addr:value ISSUBSET '10.0.0.0/8' OR ipv6-addr:value ISSUPERSET '2001:db8::/32']",
    "[EXISTS a:b] WITHIN 1.5 SECONDS REPEATS 2 TIMES",
    "([a:b = 1] WITHIN 1 SECONDS) WITHIN 2 SECONDS WITHIN 3 SECONDS",
    "[a:b = 'it\\'s \\\\ here'] /* a remark */ OR [a:'b c'.d = false] // another",
    "[network-traffic:src_ref.type = 'ipv4-addr']",
    "[a:b='']",
    "\t[a : b=1]\n",
    "[a:b=1]WITHIN 36SECONDS",
]
BAD = [
    "",
    "[]",
    "[a:b = 1] WITHIN 1 SECONDS WITHIN 2 SECONDS",
    "[a:b]",
    "[a:b = ]",
    "a:b = 1",
    "[a:b = 1",
    "[a:b = 1]]",
    "([a:b = 1]",
    "[a:b = 'x] ",
    "[a:b = 'x\\n']",
    "[a:b = 1] AND",
    "[a:b = 1] [a:b = 2]",
    "[a:b = 1] WITHIN 0 SECONDS",
    "[a:b = 1] WITHIN -1 SECONDS",
    "[a:b = 1] REPEATS 0 TIMES",
    "[a:b = 1] REPEATS 1.5 TIMES",
    "[a:b = 1] START t'2026-01-01T00:00:00Z'",
    "[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'",
    "[a:b = t'2026-13-01T00:00:00Z']",
    "[a:b = h'f']",
    "[a:b LIKE 1]",
    "[a:b IN 1]",
    "[a:b IN (1,)]",
    "[a:b-c = 1]",
    "[a:b[x] = 1]",
    "[a:b = 01]",
    "[a:b = null]",
    "[a:b = 1 and a:c = 2]",
    "[a.b = 1]",
    "[a:b == = 1]",
    "[a:b > 1] followedby [a:b = 1]",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_pattern_is_taken(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    assert not is_pattern(text)


def test_a_pattern_has_a_size() -> None:
    assert not is_pattern(f"[a:b = '{'x' * MAX_PATTERN_CHARS}']")
    assert is_pattern("(" * (MAX_PATTERN_DEPTH - 1) + "[a:b = 1]" + ")" * (MAX_PATTERN_DEPTH - 1))
    assert not is_pattern("(" * MAX_PATTERN_DEPTH + "[a:b = 1]" + ")" * MAX_PATTERN_DEPTH)


def _theirs(text: str) -> bool:
    oracle = pytest.importorskip("stix2patterns.validator", reason="oracle: stix2-patterns is not installed")
    try:
        return not oracle.run_validator(text, "2.1")
    except UnboundLocalError:  # it falls over nothing but brackets and spaces
        return False


LAX = re.compile(r"(WITHIN|REPEATS)\s+0|START .*STOP")
"""It takes zero seconds and times, and a STOP before its START; section 9.4 does not."""


def _agrees(text: str) -> bool:
    return is_pattern(text) == _theirs(text) or (bool(LAX.search(text)) and not is_pattern(text))


@pytest.mark.parametrize("text", [*GOOD, *BAD])
def test_the_oracle_says_the_same(text: str) -> None:
    assert _agrees(text)


WORDS = """
[ ] ( ) a:b a:b.c = != 1 -2.5 'x' h'ff' t'2026-01-01T00:00:00Z' true , [a:b=1]
AND OR NOT IN LIKE EXISTS FOLLOWEDBY WITHIN SECONDS REPEATS TIMES
"""
PIECES = st.sampled_from(WORDS.split())


@given(st.lists(PIECES, max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_words_are_judged_as_the_oracle_judges_them(words: list[str]) -> None:
    text = " ".join(words)
    assert _agrees(text)


@st.composite
def mutated(draw: Any) -> str:
    text = draw(st.sampled_from(GOOD))
    at = draw(st.integers(0, len(text)))
    return str(
        text[:at]
        + draw(st.sampled_from(["", " ", "'", "[", ")", "1", "-", ".", ":", "x"]))
        + text[at + draw(st.integers(0, 3)) :]
    )


@given(mutated())
@settings(max_examples=300, deadline=None)
def test_a_slip_of_the_pen_is_judged_as_the_oracle_judges_it(text: str) -> None:
    assert _agrees(text)


PLAIN_WORDS = """
[ ] a:b x-y:c_d true:a a:false a-b: :c = 'x' 'it\\'s' '\\n' ' AND OR NOT
"""
PLAIN = st.sampled_from(PLAIN_WORDS.split())


@given(st.lists(PLAIN, max_size=9), st.sampled_from(["", " "]))
@settings(max_examples=300)
def test_the_short_cut_for_plain_patterns_takes_nothing_that_the_grammar_refuses(words: list[str], gap: str) -> None:
    for text in (gap.join(words), f"[{' '.join(words)}]", f"[a:b = 'x' {' '.join(words)}]"):
        assert is_pattern(text) == is_pattern_by_grammar(text)


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    assert is_pattern(text) in (True, False)
