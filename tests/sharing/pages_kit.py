"""A node with partners in the memory store, to look at its pages; partners confirm and refuse as a test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port import web
from port2port.core.exchange import ObjectOffered
from port2port.core.handling import (
    Agreement,
    Audience,
    Handling,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
)
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import ack_tables, capability, envelope, recall, receipts, service, tables, wire
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_statement
from port2port.sharing.calls import PeerRequest
from port2port.sharing.entry import Cursor, Entry, Header, commitment, follow, sign
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.intake import Intake
from port2port.sharing.lane import lane_for
from port2port.sharing.recall import Receipts, ReceiptText
from port2port.sharing.running import assemble
from port2port.sharing.settings import SharingSettings
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site

FOLDER = Path(capability.folder)
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")) for name in ("Ghent", "Liège")}
IDS = {name: node_id(public_bytes(key)) for name, key in KEYS.items()}


class FakeTitles:
    """Answers the ask `titles`."""

    def titles(self, keys: Any) -> dict[tuple[str, str], tuple[str, str]]:
        return {(kind, each): (f"Fence {each}", f"/incidents/{each}") for kind, each in keys}


class Harbour:
    """One node, its parts, and what its partners do."""

    def __init__(self) -> None:
        self.site = make_site(
            capabilities=[capability], facts=web.FACTS, seed=1, answers={"titles": FakeTitles()}, demonstration=True
        )
        now = self.site.clock()
        me = replace(self.site.party, roles=frozenset({AuthorityRole.INVITES}))
        papers = [make_statement(me, public_bytes(self.site.identity), "127.0.0.1:1", now, self.site.identity)]
        for name, key in KEYS.items():
            party = Party(node_id=IDS[name], name=f"Port of {name}", short_name=name, compartment=Compartment.A)
            papers.append(make_statement(party, public_bytes(key), "127.0.0.1:2", now, self.site.identity))
        papers.append(make_agreement(_agreement(now), self.site.identity, *KEYS.values(), open_to_all=True))
        service.load_documents(self.site, Book(), papers)
        self.parts = assemble(self.site, SharingSettings())
        self._read = 0

    @property
    def statuses(self) -> Any:
        return self.parts.peers.statuses

    def share(
        self,
        object_id: str,
        audience: Audience | None = None,
        tlp: Tlp = Tlp.GREEN,
        version: int = 1,
        pap: Pap = Pap.GREEN,
    ) -> None:
        """A person shared it, and it stands ready."""
        label = replace(self.label(self.site.party.node_id, audience or all_members(), tlp), pap=pap)
        with self.site.store.transaction() as tx:
            tx.put_body(object_id, version, b"{}")
            tx.append(
                ObjectOffered(
                    at=self.site.clock(),
                    object_kind="incident",
                    object_id=object_id,
                    version=version,
                    handling=label,
                    urgent=False,
                    account="system",
                )
            )
        self.work()

    def work(self) -> None:
        """Let the reader deal with what was recorded, as the node's thread does."""
        page = self.site.store.read(self._read, 500, {ObjectOffered.kind(), RecallOrdered.kind()})
        self._read = self.site.store.head()
        with self.site.store.transaction() as tx:
            self.parts.sequencer.handle(tx, page)
            tx.move_cursor("sharing.sequence", self._read)

    def confirm(self, name: str, refused: dict[str, int] | None = None) -> None:
        """A partner has read everything of ours."""
        with self.site.store.transaction() as tx:
            for row in tables.own_lanes(tx):
                ack_tables.save_ack(tx, IDS[name], row.lane.id, row.cursor.sequence, refused or {}, self.site.clock())

    def confirm_taking_back(self, name: str) -> None:
        """A partner sends its receipts for everything that we took back."""
        from port2port.sharing import recall_tables

        with self.site.store.reading() as view:
            asked = [each for each in recall_tables.own_recalls(view) if IDS[name] in each.holders]
        now = self.site.clock()
        given = [
            recall.sign_receipt(
                ReceiptText(recall=each.id.hex(), by=IDS[name], done_at=now, removed=1, backups_until=now), KEYS[name]
            )
            for each in asked
        ]
        body = msgspec.json.encode(Receipts(given))
        answer = receipts.route(self.parts.peers).handle(IDS[name], PeerRequest(path_values={}, query={}, body=body))
        assert answer.status == 204

    def receive(self, name: str, object_id: str, label: Handling) -> None:
        """A partner's connection brings its first object."""
        lane, intake = lane_for(label, urgent=False), Intake(self.site, self.parts.peers.book)
        intake.meet(IDS[name], wire.lane_line(lane, 1))
        wrapped = envelope.Envelope(
            origin=IDS[name], kind="incident", object_id=object_id, version=1, handling=label, object=msgspec.Raw(b"{}")
        )
        body = envelope.encode(wrapped)
        header = Header(lane.id, 1, 1, 0, commitment(bytes(16), body))
        page = wire.page_line([Entry(header, bytes(16), body)], sign(KEYS[name], lane.id, follow(Cursor(), header), 0))
        intake.apply(IDS[name], page)

    def label(
        self, origin: str, audience: Audience, tlp: Tlp = Tlp.GREEN, readers: frozenset[str] = frozenset()
    ) -> Handling:
        return Handling(
            origin=origin,
            tlp=tlp,
            audience=audience,
            compartment=Compartment.A,
            legal_basis=LegalBasis.ISPS_CODE,
            purpose=Purpose.PORT_SECURITY,
            personal_data=PersonalData.NONE,
            retain_until=self.site.clock() + timedelta(days=9),
            agreement_id="agreement-1",
            readers=readers,
        )


def _agreement(now: Any) -> Agreement:
    return Agreement(
        id="agreement-1",
        title="North Sea agreement",
        parties=frozenset(),
        purposes=frozenset({Purpose.PORT_SECURITY}),
        legal_basis=frozenset({LegalBasis.ISPS_CODE}),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now,
        ends=now + timedelta(days=99),
    )
