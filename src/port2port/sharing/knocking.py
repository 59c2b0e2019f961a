"""Verbs about short codes: open one, and answer who knocks with it. One transaction each."""

from __future__ import annotations

from datetime import timedelta

from port2port.capability import Site
from port2port.core.errors import Conflict, DecodeError
from port2port.sharing import book, short_code
from port2port.sharing.announcing import announced_address, require_inviter
from port2port.sharing.book import Book, Invitation, OpenCode
from port2port.sharing.facts import CodeTried, MemberInvited
from port2port.sharing.invitation import Code
from port2port.sharing.settings import SharingSettings
from port2port.sharing.short_code import LETTERS, MAX_TRIES, Knock, ShortCode
from port2port.store import Transaction
from port2port.store.identity import public_bytes

EXCHANGED_LIFE = timedelta(minutes=30)
"""How long the one whose code was right has for the rest."""


def open_code(site: Site, settings: SharingSettings, known: Book, name: str = "", *, address: str = "") -> ShortCode:
    """A code to read over the phone, good for half an hour. Raises `NotAllowed`."""
    now = site.clock()
    with site.store.transaction() as tx:
        require_inviter(site, known, tx, address or announced_address(settings), now)
        code = short_code.make(_free_slot(site, tx))
        expires = now + short_code.LIFE
        book.add_code(tx, OpenCode(code, name, expires, 0))
        tx.append(MemberInvited(at=now, invitation=f"short.{code.slot}", name=name, expires=expires))
    return code


def _free_slot(site: Site, tx: Transaction) -> str:
    """The first place without an open code; what is over is forgotten here."""
    now = site.clock()
    found = book.codes(tx)
    book.forget_codes(tx, [each.code.slot for each in found if not each.is_open(now)])
    taken = {each.code.slot for each in found if each.is_open(now)}
    free = [each for each in LETTERS if each not in taken]
    if not free:
        raise Conflict(f"{len(LETTERS)} short codes are open.", hint="Wait until one is used or over: half an hour.")
    return free[0]


def answer_knock(site: Site, known: Book, data: bytes) -> bytes:
    """Spend one try of a code on who knocks. Raises `DecodeError`, and `Conflict` when no such code is open.

    The try is counted before anything is answered, and stays counted when the answer is never used.
    """
    knock = short_code.read_knock(data)
    now = site.clock()
    with site.store.transaction() as tx:
        found = next((each for each in book.codes(tx) if each.code.slot == knock.slot), None)
        if found is None or not found.is_open(now):
            raise Conflict("This code was used or has expired.")
        if not known.network(tx).may_invite(site.party.node_id):
            raise Conflict("This node may no longer invite.")
        book.count_try(tx, knock.slot)
        tx.append(CodeTried(at=now, name=found.name, tries_left=MAX_TRIES - found.tries - 1))
        answered = _answer(site, found, knock)
        if answered is not None:
            code = Code("", 0, answered[1], public_bytes(site.identity), site.party.node_id)
            expires = now + EXCHANGED_LIFE
            book.add_invitation(tx, Invitation(public_bytes(code.key()), found.name, expires, "", found.code.slot))
    if answered is None:
        raise DecodeError("A knock cannot be read.", reason="bad-knock")
    return answered[0]


def _answer(site: Site, found: OpenCode, knock: Knock) -> tuple[bytes, bytes] | None:
    try:
        return short_code.answer(found.code, knock, public_bytes(site.identity), site.party.node_id)
    except DecodeError:
        return None
