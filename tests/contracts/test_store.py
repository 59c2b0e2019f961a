"""What every back end of the store promises. One suite over memory, SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from port2port.core.alert import AlertEnded, AlertRaised, Priority
from port2port.core.errors import Conflict, Unavailable
from port2port.core.exchange import ObjectOffered
from port2port.core.fact import Fact, Recorded, Unknown
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, named_nodes
from port2port.core.party import Compartment
from port2port.core.place import Position
from port2port.store import Store, migration, open_store
from port2port.testing.postgres import PostgresServer

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
FACTS = (AlertEnded, AlertRaised, ObjectOffered)
DEADLINE_S = 20.0

MIGRATION = """
import sqlalchemy as sa
from alembic import op
from port2port.store.types import Integer, Moment, Real, Text
revision = "berths_0001"
down_revision = None
def upgrade():
    op.create_table(
        "berths_berth",
        sa.Column("name", Text, primary_key=True),
        sa.Column("ships", Integer, nullable=False),
        sa.Column("depth_m", Real),
        sa.Column("seen_at", Moment),
        sqlite_strict=True,
    )
def downgrade():
    op.drop_table("berths_berth")
"""
BERTH = sa.table("berths_berth", sa.column("name"), sa.column("ships"))


@pytest.fixture
def store(url: str, keys: Path) -> Iterator[Store]:
    opened = open_store(url, FACTS, keys=keys)
    yield opened
    opened.close()


@pytest.fixture
def berths(store: Store, tmp_path: Path) -> Store:
    """The store with one capability's table in it."""
    folder = tmp_path / "berths"
    folder.mkdir()
    (folder / "0001_first.py").write_text(MIGRATION)
    store.migrate("berths", folder)
    return store


def ended(name: str) -> AlertEnded:
    return AlertEnded(at=AT, alert_id=name, reason="vessels.ended.moving")


def say(store: Store, *names: str) -> None:
    with store.transaction() as tx:
        tx.append(*map(ended, names))


def heard(store: Store, count: int) -> list[str]:
    """The journal from the start, once it holds `count` entries; checks that it is dense."""
    assert until(lambda: store.head() >= count), f"{store.head()} of {count} entries"
    entries = store.read(0, 10_000)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    return [name(entry) for entry in entries]


def name(entry: Recorded) -> str:
    assert isinstance(entry.fact, AlertEnded)
    return entry.fact.alert_id


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def test_an_empty_journal_has_head_zero(store: Store) -> None:
    assert store.head() == 0
    assert list(store.read(0)) == []


def test_facts_stand_in_the_journal_in_the_order_in_which_they_were_recorded(store: Store) -> None:
    say(store, "a", "b")
    say(store, "c")
    assert heard(store, 3) == ["a", "b", "c"]


def test_a_fact_comes_back_as_it_was(store: Store) -> None:
    facts: list[Fact] = [_offered(), _raised(), ended("x")]
    with store.transaction() as tx:
        tx.append(*facts)
    assert until(lambda: store.head() == 3)
    entries = store.read(0)
    assert [entry.fact for entry in entries] == facts
    assert [entry.kind for entry in entries] == ["ObjectOffered", "AlertRaised", "AlertEnded"]
    assert all(abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1) for entry in entries)


def test_what_a_verb_does_is_stored_together(berths: Store) -> None:
    with berths.transaction() as tx:
        tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})
        tx.append(ended("a"))
        tx.put_body("object", 1, b"body")
        tx.move_cursor("reader", 7)
    with berths.reading() as view:
        assert view.execute(sa.select(BERTH.c.ships)).scalars().all() == [1]
        assert view.body("object", 1) == b"body"
        assert view.cursor("reader") == 7
    assert heard(berths, 1) == ["a"]


def test_a_verb_that_fails_leaves_nothing_and_no_hole_in_the_numbers(berths: Store) -> None:
    say(berths, "before")
    with pytest.raises(ZeroDivisionError), berths.transaction() as tx:  # noqa: PT012
        tx.append(ended("never"))
        tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})
        tx.put_body("object", 1, b"body")
        tx.move_cursor("reader", 7)
        raise ZeroDivisionError
    say(berths, "after")
    assert heard(berths, 2) == ["before", "after"]
    with berths.reading() as view:
        assert view.execute(sa.select(BERTH)).all() == []
        assert view.body("object", 1) is None
        assert view.cursor("reader") == 0


def test_a_failed_statement_spoils_its_transaction_even_if_the_error_is_swallowed(berths: Store) -> None:
    with pytest.raises(Conflict), berths.transaction() as tx:  # noqa: PT012
        tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})
        with pytest.raises(sa.exc.IntegrityError):
            tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 2})
    with berths.reading() as view:
        assert view.execute(sa.select(BERTH)).all() == []


