"""What the network page says above everything else: that we are out, that signatures are missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from port2port.sharing.documents import RootText
from port2port.sharing.roster import Network
from port2port.sharing.standing import Proposal


@dataclass(frozen=True)
class Notice:
    """One sentence: a word key with its values."""

    word: str
    values: dict[str, object] = field(default_factory=dict)


def notices(network: Network, me: str, now: datetime) -> list[Notice]:
    """All that holds for the node `me` at `now`, most pressing first."""
    found = []
    ended = network.ended.get(me)
    if ended is not None:
        day = f"{ended.at:%Y-%m-%d}"
        if ended.by == me:
            found.append(Notice("sharing.notice.left", {"day": day}))
        else:
            found.append(Notice("sharing.notice.ended", {"day": day, "by": network.name(ended.by)}))
    elif me in network.members and not network.keys(me):
        found.append(Notice("sharing.notice.two-keys"))
    if network.root.is_stale(now):
        found.append(Notice("sharing.notice.stale"))
    waiting = [each for each in network.pending if me not in each.signed_by and _may_sign(each, me, network)]
    if waiting:
        found.append(Notice("sharing.notice.waiting", {"n": len(waiting)}))
    return found


def _may_sign(proposal: Proposal, me: str, network: Network) -> bool:
    """Officers sign, and who shall become one."""
    text = proposal.text
    named = isinstance(text, RootText) and me in (each.node_id for each in text.officers)
    return named or network.is_officer(me)
