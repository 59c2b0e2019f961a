"""One node's side of it: tables, settings, pages and words, certificates, pauses."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, inspect

from port2port import web
from port2port.core.errors import BadInput
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.handling import Agreement, Handling, LegalBasis, PersonalData, Purpose, Reason, Tlp, all_members
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party, Role
from port2port.sharing import ack_tables, capability, envelope, service, tables, trust, wire
from port2port.sharing.answers import NetworkAnswers
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_statement
from port2port.sharing.bucket import Buckets
from port2port.sharing.connector import pause_s
from port2port.sharing.entry import Cursor, Entry, Header, commitment, follow, sign
from port2port.sharing.facts import LaneStopped, ObjectRefused, ObjectWithheld
from port2port.sharing.intake import Intake
from port2port.sharing.lane import Class, Lane, lane_for
from port2port.sharing.running import assemble
from port2port.sharing.settings import SharingSettings, host_and_port
from port2port.sharing.verify import OTHER, REASONS, Broken
from port2port.sharing.web import routes
from port2port.store.identity import public_bytes
from port2port.store.migration import run as migrate
from port2port.testing import site as make_site
from port2port.testing.browser import browser

FOLDER = Path(capability.folder)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
OTHER_ID = node_id(public_bytes(OTHER_KEY))


@pytest.fixture
def here() -> Any:
    """A node in a network with one other member, whose agreement nobody has signed yet."""
    made = make_site(capabilities=[capability], facts=web.FACTS, seed=1)
    other = Party(node_id=OTHER_ID, name="Port of Ghent", short_name="Ghent", compartment=Compartment.A)
    now = made.clock()
    me = replace(made.party, roles=frozenset({AuthorityRole.INVITES}))
    papers = [
        make_statement(me, public_bytes(made.identity), "127.0.0.1:1", now, made.identity),
        make_statement(other, public_bytes(OTHER_KEY), "127.0.0.1:2", now, made.identity),
    ]
    service.load_documents(made, Book(), papers)
    yield made
    made.store.close()


def _label(origin: str, now: datetime) -> Handling:
    return Handling(
        origin=origin,
        tlp=Tlp.GREEN,
        audience=all_members(),
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=now + timedelta(days=9),
        agreement_id="agreement-1",
    )


def _offered(object_id: str, label: Handling, now: datetime) -> ObjectOffered:
    return ObjectOffered(
        at=now,
        object_kind="incident",
        object_id=object_id,
        version=1,
        handling=label,
        urgent=False,
        account="system",
    )


def _page(lane: Lane, label: Handling) -> wire.PageLine:
    body = envelope.encode(
        envelope.Envelope(
            origin=OTHER_ID, kind="incident", object_id="a", version=1, handling=label, object=msgspec.Raw(b"{}")
        )
    )
    header = Header(lane.id, 1, 1, 0, commitment(bytes(16), body))
    return wire.page_line([Entry(header, bytes(16), body)], sign(OTHER_KEY, lane.id, follow(Cursor(), header), 0))


def _agreement(now: datetime) -> Agreement:
    return Agreement(
        id="agreement-1",
        title="Agreement",
        parties=frozenset(),
        purposes=frozenset({Purpose.PORT_SECURITY}),
        legal_basis=frozenset({LegalBasis.ISPS_CODE}),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now,
        ends=now + timedelta(days=9),
    )


def test_an_object_that_came_before_its_agreement_waits_for_it(here: Any) -> None:
    book = Book()
    intake = Intake(here, book)
    label = _label(OTHER_ID, here.clock())
    lane = lane_for(label, urgent=False)
    intake.meet(OTHER_ID, wire.lane_line(lane, 1))
    page = _page(lane, label)
    assert intake.apply(OTHER_ID, page).refused == {"no-agreement": 1}
    assert here.store.read(0, 99, {ObjectArrived.kind()}) == []
    paper = make_agreement(_agreement(here.clock()), here.identity, OTHER_KEY, open_to_all=True)
    service.load_documents(here, book, [paper])
    (arrived,) = here.store.read(0, 99, {ObjectArrived.kind()})
    assert arrived.fact.object_id == f"{OTHER_ID}.a"
    with here.store.reading() as view:
        assert ack_tables.refusals_in(view, lane.id) == {}
        assert tables.waiting(view) == []
    intake.apply(OTHER_ID, page)
    assert len(here.store.read(0, 99, {ObjectArrived.kind()})) == 1


def test_refusals_are_told_once_a_page_and_counted(here: Any) -> None:
    intake = Intake(here, Book())
    label = _label(OTHER_ID, here.clock())
    lane = lane_for(label, urgent=False)
    intake.meet(OTHER_ID, wire.lane_line(lane, 1))
    intake.apply(OTHER_ID, _page(lane, label))
    (told,) = here.store.read(0, 99, {ObjectRefused.kind()})
    assert (told.fact.origin_name, told.fact.reason, told.fact.count) == ("Ghent", "no-agreement", 1)
    assert here.counters.get("sharing.refused.no-agreement") == 1


def test_a_stopped_connection_stays_stopped_until_a_person_resumes_it(here: Any) -> None:
    intake = Intake(here, Book())
    label = _label(OTHER_ID, here.clock())
    lane = lane_for(label, urgent=False)
    intake.meet(OTHER_ID, wire.lane_line(lane, 1))
    intake.stop(OTHER_ID, lane.id, Broken.FORK)
    intake.stop(OTHER_ID, lane.id, Broken.FORK)
    assert len(here.store.read(0, 99, {LaneStopped.kind()})) == 1
    assert intake.apply(OTHER_ID, _page(lane, label)).stopped == "fork"
    assert service.resume(here, Book(), "ghent") == 1
    assert intake.apply(OTHER_ID, _page(lane, label)).stopped == ""


def test_an_object_too_large_to_travel_is_withheld_and_the_next_goes_on(here: Any) -> None:
    book = Book()
    paper = make_agreement(_agreement(here.clock()), here.identity, OTHER_KEY, open_to_all=True)
    service.load_documents(here, book, [paper])
    parts = assemble(here, SharingSettings())
    label = _label(here.party.node_id, here.clock())
    with here.store.transaction() as tx:
        for object_id, body in (("big", b'"' + b"x" * 200_000 + b'"'), ("torn", b"{"), ("good", b"{}")):
            tx.put_body(object_id, 1, body)
            tx.append(_offered(object_id, label, here.clock()))
    page = here.store.read(0, 99, {ObjectOffered.kind()})
    with here.store.transaction() as tx:
        parts.sequencer.handle(tx, page)
    withheld = here.store.read(0, 99, {ObjectWithheld.kind()})
    assert [(each.fact.object_id, each.fact.reasons) for each in withheld] == [
        ("big", {"cannot-travel": 1}),
        ("torn", {"cannot-travel": 1}),
    ]
    with here.store.reading() as view:
        (row,) = tables.own_lanes(view)
        assert row.cursor.sequence == 1


def test_the_network_answers_who_is_in_it_and_which_agreements_we_signed(here: Any) -> None:
    parts = assemble(here, SharingSettings())
    answers = NetworkAnswers(parts.peers)
    assert answers.roster().parties.keys() == {here.party.node_id, OTHER_ID}
    assert answers.own_agreements() == []
    service.load_documents(here, Book(), [make_agreement(_agreement(here.clock()), OTHER_KEY, open_to_all=True)])
    assert answers.own_agreements() == []
    service.load_documents(here, Book(), [make_agreement(_agreement(here.clock()), here.identity, open_to_all=True)])
    assert [each.id for each in answers.own_agreements()] == ["agreement-1"]


def test_documents_of_a_transaction_that_failed_leave_no_trace_in_the_network(here: Any) -> None:
    from port2port.sharing import membership

    book = Book()
    papers = [make_agreement(_agreement(here.clock()), key, open_to_all=True) for key in (here.identity, OTHER_KEY)]

    def fail_after_taking() -> None:
        with here.store.transaction() as tx:
            membership.take(tx, book, papers[:1], "x", here.clock())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_taking()
    with here.store.transaction() as tx:
        membership.take(tx, book, papers[1:], "x", here.clock())
    with here.store.reading() as view:
        assert book.network(view).roster.agreements["agreement-1"].parties == {OTHER_ID}


@pytest.fixture
def reading(here: Any) -> Any:
    """A browser of a reader at this node, and the parts behind the page."""
    parts = assemble(here, SharingSettings())
    with browser(here, role=Role.READER, routes=routes(parts.peers), folders={"sharing": FOLDER}) as it:
        yield it, parts


def test_the_page_says_in_plain_words_how_it_stands_with_each_partner(here: Any, reading: Any) -> None:
    it, parts = reading
    status = parts.peers.statuses.of(OTHER_ID)
    assert "Not heard since this node started" in it.get("/network").text
    status.opened(Class.FLASH, here.clock())
    status.heard(here.clock(), here.clock() + timedelta(seconds=95))
    text = it.get("/network").text
    assert "Every partner is connected (1)." in text
    assert "Its clock is 95 s ahead of ours." in text
    here.clock.step(timedelta(minutes=3))
    status.closed(Class.FLASH, here.clock(), "unreachable")
    text = it.get("/network").text
    assert "Away since" in text
    assert "It cannot be reached." in text


def test_the_page_says_what_is_shared_why_and_what_was_refused(here: Any, reading: Any) -> None:
    it, parts = reading
    paper = make_agreement(_agreement(here.clock()), here.identity, OTHER_KEY, open_to_all=True)
    service.load_documents(here, parts.peers.book, [paper])
    with here.store.transaction() as tx:
        tx.put_body("a", 1, b"{}")
        label = _label(here.party.node_id, here.clock())
        tx.append(_offered("a", label, here.clock()))
    with here.store.transaction() as tx:
        parts.sequencer.handle(tx, here.store.read(0, 99, {ObjectOffered.kind()}))
        ack_tables.count_refusals(tx, Lane(OTHER_ID, "x", Class.NORMAL), {"not-in-audience": 4}, here.clock())
    text = it.get("/network").text
    assert "Behind by 1" in text
    assert "TLP:GREEN" in text
    assert "Agreement" in text
    assert "4 × not meant for us" in text
    (row,) = it.get("/api/network").json()["neighbours"]
    assert (row["behind"], row["refused"], row["state"]) == (1, {"not-in-audience": 4}, "unknown")


def test_an_empty_network_says_how_to_begin() -> None:
    alone = make_site(capabilities=[capability], facts=web.FACTS)
    parts = assemble(alone, SharingSettings())
    with browser(alone, role=Role.READER, routes=routes(parts.peers), folders={"sharing": FOLDER}) as it:
        text = it.get("/network").text
    assert "No partners yet." in text
    assert "port2port network invite" in text
    alone.store.close()


def test_every_word_of_the_page_stands_in_four_languages() -> None:
    words = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
    assert all(set(texts) == {"en", "nl", "fr", "de"} and all(texts.values()) for texts in words.values())
    assert {f"sharing.reason.{each}" for each in {*REASONS, OTHER}} <= words.keys()
    assert {f"sharing.stopped.{each.value}" for each in Broken} <= words.keys()
    assert {f"sharing.reason.{each.value}" for each in Reason} <= words.keys()
    shown = " ".join(text.lower() for texts in words.values() for text in texts.values())
    for jargon in ("lane", "epoch", "compartment", "journal"):
        assert jargon not in shown.split()


def test_tables_go_up_and_down_again(tmp_path: Path) -> None:
    for part in ("recall_tables", "heads", "audit.tables", "taxii.tables", "misp.tables"):
        import_module(f"port2port.sharing.{part}")  # each declares its own tables
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        migrate(connection, "sharing", FOLDER / "migrations")
        found = {name for name in inspect(connection).get_table_names() if name.startswith("sharing_")}
        assert {table.name for table in tables.metadata.sorted_tables} < found
        for table in tables.metadata.sorted_tables:
            columns = {column["name"] for column in inspect(connection).get_columns(table.name)}
            assert columns == set(table.columns.keys())
        migrate(connection, "sharing", FOLDER / "migrations", "base")
    with engine.begin() as connection:
        assert [n for n in inspect(connection).get_table_names() if n.startswith("sharing_")] == ["sharing_version"]
    engine.dispose()


def test_calls_are_quick_at_first_and_never_further_apart_than_agreed() -> None:
    random = Random(1)
    first = [pause_s(attempt, 15.0, random) for attempt in range(1, 13)]
    assert max(first) <= 0.5
    assert sum(first) < 6
    later = [pause_s(attempt, 15.0, random) for attempt in range(13, 200)]
    assert all(0.5 < each <= 15.0 for each in later)
    assert len({round(each, 6) for each in later[5:]}) > 100, "jittered: not everybody calls at once"


def test_a_bucket_lets_a_burst_pass_and_then_says_when() -> None:
    buckets = Buckets(10.0)
    assert [buckets.take("a") for _ in range(40)] == [0] * 40
    assert buckets.take("a") == 1
    assert buckets.take("b") == 0


@pytest.mark.parametrize("skew", [timedelta(days=-28), timedelta(), timedelta(days=28)])
def test_a_leaf_of_a_clock_that_is_weeks_off_is_still_valid_now(skew: timedelta) -> None:
    from cryptography import x509

    now = datetime.now(UTC)
    leaf = x509.load_pem_x509_certificate(trust.issue_leaf("a" * 64, OTHER_KEY, now + skew).certificate)
    assert leaf.not_valid_before_utc < now < leaf.not_valid_after_utc


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:70000", "host:-1", "host:１"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        host_and_port(text)
    assert host_and_port("[::1]:8201") == ("::1", 8201)


def test_a_node_that_cannot_be_reached_does_not_invite(here: Any) -> None:
    with pytest.raises(BadInput, match="where to reach us"):
        service.invite(here, SharingSettings(listen="0.0.0.0:8201"), Book())