def test_a_verb_sees_its_own_changes_and_nobody_else_does_before_the_end(berths: Store) -> None:
    with berths.transaction() as tx:
        tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})
        tx.put_body("object", 1, b"body")
        assert tx.execute(sa.select(BERTH.c.ships)).scalar() == 1
        assert tx.body("object", 1) == b"body"
        with berths.reading() as view:
            assert view.execute(sa.select(BERTH)).all() == []
            assert view.body("object", 1) is None


def test_a_question_keeps_its_view_while_others_write(berths: Store) -> None:
    with berths.reading() as view:
        assert view.execute(sa.select(BERTH)).all() == []
        with berths.transaction() as tx:
            tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})
        assert view.execute(sa.select(BERTH)).all() == []


def test_a_question_cannot_write(berths: Store) -> None:
    with pytest.raises((sa.exc.DBAPIError, Unavailable)), berths.reading() as view:
        view.execute(sa.insert(BERTH), {"name": "K702", "ships": 1})


def test_two_verbs_that_load_and_record_the_same_row_lose_no_update(berths: Store) -> None:
    with berths.transaction() as tx:
        tx.execute(sa.insert(BERTH), {"name": "K702", "ships": 0})

    def arrive(_: int) -> None:
        with berths.transaction() as tx:
            ships = tx.execute(sa.select(BERTH.c.ships)).scalar_one()
            tx.execute(sa.update(BERTH).values(ships=ships + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(arrive, range(80)))
    with berths.reading() as view:
        assert view.execute(sa.select(BERTH.c.ships)).scalar() == 80


def test_eight_writers_and_a_reader_at_the_tail_lose_nothing(store: Store) -> None:
    expected = {f"{writer}-{i}" for writer in range(8) for i in range(40)}

    def write(writer: int) -> None:
        for i in range(40):
            with store.transaction() as tx:
                if i % 2:
                    tx.move_cursor(f"writer-{writer}", i)
                tx.append(ended(f"{writer}-{i}"))

    def tail() -> list[str]:
        seen: list[str] = []
        end = time.monotonic() + DEADLINE_S
        while len(seen) < len(expected) and time.monotonic() < end:
            store.wait(len(seen), 0.1)
            page = store.read(len(seen), 50)
            assert [entry.number for entry in page] == list(range(len(seen) + 1, len(seen) + 1 + len(page)))
            seen.extend(map(name, page))
        return seen

    with ThreadPoolExecutor(9) as threads:
        tailing = threads.submit(tail)
        list(threads.map(write, range(8)))
        seen = tailing.result()
    assert len(seen) == len(expected)
    assert set(seen) == expected
    for writer in range(8):
        own = [int(each.split("-")[1]) for each in seen if each.startswith(f"{writer}-")]
        assert own == sorted(own), "one writer's facts stay in its order"


def test_a_cursor_moves_with_the_data_and_never_back(store: Store) -> None:
    for number in (5, 3):
        with store.transaction() as tx:
            tx.move_cursor("picture", number)
    with store.reading() as view:
        assert view.cursor("picture") == 5
        assert view.cursor("other") == 0


def test_the_same_body_twice_is_fine_and_another_is_a_conflict(store: Store) -> None:
    for _ in range(2):
        with store.transaction() as tx:
            tx.put_body("object", 1, b"\x00 exact bytes \xff")
    with pytest.raises(Conflict), store.transaction() as tx:  # noqa: PT012
        tx.append(ended("never"))
        tx.put_body("object", 1, b"other")
    with store.transaction() as tx:
        tx.put_body("object", 2, b"other")
    with store.reading() as view:
        assert view.body("object", 1) == b"\x00 exact bytes \xff"
        assert view.body("object", 2) == b"other"
        assert view.body("object", 3) is None
    assert store.head() == 0


def test_a_page_is_what_was_asked_for_and_no_more(store: Store) -> None:
    say(store, *(str(i) for i in range(1200)))
    heard(store, 1200)
    assert len(store.read(0)) == 500
    assert [name(entry) for entry in store.read(1197, 2)] == ["1197", "1198"]
    assert list(store.read(1200)) == []
    assert len(store.read(0, 10**9)) == 1200


def test_no_page_is_larger_than_the_limit_of_the_store(store: Store) -> None:
    say(store, *(str(i) for i in range(10_001)))
    assert until(lambda: store.head() == 10_001)
    assert len(store.read(0, 10**9)) == 10_000


def test_a_page_of_some_kinds_counts_what_matches(store: Store) -> None:
    with store.transaction() as tx:
        tx.append(*(_raised() if i % 3 == 0 else ended(str(i)) for i in range(30)))
    assert until(lambda: store.head() == 30)
    entries = store.read(0, 4, kinds={"AlertRaised"})
    assert [entry.number for entry in entries] == [1, 4, 7, 10]
    assert list(store.read(0, 4, kinds={"Nothing"})) == []
    assert list(store.read(0, 4, kinds=())) == []


def test_facts_of_a_capability_that_is_gone_are_passed_by_and_kept(url: str, keys: Path) -> None:
    if url == "memory://":
        pytest.skip("a store in memory has no second life")
    first = open_store(url, FACTS, keys=keys)
    say(first, "a")
    heard(first, 1)
    first.close()
    second = open_store(url, (), keys=keys)
    (entry,) = second.read(0)
    second.close()
    assert entry.kind == "AlertEnded"
    assert isinstance(entry.fact, Unknown)
    assert b"vessels.ended.moving" in entry.fact.data


def test_a_fact_that_was_not_declared_cannot_be_recorded(store: Store) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Undeclared(Fact):
        pass

    with pytest.raises(AssertionError, match="Undeclared"), store.transaction() as tx:
        tx.append(Undeclared(at=AT))


def test_waiting_ends_when_something_is_recorded(store: Store) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(store.wait, 0, DEADLINE_S)
        say(store, "a")
        assert waiting.result(DEADLINE_S) == 1


def test_waiting_ends_when_time_is_up(store: Store) -> None:
    started = time.monotonic()
    assert store.wait(0, 0.05) == 0
    assert 0.04 < time.monotonic() - started < 5


def test_waiting_ends_when_the_store_closes(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(store.wait, 0, 60.0) for _ in range(4)]
        store.close()
        assert [each.result(DEADLINE_S) for each in waiting] == [0] * 4


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(Unavailable):
        say(store, "a")
    with pytest.raises(Unavailable):
        store.read(0)
    with pytest.raises(Unavailable), store.reading():
        pass


def test_a_transaction_belongs_to_one_thread_and_ends_with_its_block(store: Store) -> None:
    with store.transaction() as tx:
        stranger = ThreadPoolExecutor(1)
        with pytest.raises(AssertionError):
            stranger.submit(tx.cursor, "x").result()
        stranger.shutdown()
    with pytest.raises(AssertionError):
        tx.append(ended("late"))
    with pytest.raises(AssertionError):
        tx.move_cursor("late", 1)


def test_transactions_do_not_nest(store: Store) -> None:
    with pytest.raises(AssertionError, match="nest"), store.transaction(), store.transaction():
        pass
    say(store, "works again")
    assert heard(store, 1) == ["works again"]


def test_more_questions_at_once_than_there_are_connections_take_turns(store: Store) -> None:
    gate = threading.Barrier(4)

    def ask(i: int) -> int:
        with store.reading() as view:
            if i < 4:
                gate.wait(DEADLINE_S)
            return view.cursor("x")

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ask, range(20))) == [0] * 20


