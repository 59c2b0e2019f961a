"""What an attacker can put on a link: changed bytes, another's signature, and members who lie in their own name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.chaos import canary
from port2port.chaos.labels import handling_of
from port2port.chaos.ledger import Offer
from port2port.chaos.oracle import Label
from port2port.sharing import wire
from port2port.sharing.entry import SALT_BYTES, Cursor, Entry, Header, Op, commitment, follow, sign
from port2port.sharing.envelope import Envelope
from port2port.sharing.lane import Class, Lane, audience_of
from port2port.sharing.wire import PageLine, entries_of

LIES = ("other-label", "other-origin", "unmarked", "not-for-you", "too-old", "offence")


def change_content(page: PageLine, random: Random) -> bytes | None:
    """The page with other words in its first body; None when it has no body."""
    for at, part in enumerate(page.entries):
        if part.body is not None and canary.found_in(part.body):
            forged = msgspec.structs.replace(part, body=_reworded(part.body, random))
            entries = [*page.entries[:at], forged, *page.entries[at + 1 :]]
            return wire.encode(msgspec.structs.replace(page, entries=entries))
    return None


def sign_as_another(page: PageLine, before: Cursor, key: Ed25519PrivateKey, random: Random) -> bytes | None:
    """The page with other words, numbered, hashed and chained as it should be, and signed by somebody else."""
    entries, checkpoint = entries_of(page)
    if not any(canary.found_in(each.body or b"") for each in entries) or any(each.body is None for each in entries):
        return None
    at, made = before, []
    for each in entries:
        body, salt = _reworded(each.body or b"", random), each.salt or bytes(SALT_BYTES)
        header = replace(each.header, commitment=commitment(salt, body))
        at = follow(at, header)
        made.append(Entry(header, salt, body))
    return wire.encode(wire.page_line(made, sign(key, checkpoint.lane, at, checkpoint.ts_ms)))


def lie(kind: str, label: Label, reader: str, key: Ed25519PrivateKey, ts_ms: int, random: Random) -> list[bytes]:
    """A member's own connection, made for this lie alone: its opening, and one entry that must not be believed."""
    label = replace(label, readers=frozenset({f"{random.getrandbits(64):016x}@{reader}"}))
    said, opened = _lying_labels(kind, label)
    lane = Lane(label.origin, audience_of(handling_of(opened)), Class.NORMAL, epoch=1)
    name = f"lie-{random.getrandbits(64):016x}"
    content = json.dumps({"id": name, "note": canary.make(label.tlp, label.origin, random)}).encode()
    origin = reader if kind == "other-origin" else label.origin
    handling = None if kind == "unmarked" else handling_of(said)
    envelope = Envelope(
        origin=origin, kind="incident", object_id=name, version=1, handling=handling, object=msgspec.Raw(content)
    )
    body, salt = msgspec.json.encode(envelope), random.randbytes(SALT_BYTES)
    header = Header(lane.id, 1, Op.PUT, ts_ms, commitment(salt, body))
    checkpoint = sign(key, lane.id, follow(Cursor(), header), ts_ms)
    return [wire.encode(wire.lane_line(lane, 1)), wire.encode(wire.page_line([Entry(header, salt, body)], checkpoint))]


@dataclass(frozen=True)
class Forked:
    """Two histories of one connection, both signed by its origin; each holds one object under number 1."""

    lane: bytes
    offers: tuple[Offer, Offer]
    lines: tuple[list[bytes], list[bytes]]


def two_histories(label: Label, key: Ed25519PrivateKey, ts_ms: int, random: Random) -> Forked:
    """What a member signs who tells one neighbour this and another one that."""
    label = replace(label, readers=frozenset({f"{random.getrandbits(64):016x}@fork"}))
    lane = Lane(label.origin, audience_of(handling_of(label)), Class.NORMAL)
    one, other = (_said(lane, label, key, ts_ms, random) for _ in range(2))
    return Forked(lane.id, (one[0], other[0]), (one[1], other[1]))


def _said(lane: Lane, label: Label, key: Ed25519PrivateKey, ts_ms: int, random: Random) -> tuple[Offer, list[bytes]]:
    name, word = f"fork-{random.getrandbits(64):016x}", canary.make(label.tlp, label.origin, random)
    content = json.dumps({"id": name, "note": word}).encode()
    envelope = Envelope(
        origin=label.origin,
        kind="incident",
        object_id=name,
        version=1,
        handling=handling_of(label),
        object=msgspec.Raw(content),
    )
    body, salt = msgspec.json.encode(envelope), random.randbytes(SALT_BYTES)
    header = Header(lane.id, 1, Op.PUT, ts_ms, commitment(salt, body))
    checkpoint = sign(key, lane.id, follow(Cursor(), header), ts_ms)
    lines = [wire.encode(wire.lane_line(lane, 1)), wire.encode(wire.page_line([Entry(header, salt, body)], checkpoint))]
    return Offer((label.origin, name, 1), label, word, hashlib.sha256(content).hexdigest()), lines


def _lying_labels(kind: str, label: Label) -> tuple[Label, Label]:
    """What the entry says, and what the connection in which it comes is said to be for."""
    if kind == "other-label":
        return replace(label, scope="all-members", tlp="TLP:CLEAR"), label
    changed = {
        "not-for-you": replace(label, scope="nodes", nodes=frozenset({label.origin})),
        "too-old": replace(label, retain_until_s=0.0),
        "offence": replace(label, compartment="A", data="offence-related"),
    }.get(kind, label)
    return changed, changed


def _reworded(body: bytes, random: Random) -> bytes:
    for word in canary.found_in(body):
        forged = word[:-24] + f"{random.getrandbits(96):024x}"
        body = body.replace(word.encode(), forged.encode())
    return body
