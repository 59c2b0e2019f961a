"""The page of the register, its CSV and JSON, and the notices of membership."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sharing.test_officers import FOUNDED, FOUNDERS, IDS, KEYS, NOW, member, revoked, root

from port2port import web
from port2port.core.exchange import ObjectOffered
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, all_members
from port2port.core.party import AuthorityRole, Compartment, Role
from port2port.sharing import arranging, book, capability, deciding, documents, leaving, service
from port2port.sharing.bootstrap import make_statement
from port2port.sharing.documents import Kind
from port2port.sharing.notices import notices
from port2port.sharing.register_web import routes
from port2port.sharing.roster import build
from port2port.sharing.running import Parts, assemble
from port2port.sharing.settings import SharingSettings
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site
from port2port.testing.browser import browser

SETTINGS = SharingSettings(listen="127.0.0.1:8201")


@pytest.fixture
def parts() -> Iterator[Parts]:
    """A node that began a network, with an agreement and one object shared under it."""
    made = make_site(capabilities=[capability], facts=web.FACTS)
    site = replace(made, party=replace(made.party, roles=frozenset({AuthorityRole.INVITES})))
    parts = assemble(site, SETTINGS)
    statement = make_statement(
        replace(site.party, node_id=IDS["Ghent"], name="Port of Ghent", short_name="Ghent", roles=frozenset()),
        public_bytes(KEYS["Ghent"]),
        "127.0.0.1:2",
        site.clock(),
        site.identity,
    )
    service.invite(site, SETTINGS, parts.peers.book)
    service.load_documents(site, parts.peers.book, [statement])
    agreement = arranging.agree(site, SETTINGS, parts.peers.book, "Cooperation of the coast", 30)
    label = Handling(
        origin=site.party.node_id,
        tlp=Tlp.AMBER,
        audience=all_members(),
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=site.clock() + timedelta(days=9),
        agreement_id=agreement,
    )
    (paper,) = book_documents(parts)
    service.load_documents(site, parts.peers.book, [documents.cosign(paper.bare(), KEYS["Ghent"])])
    offered = ObjectOffered(
        at=site.clock(),
        object_kind="incident",
        object_id="a",
        version=1,
        handling=label,
        urgent=False,
        account="system",
    )
    with site.store.transaction() as tx:
        tx.put_body("a", 1, b"{}")
        tx.append(offered)
    with site.store.transaction() as tx:
        parts.sequencer.handle(tx, site.store.read(0, 999, {ObjectOffered.kind()}))
    yield parts
    site.store.close()


def book_documents(parts: Parts) -> list[documents.Document]:
    with parts.peers.site.store.reading() as view:
        return book.documents_of(view, [Kind.AGREEMENT])


def _get(parts: Parts, path: str, role: Role = Role.SECURITY_OFFICER) -> Any:
    with browser(
        parts.peers.site, role=role, routes=routes(parts.peers), folders={"sharing": Path(capability.folder)}
    ) as it:
        return it.get(path)


def test_the_page_names_the_agreement_its_purposes_and_what_was_sent(parts: Parts) -> None:
    text = _get(parts, "/network/register").text
    assert "Cooperation of the coast" in text
    assert "Port security" in text
    assert "In force" in text
    assert "1 sent, 0 received" in text


def test_it_is_exported_as_csv_and_json(parts: Parts) -> None:
    answer = _get(parts, "/network/register.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "Cooperation of the coast" in answer.text
    (entry,) = _get(parts, "/api/network/register").json()["register"]
    assert (entry["title"], entry["state"], entry["purposes"][0]) == (
        "Cooperation of the coast",
        "in-force",
        "analysis",
    )


def test_it_is_for_those_who_answer_for_data_protection(parts: Parts) -> None:
    assert _get(parts, "/network/register", Role.OPERATOR).status_code == 403


def test_an_agreement_that_was_ended_stays_in_the_register(parts: Parts) -> None:
    arranging.end_agreement(parts.peers.site, parts.peers.book, "Cooperation of the coast")
    assert "Ended early by this organisation" in _get(parts, "/network/register").text


def test_who_left_who_was_sent_away_and_who_must_sign_is_told_so(parts: Parts) -> None:
    site = parts.peers.site
    deciding.name_officers(site, parts.peers.book, ["Ostend", "Ghent"], 2)
    assert notices(parts.peers.network(), site.party.node_id, site.clock()) == []
    (told,) = notices(parts.peers.network(), IDS["Ghent"], site.clock())
    assert (told.word, told.values) == ("sharing.notice.waiting", {"n": 1}), "who shall be an officer signs too"
    (proposed,) = parts.peers.network().pending
    service.load_documents(site, parts.peers.book, [documents.cosign(proposed.document, KEYS["Ghent"])])
    leaving.leave(site, parts.peers.book)
    assert [each.word for each in notices(parts.peers.network(), site.party.node_id, site.clock())] == [
        "sharing.notice.left"
    ]
    away = build([*FOUNDED, revoked("Ostend", "Antwerp")], FOUNDERS)
    (told,) = notices(away, IDS["Ostend"], NOW)
    assert (told.word, told.values["by"]) == ("sharing.notice.ended", "Antwerp")
    marks = build(FOUNDED, FOUNDERS).marks
    stale = build([*FOUNDED, root(1, None, "AGZ", 2, "AG", marks, expires=NOW), member("Liege", "Antwerp")], FOUNDERS)
    assert [each.word for each in notices(stale, IDS["Ghent"], NOW)] == [
        "sharing.notice.stale",
        "sharing.notice.waiting",
    ]