def test_many_verbs_that_ask_questions_do_not_wait_for_each_other(store: Store) -> None:
    def verb(i: int) -> int:
        with store.transaction() as tx:
            tx.move_cursor("x", i)
            with store.reading() as view:
                return view.cursor("y") + store.head()

    with ThreadPoolExecutor(24) as threads:
        assert list(threads.map(verb, range(48))) == [0] * 48


def test_a_second_process_may_write_and_the_first_hears_of_it(lasting_url: str, keys: Path) -> None:
    first, second = open_store(lasting_url, FACTS, keys=keys), open_store(lasting_url, FACTS, keys=keys)
    try:
        with ThreadPoolExecutor(1) as threads:
            first.wait(0, 0.01)
            waiting = threads.submit(first.wait, 0, DEADLINE_S)
            say(second, "from the command line")
            recorded = time.monotonic()
            assert waiting.result() == 1
            assert time.monotonic() - recorded < 2.0
    finally:
        first.close()
        second.close()


def test_two_processes_that_write_at_once_keep_the_numbers_dense(lasting_url: str, keys: Path) -> None:
    stores = [open_store(lasting_url, FACTS, keys=keys) for _ in range(2)]

    def write(writer: int) -> None:
        for i in range(40):
            say(stores[writer % 2], f"{writer}-{i}")

    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(8)))
        assert len(set(heard(stores[0], 320))) == 320
    finally:
        for each in stores:
            each.close()


def test_the_other_process_goes_on_numbering_when_the_first_ends(lasting_url: str, keys: Path) -> None:
    first, second = open_store(lasting_url, FACTS, keys=keys), open_store(lasting_url, FACTS, keys=keys)
    say(second, "a")
    heard(first, 1)
    first.close()
    say(second, "b")
    assert heard(second, 2) == ["a", "b"]
    second.close()


def test_a_store_opened_again_goes_on_where_it_was(lasting_url: str, keys: Path) -> None:
    for i in range(3):
        store = open_store(lasting_url, FACTS, keys=keys)
        say(store, str(i))
        assert heard(store, i + 1) == [str(each) for each in range(i + 1)]
        store.close()


