"""Planted bugs. Each is one thing that a programmer might get wrong; the harness must notice every one.

A zero in the figures is worth something only beside this list. Each entry says which bug it is, and puts it into the
running product for as long as a `with` block lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from port2port.core import handling
from port2port.core.exchange import ObjectArrived
from port2port.core.handling import Reason, Released, Scope, all_members
from port2port.sharing import (
    ack_tables,
    arriving,
    book,
    entry,
    forgetting,
    heads,
    lane,
    outlet,
    roster,
    sequencer,
    tables,
    verify,
)
from port2port.sharing.entry import Cursor, Entry
from port2port.sharing.intake import Applied, Intake
from port2port.sharing.wire import entries_of
from port2port.store.keys import Keys
from port2port.store.sqlite.views import SqliteTransaction

Planting = Callable[[ExitStack], None]


@dataclass(frozen=True)
class Mutant:
    """A bug by name."""

    name: str
    says: str
    plant: Planting

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The bug is in the product until the block ends."""
        with ExitStack() as stack:
            self.plant(stack)
            yield


def _patch(stack: ExitStack, owner: Any, name: str, new: Any) -> None:
    stack.enter_context(patch.object(owner, name, new))


def _released(*_: object) -> Released:
    return Released("planted")


def _no_check_when_sending(stack: ExitStack) -> None:
    _patch(stack, outlet, "may_release", _released)


def _no_check_when_receiving(stack: ExitStack) -> None:
    _patch(stack, verify, "may_release", _released)


def _no_check_when_numbering(stack: ExitStack) -> None:
    _patch(stack, sequencer, "may_release", _released)


def _confirmation_skipped(stack: ExitStack) -> None:
    _patch(stack, ack_tables, "save_ack", lambda *_: None)


def _number_reused(stack: ExitStack) -> None:
    """The head of a connection of ours stays where it was, so the next entry gets the same number."""
    move = tables.move_lane

    def move_others_only(tx: Any, checkpoint: Any) -> None:
        row = tables.find_lane(tx, checkpoint.lane)
        if row is None or not row.own or checkpoint.sequence % 2:
            move(tx, checkpoint)

    _patch(stack, tables, "move_lane", move_others_only)


def _audience_widened_by_origin(stack: ExitStack) -> None:
    """Objects for some travel with those for all."""
    right = lane.lane_for

    def wide(label: Any, *classes: bool) -> Any:
        named = label.audience.scope is Scope.NODES
        return right(replace(label, audience=all_members()) if named else label, *classes)

    _patch(stack, sequencer, "lane_for", wide)


def _audience_widened_by_receiver(stack: ExitStack) -> None:
    def arrived(**fields: Any) -> ObjectArrived:
        label = replace(fields["handling"], audience=all_members())
        return ObjectArrived(**{**fields, "handling": label})

    _patch(stack, arriving, "ObjectArrived", arrived)


def _position_saved_before_data(stack: ExitStack) -> None:
    """Two transactions where there must be one: first how far we are, then what came."""

    def apply(self: Any, page: Any, origin: str) -> Any:
        entries, checkpoint = entries_of(page)
        site, known = self._site, self._book
        with site.store.reading() as view:
            row, network = tables.find_lane(view, checkpoint.lane), known.network(view)
            if row is None or row.own or row.stopped or not (keys := network.keys(origin)):
                return None
            followed = verify.follow_page(
                row.cursor, entries, checkpoint, keys, lambda at: tables.chain_at(view, checkpoint.lane, at), row.base
            )
        if isinstance(followed, verify.Broken) or not followed.entries:
            return None
        with site.store.transaction() as tx:
            tables.move_lane(tx, checkpoint)
        with site.store.transaction() as tx:
            arriving.Arriving(site, known, tx, row, network).take(followed)
        return Applied(row.lane.id, Cursor(checkpoint.sequence, checkpoint.chain))

    def apply_all(self: Any, peer: str, pages: Any, origin: str = "") -> list[Any]:
        return [apply(self, page, origin or peer) or right(self, peer, [page], origin)[0] for page in pages]

    right = Intake.apply_all
    _patch(stack, Intake, "apply_all", apply_all)


