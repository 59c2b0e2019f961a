"""Real recordings: every line ends somewhere, pyais agrees, and the labelled drift alerts once.

Origins: dma-ais/AisAbnormal and dma-ais/AisLib (Danish Maritime Authority), maritimeviz (US Coast Guard).
"""

from __future__ import annotations

import gzip
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pyais
import pytest
from pyais.exceptions import AISBaseException

from port2port.core.alert import AlertEnded, AlertRaised
from port2port.core.errors import DecodeError
from port2port.core.ids import seeded_ids
from port2port.vessels import rehearsal
from port2port.vessels.ais import decode_payload
from port2port.vessels.drift import DriftLimits
from port2port.vessels.nmea import LineReader
from port2port.vessels.rehearsal import Rehearsal, rehearse
from port2port.vessels.zones import Zones

DENMARK_2010 = "dk_2010-06-11_global_27s.pghp.gz"
DENMARK_2013 = "dk_2013-11-12_1200utc_5min.pghp.gz"
DRIFT_2014 = "dk_2014-09-28_one_vessel_drift.pghp.gz"
AMERICA_2016 = "us_2016-07-28_part1.uscg.gz"
ALL = (DENMARK_2010, DENMARK_2013, DRIFT_2014, AMERICA_2016)


def lines(shared: Path, name: str) -> list[bytes]:
    return gzip.decompress((shared / "data/picture/ais" / name).read_bytes()).splitlines()


def played(shared: Path, name: str) -> Rehearsal:
    return rehearse(lines(shared, name), Zones(), seeded_ids(1), DriftLimits())


@pytest.mark.parametrize("name", ALL)
def test_every_line_of_a_recording_ends_in_exactly_one_place(shared: Path, name: str) -> None:
    account = played(shared, name).account
    assert account.lines == sum(bool(line.strip()) for line in lines(shared, name))
    assert account.waiting == 0
    assert account.balanced()
    assert set(account.refused) <= {"not-ais", "unknown-type"}


@pytest.mark.parametrize("name", ALL)
def test_pyais_alone_decodes_as_many_single_sentences_of_each_type(shared: Path, name: str) -> None:
    singles = [line[line.find(b"!") :] for line in lines(shared, name) if b"VDM,1,1," in line or b"VDO,1,1," in line]
    oracle: Counter[int] = Counter()
    for sentence in singles:
        bare = sentence[: sentence.rindex(b"*") + 3]  # pyais takes a time behind the checksum for a wrong checksum
        try:
            oracle[pyais.decode(bare, error_if_checksum_invalid=True).msg_type] += 1
        except AISBaseException:
            oracle[-1] += 1
    ours = rehearse(singles, Zones(), seeded_ids(1), None).account
    assert ours.by_type == {number: count for number, count in oracle.items() if number >= 0}
    assert sum(ours.refused.values()) == oracle[-1]


def test_the_drift_of_2014_alerts_exactly_once_with_the_shipped_limits(shared: Path) -> None:
    facts = played(shared, DRIFT_2014).facts
    raised = [fact for fact in facts if isinstance(fact, AlertRaised)]
    assert [(fact.rule, fact.subject, fact.subject_name) for fact in raised] == [
        ("vessels.rule.drift", "vessel:538004030", "FRIO")
    ]
    assert raised[0].sentence == "vessels.sentence.drift.tanker"
    assert f"{raised[0].at:%H:%M}" == "16:47"
    assert [fact.reason for fact in facts if isinstance(fact, AlertEnded)] == ["vessels.ended.steady"]


def test_five_minutes_of_all_danish_waters_are_calm(shared: Path) -> None:
    played_back = played(shared, DENMARK_2013)
    assert not [fact for fact in played_back.facts if isinstance(fact, AlertRaised)]
    assert len(played_back.traffic.vessels) == 1508


def test_a_late_copy_from_a_satellite_does_not_move_a_vessel(shared: Path) -> None:
    traffic = played(shared, DRIFT_2014).traffic
    assert traffic.unused["late"] > 0
    assert traffic.vessels[538004030].doubt == ""


def test_a_default_mmsi_with_many_transmitters_is_doubtful(shared: Path) -> None:
    vessel = played(shared, AMERICA_2016).traffic.vessels[1193046]
    assert vessel.doubt == "two-transmitters"


@pytest.mark.parametrize("name", ALL)
def test_batches_of_any_size_give_the_same_facts(shared: Path, name: str) -> None:
    whole = list(played(shared, name).facts)
    before, rehearsal.LINES = rehearsal.LINES, 17
    try:
        assert list(played(shared, name).facts) == whole
    finally:
        rehearsal.LINES = before


def test_every_payload_of_the_recordings_cut_short_decodes_or_is_refused(shared: Path) -> None:
    found = LineReader().read(lines(shared, DENMARK_2010), 0.0)
    for sentence in found[::5]:
        for length in range(0, len(sentence.payload), 3):
            # Anything but a record or this one error fails the test.
            with suppress(DecodeError):
                decode_payload(sentence.payload[:length], 0)