@pytest.mark.postgres
def test_the_tables_on_postgresql_go_up_and_down_and_up(postgres: PostgresServer) -> None:
    engine = sa.create_engine(postgres.emptied().replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for target, tables in (("head", 5), ("base", 1), ("head", 5)):
            migration.run(connection, "store", migration.STORE_MIGRATIONS, target)
            assert len(sa.inspect(connection).get_table_names()) == tables
    engine.dispose()


def test_a_forgotten_body_is_gone_and_its_neighbours_stay(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_bodies([(name, 1, name.encode()) for name in "abcd"])
    with store.transaction() as tx:
        tx.forget_bodies([("b", 1), ("absent", 1)])
        assert tx.bodies([("a", 1), ("b", 1)]) == [b"a", None]
    with store.reading() as view:
        assert view.bodies([(name, 1) for name in "dcba"]) == [b"d", b"c", None, b"a"]


def test_what_was_forgotten_may_be_stored_again_in_the_same_breath(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_body("a", 1, b"first")
    with store.transaction() as tx:
        tx.forget_bodies([("a", 1)])
        tx.put_body("a", 1, b"second")
    with store.reading() as view:
        assert view.body("a", 1) == b"second"


def test_a_verb_that_fails_forgets_nothing(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_body("b", 1, b"kept")
    with pytest.raises(ZeroDivisionError):
        _forget_and_fail(store)
    with store.reading() as view:
        assert view.bodies([("b", 1), ("0", 1)]) == [b"kept", None]


def test_a_statement_written_by_hand_means_the_same_everywhere(berths: Store) -> None:
    with berths.transaction() as tx:
        tx.many("INSERT INTO berths_berth (name, ships) VALUES (?, ?)", [("a", 1), ("b", 2)])
        assert tx.rows("SELECT name FROM berths_berth WHERE ships > ? ORDER BY name", (1,)) == [("b",)]
    with berths.reading() as view:
        assert view.rows("SELECT count(*) FROM berths_berth") == [(2,)]


def test_a_body_cannot_be_read_once_its_key_is_destroyed(lasting_url: str, keys: Path) -> None:
    """What a backup of the database alone still holds is worth nothing."""
    store = open_store(lasting_url, FACTS, keys=keys)
    with store.transaction() as tx:
        tx.put_bodies([("a", 1, b"secret"), ("b", 1, b"kept")])
    with store.transaction() as tx:
        tx.forget_bodies([("a", 1)])
    store.close()
    slots = [keys.read_bytes()[at : at + 32] for at in range(0, keys.stat().st_size, 32)]
    assert sum(any(slot) for slot in slots) == 1


def test_a_key_whose_body_was_never_committed_is_swept(lasting_url: str, keys: Path) -> None:
    store = open_store(lasting_url, FACTS, keys=keys)
    with store.transaction() as tx:
        tx.put_body("a", 1, b"kept")
    with pytest.raises(ZeroDivisionError):
        _forget_and_fail(store)
    if lasting_url.startswith("sqlite"):  # as after a crash: the log stays behind
        copy = keys.parent / "after"
        copy.mkdir()
        for each in keys.parent.glob("node.*"):
            if each.is_file():
                (copy / each.name).write_bytes(each.read_bytes())
        store.close()
        keys, lasting_url = copy / keys.name, f"sqlite:///{copy / 'node.sqlite'}"
    else:
        store.close()
    again = open_store(lasting_url, FACTS, keys=keys)
    with again.reading() as view:
        assert view.body("a", 1) == b"kept"
    again.close()
    data = keys.read_bytes()
    assert sum(any(data[at : at + 32]) for at in range(0, len(data), 32)) == 1


def _forget_and_fail(store: Store) -> None:
    with store.transaction() as tx:
        tx.forget_bodies([("b", 1)])
        tx.put_bodies([(str(number), 1, b"never") for number in range(5)])
        raise ZeroDivisionError


def _offered() -> ObjectOffered:
    handling = Handling(
        origin="a" * 64,
        tlp=Tlp.AMBER_STRICT,
        audience=named_nodes("b" * 64, "c" * 64),
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=AT + timedelta(days=30),
        agreement_id="agreement",
    )
    return ObjectOffered(
        at=AT, object_kind="incident", object_id="i", version=2, handling=handling, urgent=True, account="eva"
    )


def _raised() -> AlertRaised:
    return AlertRaised(
        at=AT,
        alert_id="a",
        capability="vessels",
        rule="vessels.rule.drift",
        priority=Priority.URGENT,
        subject="vessel:205123000",
        subject_name="Zeemeeuw – ‘t Nieuwe",
        position=Position(51.2, 4.3),
        sentence="vessels.sentence.drift",
        values={"name": "Zeemeeuw"},
        source="ais-scheldt",
    )