def _repeated_page_applied_again(stack: ExitStack) -> None:
    """What we have already is taken for new."""
    right = verify.follow_page

    def forgetful(cursor: Cursor, entries: Any, checkpoint: Any, keys: Any, chain_at: Any, base: int = 0) -> Any:
        first = entries[0].header.sequence
        before = cursor if first == cursor.sequence + 1 else Cursor(first - 1, chain_at(first - 1) or b"")
        return right(before, entries, checkpoint, keys, chain_at, base)

    _patch(stack, verify, "follow_page", forgetful)


def _foreign_signature_accepted(stack: ExitStack) -> None:
    _patch(stack, entry, "is_signed_by", lambda *_: True)


def _content_not_compared(stack: ExitStack) -> None:
    _patch(stack, Entry, "holds", lambda self: True)


def _other_origins_believed(stack: ExitStack) -> None:
    """A member may speak for another."""
    right = verify.judge_for

    def judge_for(*of: Any) -> Any:
        strict = right(*of)

        def credulous(envelope: Any, known: Any) -> Any:
            answer = strict(envelope, known)
            lied = isinstance(answer, verify.Refuse) and answer.reason in ("not-its-origin", "handling-differs")
            return verify.Accept() if lied and envelope.handling is not None else answer

        return credulous

    _patch(stack, verify, "judge_for", judge_for)


def _retention_forgotten(stack: ExitStack) -> None:
    """What may no longer be kept is sent with its content."""
    _patch(stack, outlet, "_expired", lambda each, *_: each)


def _unknown_group_is_everybody(stack: ExitStack) -> None:
    right = handling._members_meant

    def meant(audience: Any, known: Any) -> Any:
        answer = right(audience, known)
        return known.parties.keys() if answer is Reason.UNKNOWN_GROUP else answer

    _patch(stack, handling, "_members_meant", meant)


def _empty_group_is_everybody(stack: ExitStack) -> None:
    right = handling._members_meant

    def meant(audience: Any, known: Any) -> Any:
        return right(audience, known) or known.parties.keys()

    _patch(stack, handling, "_members_meant", meant)


def _agreement_never_ends(stack: ExitStack) -> None:
    right = handling._agreement_reason

    def reason(label: Any, recipient: str, at: Any, known: Any) -> Any:
        answer = right(label, recipient, at, known)
        return None if answer is Reason.AGREEMENT_NOT_VALID else answer

    _patch(stack, handling, "_agreement_reason", reason)


def _one_signature_is_enough(stack: ExitStack) -> None:
    right = handling._agreement_reason

    def reason(label: Any, recipient: str, at: Any, known: Any) -> Any:
        answer = right(label, recipient, at, known)
        return None if answer is Reason.NOT_PARTY_TO_AGREEMENT else answer

    _patch(stack, handling, "_agreement_reason", reason)


def _police_data_to_everybody(stack: ExitStack) -> None:
    _patch(stack, handling, "_compartment_reason", lambda *_: None)


def _red_without_readers(stack: ExitStack) -> None:
    _patch(stack, handling, "readers_at", lambda *_: frozenset({"anybody"}))


def _revoked_still_served(stack: ExitStack) -> None:
    _patch(stack, roster.Network, "is_member", lambda self, node: node in self.members)
    _patch(stack, handling, "_member_reason", lambda *_: None)


def _roster_read_once(stack: ExitStack) -> None:
    """Groups and members of the start are those for ever."""
    _patch(stack, book, "version", lambda view: (0, 0, b""))


def _waiting_forgotten(stack: ExitStack) -> None:
    """What came before the group or agreement that it cites is never looked at again."""
    _patch(stack, arriving, "settle_waiting", lambda *_: 0)


