"""Which collections an account has, at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from port2port.sharing.lane import Class, Lane
from port2port.sharing.roster import Network
from port2port.sharing.taxii import tables
from port2port.sharing.taxii.model import Account, lane_uuid, may_read_lane, own_uuid, title_of
from port2port.sharing.taxii.tables import Collection, Kind
from port2port.store import Reading

ALL_ALIAS, INBOX_ALIAS = "all", "inbox"
_LANES = "SELECT id, origin, audience, urgency, epoch FROM sharing_lane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A collection as one account sees it (section 5.2)."""

    id: str
    title: str
    description: str
    kind: Kind
    owner: str
    alias: str = ""
    can_read: bool = True
    can_write: bool = False
    lane: Collection | None = None


def readable_lanes(
    view: Reading, account: Account, network: Network, me: str, now: datetime
) -> list[tuple[Collection, Lane]]:
    """The lanes that the account may read and that hold something, by number."""
    if not account.may_read:
        return []
    lanes = {row[0].hex(): Lane(row[1], row[2], Class(row[3]), row[4]) for row in view.rows(_LANES)}
    return [
        (each, lanes[each.owner])
        for each in tables.all_of(view, Kind.LANE)
        if each.owner in lanes
        and may_read_lane(account, lanes[each.owner], network, me, now)
        and tables.holds_objects(view, each.number)
    ]


def offers(view: Reading, account: Account, network: Network, me: str, now: datetime) -> list[Offer]:
    """All collections of the account, in an order that follows from them alone."""
    lanes = [
        Offer(
            id=lane_uuid(lane.id),
            title=title_of(lane, network),
            description="Objects with one label, in the order in which this node got them.",
            kind=Kind.LANE,
            owner=collection.owner,
            lane=collection,
        )
        for collection, lane in readable_lanes(view, account, network, me, now)
    ]
    return [*own_offers(account, me), *sorted(lanes, key=attrgetter("id"))]


def own_offers(account: Account, me: str) -> list[Offer]:
    """The collections that are there for this account alone."""
    found = []
    if account.may_read:
        found.append(
            Offer(
                id=own_uuid(me, account.name, ALL_ALIAS),
                title="All that this account may read",
                description="The objects of all other collections, each once.",
                kind=Kind.MERGED,
                owner=account.name,
                alias=ALL_ALIAS,
            )
        )
    if account.may_write:
        found.append(
            Offer(
                id=own_uuid(me, account.name, INBOX_ALIAS),
                title="Inbox",
                description="Hand in objects here. They wait until a person at this node has looked at them.",
                kind=Kind.INBOX,
                owner=account.name,
                alias=INBOX_ALIAS,
                can_read=account.may_read,
                can_write=True,
            )
        )
    return found
