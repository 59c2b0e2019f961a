"""Whoever rewrites the stored log is found out by one earlier checkpoint."""

from __future__ import annotations

from random import Random

import pytest
from audit_kit import Keeper
from sqlalchemy import text

from port2port.core.alert import AlertRaised
from port2port.core.fact import Recorded
from port2port.sharing.audit import record, tables
from port2port.sharing.audit.merkle import Frontier, leaf_hash

Rows = list[tuple[int, int, str, bytes, bytes, bytes]]
"""number, at, kind, entry, salt, record."""


def read_rows(keeper: Keeper) -> Rows:
    with keeper.site.store.reading() as view:
        query = text("SELECT number, at, kind, entry, salt, record FROM sharing_audit_leaf ORDER BY place")
        return [tuple(row) for row in view.execute(query)]  # type: ignore[misc]


def write_rows(keeper: Keeper, rows: Rows) -> None:
    """Like one who knows how it works: leaves and hashes go together again."""
    with keeper.site.store.transaction() as tx:
        tx.execute(text("DELETE FROM sharing_audit_leaf"))
        tx.execute(text("DELETE FROM sharing_audit_tile"))
        names = ("number", "at", "kind", "entry", "salt", "record")
        for place, row in enumerate(rows):
            tx.execute(
                text("INSERT INTO sharing_audit_leaf VALUES (:place, :number, :at, :kind, :entry, :salt, :record)"),
                {"place": place, **dict(zip(names, row, strict=True))},
            )


def changed(rows: Rows, random: Random, how: str) -> Rows:
    """One alteration, made so that each leaf still fits its record."""
    rows, at = list(rows), random.randrange(len(rows))
    if how == "flip":
        number, moment, kind, _, salt, content = rows[at]
        spot = random.randrange(len(content))
        other = content[:spot] + bytes([content[spot] ^ 1 << random.randrange(8)]) + content[spot + 1 :]
        rows[at] = (number, moment, kind, record.entry_of(salt, other), salt, other)
    elif how == "drop":
        del rows[at]
    elif how == "swap":
        other_at = random.choice([each for each in range(len(rows)) if each != at])
        rows[at], rows[other_at] = rows[other_at], rows[at]
    elif how == "insert":
        number, moment, kind, _, _, content = rows[at]
        rows.insert(at, (number, moment, kind, record.entry_of(bytes(16), content), bytes(16), content))
    else:
        del rows[at:]
    return rows


def roots_of(rows: Rows) -> list[bytes]:
    frontier, found = Frontier(), []
    for row in rows:
        frontier.append(leaf_hash(row[3]))
        found.append(frontier.root())
    return found


def test_three_hundred_random_rewrites_are_all_found_against_one_earlier_checkpoint(keeper: Keeper) -> None:
    keeper.grow(200)
    earlier = keeper.checkpoint()
    keeper.grow(50)
    rows, random = read_rows(keeper), Random(9162)
    found = 0
    for number in range(300):
        how = ("flip", "drop", "swap", "insert", "truncate")[number % 5]
        altered = changed(rows[: earlier.size], random, how) + rows[earlier.size :]
        if how == "truncate":
            altered = changed(rows[: earlier.size], random, how)
        roots = roots_of(altered)
        found += len(roots) < earlier.size or roots[earlier.size - 1] != earlier.root
    assert roots_of(rows)[earlier.size - 1] == earlier.root
    assert found == 300


@pytest.mark.parametrize("how", ["flip", "drop", "swap", "insert", "truncate"])
def test_a_rewritten_store_is_found_by_the_check(keeper: Keeper, how: str) -> None:
    keeper.grow(40)
    keeper.checkpoint()
    assert keeper.verify().problems == []
    rows = read_rows(keeper)
    random = Random(how)
    for _ in range(6):
        write_rows(keeper, changed(rows, random, how))
        assert keeper.verify().count > 0
    write_rows(keeper, rows)
    assert keeper.verify().problems == []


def test_what_was_appended_after_the_last_checkpoint_is_held_against_the_journal(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.record(10)
    keeper.read()
    rows = read_rows(keeper)
    write_rows(keeper, rows[:15] + rows[16:])
    assert any("is not in the log" in each for each in keeper.verify().problems)


def test_a_changed_journal_is_found(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.sql(
        "UPDATE store_journal SET data = CAST(replace(CAST(data AS TEXT), 'someone-4', 'nobody') AS BLOB)"
        " WHERE kind = 'SignedIn'"
    )
    assert any("differ" in each for each in keeper.verify().problems)


def test_a_deleted_journal_entry_is_found(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.sql("DELETE FROM store_journal WHERE number = 8")
    assert any("does not have" in each for each in keeper.verify().problems)


def test_content_that_is_gone_without_an_act_is_found(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.sql("UPDATE sharing_audit_leaf SET salt = NULL, record = NULL WHERE place = 4")
    assert keeper.verify().problems == ["The content of entry 4 is gone, and no entry says who erased it."]


def test_a_checkpoint_of_another_key_is_found(keeper: Keeper) -> None:
    keeper.grow(10)
    stranger = Keeper(2)
    stranger.grow(10)
    note = stranger.checkpoint().note
    stranger.close()
    keeper.sql("UPDATE sharing_audit_checkpoint SET note = :note", note=note)
    assert any("is not signed by this node" in each for each in keeper.verify().problems)


def test_changed_tiles_are_found(keeper: Keeper) -> None:
    keeper.grow(600)
    assert keeper.verify().problems == []
    keeper.sql("UPDATE sharing_audit_tile SET hashes = :other", other=bytes(64))
    assert any("stored hashes" in each for each in keeper.verify().problems)


def test_a_record_made_with_other_fields_is_another_record(keeper: Keeper) -> None:
    keeper.grow(1)
    entry: Recorded = keeper.site.store.read(0, 10, {"SignedIn"})[0]
    own = record.read_record(record.record_of(entry))
    assert own is not None
    assert record.tells_of(own, entry)
    forged = record.read_record(record.record_of(entry).replace(b"someone-0", b"someone-1"))
    assert forged is not None
    assert not record.tells_of(forged, entry)


def test_the_outcome_of_the_last_check_is_kept(keeper: Keeper) -> None:
    keeper.grow(3)
    keeper.verify()
    with keeper.site.store.reading() as view:
        check = tables.last_check(view)
    assert check is not None
    assert (check.size, check.problems) == (3, 0)


def test_the_daily_check_raises_an_alert_once(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.checkpoint()
    assert keeper.parts.checking.check().problems == []
    assert not keeper.facts(AlertRaised)
    keeper.sql("UPDATE sharing_audit_leaf SET record = salt WHERE place = 2")
    for _ in range(3):
        assert keeper.parts.checking.check().count == 1
    assert [each.rule for each in keeper.facts(AlertRaised)] == ["sharing.rule.audit"]
