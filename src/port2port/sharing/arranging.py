"""Verbs about sharing groups and cooperation agreements. One transaction each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from port2port.capability import Site
from port2port.core.errors import Conflict, NotAllowed, NotFound
from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose
from port2port.sharing import book, documents
from port2port.sharing.announcing import announced_address, require_inviter, sign_and_announce
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_group
from port2port.sharing.documents import AgreementText, EndingText, GroupText, Kind, LeavingText
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings
from port2port.store import Reading

MAX_ANSWERS = 300
"""Leavings that one text of a group can answer. An owner with more makes a new group."""


def accede(site: Site, known: Book, agreement_id: str) -> None:
    """Sign an agreement of the network in the name of this organisation, and tell every member. Raises `NotFound`."""
    me, now = site.party.node_id, site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        agreement_id = find_agreement(network, agreement_id).id
        if me in network.endings.get(agreement_id, {}):
            raise Conflict("This organisation has ended it.", hint="Make a new agreement.")
        paper = next(
            each
            for each in book.all_documents(tx)
            if isinstance(text := documents.read(each), AgreementText) and text.id == agreement_id
        )
        sign_and_announce(site, known, tx, paper.bare(), now)


def agree(site: Site, settings: SharingSettings, known: Book, title: str, days: int) -> str:
    """Open a cooperation agreement about things and places, never persons, to every member; answers its id.

    The one who invites begins a network with it; who joins is asked to sign. Raises `NotAllowed`.
    """
    now = site.clock()
    agreement = Agreement(
        id=site.new_id(),
        title=title,
        parties=frozenset({site.party.node_id}),
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now,
        ends=now + timedelta(days=days),
    )
    with site.store.transaction() as tx:
        if not known.network(tx).is_member(site.party.node_id):
            require_inviter(site, known, tx, announced_address(settings), now)
        document = make_agreement(agreement, site.identity, open_to_all=True)
        sign_and_announce(site, known, tx, document, now)
    return agreement.id


def make_up_group(site: Site, known: Book, name: str, members: Sequence[str]) -> str:
    """A sharing group of ours with these members, by name; answers its id. Raises `NotFound`."""
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        ids = _ids(network, members)
        group = Group(
            id=site.new_id(), name=name, owner=site.party.node_id, members=frozenset(ids | {site.party.node_id})
        )
        sign_and_announce(site, known, tx, make_group(group, now, site.identity), now)
    return group.id


def add_to_group(site: Site, known: Book, name: str, members: Sequence[str]) -> Group:
    """More members for a group of ours. Raises `NotFound`, `NotAllowed`."""
    return _change_group(site, known, name, add=members)


def remove_from_group(site: Site, known: Book, name: str, members: Sequence[str]) -> Group:
    """Fewer members for a group of ours: what is shared from now on is out of their reach."""
    return _change_group(site, known, name, remove=members)


def _change_group(site: Site, known: Book, name: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Group:
    me = site.party.node_id
    with site.store.transaction() as tx:
        network = known.network(tx)
        group = find_group(network, name)
        if group.owner != me:
            raise NotAllowed(f"{group.name} belongs to {network.name(group.owner)}.", hint="Ask its owner.")
        gone = _ids(network, remove)
        if me in gone:
            raise Conflict("The owner stays in its group.")
        members = (group.members | _ids(network, add)) - gone
        epoch = group.epoch + bool(group.members - members)
        changed = Group(id=group.id, name=group.name, owner=me, members=members, epoch=epoch)
        newest, left = _newest_text(tx, group.id)
        now = max(site.clock(), newest + timedelta(microseconds=1))
        sign_and_announce(site, known, tx, make_group(changed, now, site.identity, left), now)
        return known.network(tx).roster.groups[group.id]


def leave_group(site: Site, known: Book, name: str) -> Group:
    """Be in a group no longer; its owner and everybody else is told. Raises `NotFound`, `Conflict`."""
    me, now = site.party.node_id, site.clock()
    with site.store.transaction() as tx:
        group = find_group(known.network(tx), name)
        if group.owner == me:
            raise Conflict("The owner stays in its group.")
        if me not in group.members:
            raise NotFound(f"This node is not in {group.name}.")
        text = LeavingText(id=site.new_id(), group=group.id, node_id=me, at=now)
        sign_and_announce(site, known, tx, documents.sign(Kind.LEAVING, text, site.identity), now)
    return group


def end_agreement(site: Site, known: Book, name: str) -> Agreement:
    """Be bound by an agreement no longer, from now on: nothing more is released to us or by us under it.

    It stays what it is for the others, and cannot be taken up again by us. Raises `NotFound`, `Conflict`.
    """
    me, now = site.party.node_id, site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        agreement = find_agreement(network, name)
        if me in network.endings.get(agreement.id, {}):
            raise Conflict("This organisation has ended it already.")
        if me not in agreement.parties:
            raise NotFound(f"This organisation has not signed {agreement.title}.")
        text = EndingText(agreement=agreement.id, node_id=me, at=now)
        sign_and_announce(site, known, tx, documents.sign(Kind.ENDING, text, site.identity), now)
    return agreement


def find_agreement(network: Network, name: str) -> Agreement:
    """An agreement by id, the beginning of its id, or title. Raises `NotFound`."""
    wanted = name.casefold()
    found = network.roster.agreements.values()
    fitting = [each for each in found if each.id.startswith(name) or each.title.casefold() == wanted]
    if len(fitting) != 1:
        raise NotFound(f"There is no agreement {name!r}, or more than one.", hint="See: port2port network agreements")
    return fitting[0]


def find_group(network: Network, name: str) -> Group:
    """A group by id or name. Raises `NotFound`."""
    wanted = name.casefold()
    fitting = [each for each in network.roster.groups.values() if wanted in (each.id, each.name.casefold())]
    if len(fitting) != 1:
        raise NotFound(f"There is no group {name!r}, or more than one.", hint="See: port2port network groups")
    return fitting[0]


def _ids(network: Network, names: Iterable[str]) -> frozenset[str]:
    found = {each: network.find(each) for each in names}
    unknown = [name for name, each in found.items() if each is None or not network.is_member(each.node_id)]
    if unknown:
        raise NotFound(f"There is no member {unknown[0]!r}.", hint="See: port2port network show")
    return frozenset(each.node_id for each in found.values() if each is not None)


def _newest_text(view: Reading, group: str) -> tuple[datetime, list[str]]:
    """When the owner last spoke of the group, and the leavings that we know of."""
    texts = [documents.read(each) for each in book.all_documents(view)]
    spoken = max(each.valid_from for each in texts if isinstance(each, GroupText) and each.id == group)
    left = {each.id for each in texts if isinstance(each, LeavingText) and each.group == group}
    return spoken, sorted(left)[:MAX_ANSWERS]
