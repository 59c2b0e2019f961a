"""Every string on a screen exists in four languages, with the same placeholders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import port2port
from port2port.web.model import LANGUAGES
from port2port.web.words import Words, placeholders, read_words

ROOT = Path(port2port.__file__).parent
FILES = sorted(ROOT.glob("*/words.toml"))
NEVER_ON_A_SCREEN = re.compile(r"\b(lane|fact|epoch|compartment|flash|journal)s?\b", re.IGNORECASE)
_USED_IN_TEMPLATE = re.compile(r"""\bt\(\s*["']([a-z][a-z0-9-]*\.[a-z0-9.-]+[a-z0-9])["']\s*[,)]""")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_each_word_has_all_four_languages_and_no_other(file: Path) -> None:
    wrong = {key: sorted(texts) for key, texts in read_words(file).items() if set(texts) != set(LANGUAGES)}
    assert not wrong, f"{file} lacks or has too many languages in these"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_no_word_is_empty(file: Path) -> None:
    assert not [key for key, texts in read_words(file).items() if not all(text.strip() for text in texts.values())]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_each_language_has_the_same_placeholders(file: Path) -> None:
    wrong = {
        key: {language: sorted(placeholders(text)) for language, text in texts.items()}
        for key, texts in read_words(file).items()
        if len({placeholders(text) for text in texts.values()}) != 1
    }
    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_each_key_begins_with_its_owner(file: Path) -> None:
    strays = [key for key in read_words(file) if not key.startswith(f"{file.parent.name}.")]
    assert not strays, "a key of another owner would collide some day"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_words_of_ours_do_not_reach_the_screen(file: Path) -> None:
    assert not [key for key, texts in read_words(file).items() if NEVER_ON_A_SCREEN.search(texts["en"])]


def test_no_two_owners_have_the_same_key() -> None:
    assert Words.load(FILES).has("web.sign-in.title")


@pytest.mark.parametrize("folder", sorted(ROOT.glob("*/templates")), ids=lambda folder: folder.parent.name)
def test_each_word_a_template_uses_exists(folder: Path) -> None:
    words = Words.load(FILES)
    used = {key for file in folder.rglob("*.html") for key in _USED_IN_TEMPLATE.findall(file.read_text("utf-8"))}
    assert not sorted(key for key in used if not words.has(key))
