"""A node in a network of its own, with an agreement in force."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that the tests of this folder find misp_kit

from port2port import web
from port2port.capability import Site
from port2port.core.handling import Agreement, LegalBasis, PersonalData, Purpose
from port2port.core.party import AuthorityRole
from port2port.sharing import capability, service
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_statement
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site


def network_of_one() -> Site:
    """A node that is the first of a network, with an agreement that is open to all."""
    made = make_site(capabilities=[capability], facts=web.FACTS, seed=1)
    now = made.clock()
    me = replace(made.party, roles=frozenset({AuthorityRole.INVITES}))
    agreement = Agreement(
        id="agreement-1",
        title="Ports of the Scheldt",
        parties=frozenset({me.node_id}),
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now,
        ends=now + timedelta(days=365),
    )
    papers = [
        make_statement(me, public_bytes(made.identity), "127.0.0.1:1", now, made.identity),
        make_agreement(agreement, made.identity, open_to_all=True),
    ]
    service.load_documents(made, Book(), papers)
    return made


@pytest.fixture
def here() -> Iterator[Site]:
    made = network_of_one()
    yield made
    made.store.close()
