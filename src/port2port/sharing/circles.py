"""Sharing groups and cooperation agreements, as their owners and parties have signed them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime

from port2port.core.handling import Agreement, Group
from port2port.sharing.documents import AgreementText, EndingText, GroupText, LeavingText
from port2port.sharing.key_log import KeyLog
from port2port.sharing.papers import Papers


def groups(papers: Papers, log: KeyLog, present: Set[str]) -> dict[str, Group]:
    """The newest word of the owner, less those who have left since.

    An id that two owners claim is nobody's: else one could take over a group.
    """
    newest: dict[str, GroupText] = {}
    claims: dict[str, set[str]] = {}
    for paper, each in sorted(papers.of(GroupText), key=lambda pair: (pair[1].epoch, pair[1].valid_from, pair[0].mark)):
        if paper.is_signed_by(each.owner, *log.ever(each.owner)):
            newest[each.id] = each
            claims.setdefault(each.id, set()).add(each.owner)
    return {
        each.id: _group(each, _left(each, papers, log), present)
        for each in newest.values()
        if claims[each.id] == {each.owner} and each.owner in present
    }


def _group(text: GroupText, left: Set[str], present: Set[str]) -> Group:
    return Group(
        id=text.id,
        name=text.name,
        owner=text.owner,
        members=(frozenset(text.members) & present) - left,
        epoch=text.epoch + len(left),
    )


def _left(text: GroupText, papers: Papers, log: KeyLog) -> frozenset[str]:
    """Who has left, as far as the owner's newest word does not answer it."""
    return frozenset(
        each.node_id
        for paper, each in papers.of(LeavingText)
        if each.group == text.id
        and each.id not in text.answers
        and each.node_id in text.members
        and paper.is_signed_by(each.node_id, *log.ever(each.node_id))
    )


def agreements(
    papers: Papers, log: KeyLog, members: Set[str]
) -> tuple[dict[str, Agreement], dict[str, Mapping[str, datetime]]]:
    """The agreements by id, and who has ended which early, and when.

    Signatures under the same text add up; who has ended it is a party no longer. Two texts under one id are none:
    nobody may choose between them.
    """
    endings = _endings(papers, log)
    by_id: dict[str, list[tuple[AgreementText, frozenset[str]]]] = {}
    for paper, text in papers.of(AgreementText):
        allowed = set(text.parties) & members if text.parties else members
        signed = frozenset(node for node in paper.names() & allowed if paper.is_signed_by(node, *log.ever(node)))
        if signed:
            by_id.setdefault(text.id, []).append((text, signed))
    found = {
        id: agreement_of(texts[0][0], texts[0][1] - endings.get(id, {}).keys())
        for id, texts in by_id.items()
        if len(texts) == 1
    }
    return found, {id: ended for id, ended in endings.items() if id in found}


def _endings(papers: Papers, log: KeyLog) -> dict[str, Mapping[str, datetime]]:
    found: dict[str, dict[str, datetime]] = {}
    for paper, each in papers.of(EndingText):
        if paper.is_signed_by(each.node_id, *log.ever(each.node_id)):
            ended = found.setdefault(each.agreement, {})
            ended[each.node_id] = min(each.at, ended.get(each.node_id, each.at))
    return dict(found)


def agreement_of(text: AgreementText, parties: frozenset[str]) -> Agreement:
    """The agreement as the release rule reads it, with those who have signed."""
    return Agreement(
        id=text.id,
        title=text.title,
        parties=parties,
        purposes=frozenset(text.purposes),
        legal_basis=frozenset(text.legal_basis),
        personal_data=frozenset(text.personal_data),
        starts=text.starts,
        ends=text.ends,
    )
