"""The register of processing: one entry for each agreement, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.sharing.test_officers import DAY, FOUNDED, FOUNDERS, IDS, KEYS, NOW, TERMS

from port2port.core.handling import (
    Audience,
    Group,
    Handling,
    LegalBasis,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
    sharing_group,
)
from port2port.core.party import Compartment
from port2port.sharing.bootstrap import make_agreement, make_group
from port2port.sharing.documents import EndingText, Kind, sign
from port2port.sharing.register import COLUMNS, Processing, State, Use, as_csv, register
from port2port.sharing.roster import build

ME = IDS["Ghent"]


def _use(own: bool, objects: int, audience: Audience | None = None, days: int = 30) -> Use:
    label = Handling(
        origin=ME if own else IDS["Antwerp"],
        tlp=Tlp.AMBER,
        audience=audience or all_members(),
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=NOW + days * DAY,
        agreement_id="terms",
    )
    return Use(handling=label, own=own, objects=objects, kept_until=NOW + days * DAY)


def _register(*more: Any, uses: Any = (), at: Any = NOW) -> list[Processing]:
    paper = make_agreement(TERMS, KEYS["Antwerp"], KEYS["Ghent"], KEYS["Ostend"], open_to_all=True)
    return register(build([*FOUNDED, paper, *more], FOUNDERS), ME, uses, at)


def test_each_agreement_that_we_signed_is_one_entry_with_what_was_shared_under_it() -> None:
    group = Group(id="coast", name="Coast ports", owner=ME, members=frozenset({ME}))
    uses = [_use(True, 3, days=90), _use(False, 2), _use(True, 1, sharing_group("coast"))]
    (entry,) = _register(make_group(group, NOW, KEYS["Ghent"]), uses=uses)
    assert (entry.controller, entry.recipients) == ("Port of Ghent", ("Port of Antwerp", "Port of Ostend"))
    assert (entry.sent, entry.received, entry.kept_until) == (4, 2, NOW + 90 * DAY)
    assert entry.audiences == ("Coast ports", "all-members")
    assert entry.purposes == ("port-security",)


def test_an_agreement_that_we_did_not_sign_is_not_ours_to_list() -> None:
    others = make_agreement(replace(TERMS, id="others"), KEYS["Antwerp"], open_to_all=True)
    assert [each.agreement_id for each in _register(others)] == ["terms"]


def test_the_state_says_whether_anything_may_be_shared() -> None:
    assert _register(at=NOW - DAY)[0].state is State.TO_COME
    assert _register()[0].state is State.IN_FORCE
    assert _register(at=TERMS.ends)[0].state is State.OVER
    ending = sign(Kind.ENDING, EndingText(agreement="terms", node_id=ME, at=NOW + DAY), KEYS["Ghent"])
    (ended,) = _register(ending, at=NOW + 2 * DAY)
    assert (ended.state, ended.ends) == (State.ENDED, NOW + DAY)
    assert ended.recipients == ("Port of Antwerp", "Port of Ostend")


def test_a_party_that_ended_it_is_named_as_a_former_recipient() -> None:
    ending = sign(Kind.ENDING, EndingText(agreement="terms", node_id=IDS["Ostend"], at=NOW), KEYS["Ostend"])
    (entry,) = _register(ending)
    assert (entry.recipients, entry.former_recipients) == (("Port of Antwerp",), ("Port of Ostend",))


@given(st.text(max_size=40), st.integers(0, 5))
def test_no_cell_is_a_formula_and_every_text_comes_back(title: str, sent: int) -> None:
    (entry,) = _register(uses=[_use(True, sent)])
    rows = list(csv.reader(StringIO(as_csv([replace(entry, title=title, starts=NOW + timedelta())]), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows[1]) == len(COLUMNS)
    assert rows[1][1].removeprefix("'") == title.removeprefix("'")
    assert not rows[1][1].startswith(("=", "+", "-", "@", "\t", "\r"))
