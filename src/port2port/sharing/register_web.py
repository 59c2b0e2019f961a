"""The page of the register of processing, and the same as CSV and JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.response import Template
from sqlalchemy import func, select

from port2port.core.party import Role
from port2port.sharing import tables
from port2port.sharing.entry import Op
from port2port.sharing.lane import NETWORK, Lane, handling_of
from port2port.sharing.peers import Peers
from port2port.sharing.register import Processing, Use, as_csv, register
from port2port.store import Reading
from port2port.web import allow, page

READERS = (Role.SECURITY_OFFICER, Role.ANALYST, Role.ADMINISTRATOR)


def uses(view: Reading) -> list[Use]:
    """How many objects stand under each label, ours and others'."""
    lanes, entries = tables.lanes.c, tables.entries.c
    counted = (
        select(
            lanes.origin,
            lanes.audience,
            lanes.urgency,
            lanes.own,
            func.count(entries.object_id.distinct()).label("objects"),
            func.max(entries.retain_until).label("kept_until"),
        )
        .join_from(tables.lanes, tables.entries, entries.lane == lanes.id)
        .where(lanes.audience != NETWORK, entries.op == int(Op.PUT), entries.verdict.in_(("own", tables.ACCEPTED)))
        .group_by(lanes.id, lanes.origin, lanes.audience, lanes.urgency, lanes.own)
    )
    return [
        Use(
            handling=handling_of(Lane(row.origin, row.audience, row.urgency)),
            own=bool(row.own),
            objects=row.objects,
            kept_until=row.kept_until,
        )
        for row in view.execute(counted)
    ]


def routes(peers: Peers) -> list[Any]:
    """The route handlers, bound to one node."""

    def read() -> list[Processing]:
        site = peers.site
        with site.store.reading() as view:
            return register(peers.book.network(view), site.party.node_id, uses(view), site.clock())

    @get("/network/register", guards=[allow(*READERS)], sync_to_thread=True)
    def show_register() -> Template:
        return page("sharing/register.html", entries=read(), now=peers.site.clock())

    @get("/network/register.csv", guards=[allow(*READERS)], sync_to_thread=True)
    def export_register() -> Response[str]:
        headers = {"Content-Disposition": 'attachment; filename="register-of-processing.csv"'}
        return Response(as_csv(read()), media_type="text/csv; charset=utf-8", headers=headers)

    @get("/api/network/register", guards=[allow(*READERS)], sync_to_thread=True)
    def api_register() -> dict[str, Any]:
        return {"register": read()}

    return [show_register, export_register, api_register]
