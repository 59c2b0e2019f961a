"""The console's words: none missing, none in one language only."""

from __future__ import annotations

import re
from pathlib import Path

from port2port.picture import FOLDER
from port2port.picture.model import CAUSES
from port2port.web.model import LANGUAGES
from port2port.web.words import placeholders, read_words

WORDS = read_words(FOLDER / "words.toml")
SCRIPTS = Path(__file__).parents[2] / "frontend" / "map"


def test_every_word_stands_in_four_languages_with_the_same_placeholders() -> None:
    for key, texts in WORDS.items():
        assert set(texts) == set(LANGUAGES), key
        assert len({placeholders(text) for text in texts.values()}) == 1, key


def test_every_word_that_a_script_or_page_asks_for_is_there() -> None:
    asked = {
        f"picture.{key}"
        for path in SCRIPTS.glob("*.js")
        for key in re.findall(r'\bt\("([a-z0-9.-]+)"', path.read_text())
    }
    pages = (FOLDER / "templates").glob("*.html")
    asked |= {key for path in pages for key in re.findall(r"\bt\([\"'](picture\.[a-z0-9.-]+)[\"']\)", path.read_text())}
    code = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    asked |= set(re.findall(r'"(picture\.error\.[a-z.-]+)"', code)) | set(CAUSES)
    assert len(asked) > 60
    assert asked <= set(WORDS), asked - set(WORDS)


def test_no_word_of_ours_is_on_the_screen() -> None:
    """What we call things among ourselves is not what an operator reads."""
    ours = re.compile(r"\b(lane|fact|epoch|compartment|flash|journal)s?\b", re.IGNORECASE)
    assert not [key for key, texts in WORDS.items() if ours.search(texts["en"])]
