"""Every word key that the code builds exists in four languages, with the same placeholders."""

from __future__ import annotations

import re

from port2port.core.handling import LegalBasis, PersonalData, Purpose, Reason
from port2port.incidents import capability
from port2port.incidents.forms import MINUTES_AGO
from port2port.incidents.model import Cause, Kind, Status
from port2port.web.model import LANGUAGES
from port2port.web.words import placeholders, read_words

WORDS = read_words(capability.folder / "words.toml")
OURS_ALONE = ("lane", "fact", "epoch", "compartment", "flash", "journal")


def test_every_word_is_there_in_four_languages_with_the_same_placeholders() -> None:
    for key, texts in WORDS.items():
        assert set(texts) == set(LANGUAGES), key
        assert len({placeholders(text) for text in texts.values()}) == 1, key
        assert all(text.strip() for text in texts.values()), key


def test_every_value_that_is_shown_has_its_word() -> None:
    built = {
        *(f"incidents.kind.{each}" for each in Kind),
        *(f"incidents.sentence.{live}.{each}" for each in Kind for live in ("shared", "exercise")),
        *(f"incidents.status.{each}" for each in Status),
        *(f"incidents.state.{each}" for each in Status),
        *(f"incidents.next.{each}" for each in Status),
        *(f"incidents.cause.{each}" for each in Cause),
        *(f"incidents.state.closed.{each}" for each in Cause),
        *(f"incidents.reason.{each}" for each in Reason),
        *(f"incidents.purpose.{each}" for each in Purpose),
        *(f"incidents.basis.{each}" for each in LegalBasis),
        *(f"incidents.personal.{each}" for each in PersonalData),
        *(f"incidents.report.minutes.{each}" for each in MINUTES_AGO),
    }
    assert built - WORDS.keys() == set()


def test_our_own_jargon_stays_off_the_screens() -> None:
    for key, texts in WORDS.items():
        assert not set(texts["en"].lower().replace(".", "").split()) & set(OURS_ALONE), key


def test_every_error_that_is_raised_has_its_word() -> None:
    sources = "".join(path.read_text() for path in capability.folder.glob("*.py"))
    raised = set(re.findall(r'"(incidents\.error\.[a-z.-]+)"', sources))
    assert raised
    assert raised - WORDS.keys() == set()