def _entry_left_out(stack: ExitStack) -> None:
    """The second entry of a page is passed over."""
    right = outlet._fill

    def fill(*of: Any) -> list[Entry]:
        entries = right(*of)
        return entries[:1] + entries[2:]

    _patch(stack, outlet, "_fill", fill)


def _recall_ignored(stack: ExitStack) -> None:
    _patch(stack, forgetting, "carry_out", lambda *_: 0)


def _receipt_before_removal(stack: ExitStack) -> None:
    """The recall is noted and confirmed, and nothing is removed."""
    _patch(stack, forgetting, "_drop", lambda *_: [])


def _body_kept(stack: ExitStack) -> None:
    """The rows that point to an object go, its content stays."""
    _patch(stack, SqliteTransaction, "forget_bodies", lambda self, keys: None)


def _key_kept(stack: ExitStack) -> None:
    """The row goes and the key stays: whoever has an older copy of the database reads it again."""
    _patch(stack, Keys, "destroy", lambda self, numbers: None)


def _nothing_expires(stack: ExitStack) -> None:
    _patch(stack, forgetting, "overdue", lambda *_: [])


def _fork_unnoticed(stack: ExitStack) -> None:
    """What members tell each other of a third one is not compared."""
    _patch(stack, heads, "compare", lambda *_: False)


ALL = (
    Mutant("no-check-when-sending", "the release rule is not asked when a peer reads", _no_check_when_sending),
    Mutant("no-check-when-receiving", "the receiver believes that the origin has asked", _no_check_when_receiving),
    Mutant("no-check-when-numbering", "everything is published, for everybody", _no_check_when_numbering),
    Mutant("confirmation-skipped", "confirmations are not stored", _confirmation_skipped),
    Mutant("number-reused", "two entries get one number", _number_reused),
    Mutant("audience-widened-by-origin", "named nodes become all members", _audience_widened_by_origin),
    Mutant(
        "audience-widened-by-receiver", "a stored label is wider than the signed one", _audience_widened_by_receiver
    ),
    Mutant("position-saved-before-data", "a crash in between loses what came", _position_saved_before_data),
    Mutant("repeated-page-applied-again", "duplicates are not noticed", _repeated_page_applied_again),
    Mutant("foreign-signature-accepted", "anybody's signature will do", _foreign_signature_accepted),
    Mutant("content-not-compared", "a body need not be what was committed to", _content_not_compared),
    Mutant("other-origins-believed", "a member may speak for another, or relabel", _other_origins_believed),
    Mutant("retention-forgotten", "what is too old is still sent", _retention_forgotten),
    Mutant("unknown-group-is-everybody", "a group that is not known releases", _unknown_group_is_everybody),
    Mutant("empty-group-is-everybody", "an empty group, or nobody named, releases", _empty_group_is_everybody),
    Mutant("agreement-never-ends", "an expired agreement releases", _agreement_never_ends),
    Mutant("one-signature-is-enough", "an agreement binds who did not sign", _one_signature_is_enough),
    Mutant("police-data-to-everybody", "the police side is not kept apart", _police_data_to_everybody),
    Mutant("red-without-readers", "TLP:RED without anybody named", _red_without_readers),
    Mutant("revoked-still-served", "a revoked member goes on reading", _revoked_still_served),
    Mutant("roster-read-once", "changes of the network are not seen until a restart", _roster_read_once),
    Mutant("waiting-forgotten", "what waits for a paper waits for ever", _waiting_forgotten),
    Mutant("entry-left-out", "an entry of a page is passed over", _entry_left_out),
    Mutant("recall-ignored", "what was taken back stays", _recall_ignored),
    Mutant("receipt-before-removal", "a receipt is given, and everything is still there", _receipt_before_removal),
    Mutant("body-kept", "the content of what was taken back stays readable", _body_kept),
    Mutant("key-kept", "an older copy of the database can still be read after an erasure", _key_kept),
    Mutant("nothing-expires", "what may no longer be kept stays where it is", _nothing_expires),
    Mutant("fork-unnoticed", "two signed histories of one connection are believed", _fork_unnoticed),
)
