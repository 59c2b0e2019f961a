"""The verb `import`: bring quarantine to what a feed says now.

The manifest is read first and only what changed is fetched; how far we are stands with the data, event by event,
so a run that breaks off is taken up where it was. Nothing of it is shared on: quarantine has no label, and what has
no label is released to nobody.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

from port2port.capability import Site
from port2port.core.errors import BadInput, DecodeError, NotFound
from port2port.sharing.misp import limits, tables
from port2port.sharing.misp.core_format import Event, decode_event
from port2port.sharing.misp.facts import FeedRead
from port2port.sharing.misp.manifests import decode_manifest
from port2port.sharing.misp.sources import Source
from port2port.sharing.misp.tables import Arrived
from port2port.sharing.misp.tags import read_tags, tag_name

QUARANTINED = "quarantined"
MANIFEST = "manifest.json"


@dataclass
class TakenIn:
    """What one run did."""

    fetched: int = 0
    unchanged: int = 0
    gone: int = 0
    """Dropped here because the feed has them no longer, or for too long."""
    left_for_next_run: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def require_name(feed: str) -> str:
    """The name under which a feed's events stand in quarantine. Raises `BadInput`."""
    if not 1 <= len(feed) <= limits.MAX_FEED_CHARS or not feed.isprintable() or feed != feed.strip():
        raise BadInput(f"A feed has a name of 1 to {limits.MAX_FEED_CHARS} characters.", hint="Give it with --name.")
    return feed


async def take_in(site: Site, feed: str, source: Source) -> TakenIn:
    """Fetch what changed. Raises `DecodeError` when there is no manifest, `NotFound`, `Unavailable`."""
    require_name(feed)
    async with source:
        listed, unreadable = decode_manifest(await source.read(MANIFEST, limits.MAX_MANIFEST_BYTES))
        with site.store.reading() as view:
            known = {row.event: row for row in tables.arrived(view, feed)}
        done = TakenIn()
        _refuse(site, done, "bad-manifest-entry", unreadable)
        wanted = sorted(((at, event) for event, at in listed.items() if _is_news(known.get(event), at)))
        done.unchanged = len(listed) - len(wanted)
        done.left_for_next_run = max(0, len(wanted) - limits.MAX_EVENTS_A_RUN)
        for at, event in wanted[: limits.MAX_EVENTS_A_RUN]:
            await _fetch(site, done, source, feed, event, at)
    _drop(site, done, [row for event, row in known.items() if event not in listed])
    _empty(site, done, [row for event, row in known.items() if listed.get(event) == row.timestamp])
    _record(site, feed, done)
    return done


def _record(site: Site, feed: str, done: TakenIn) -> None:
    if done.fetched or done.refused or done.gone:
        fact = FeedRead(at=site.clock(), feed=feed, fetched=done.fetched, refused=dict(done.refused), gone=done.gone)
        with site.store.transaction() as tx:
            tx.append(fact)


def _is_news(known: Arrived | None, timestamp: int) -> bool:
    """Another stamp than last time is news, an older one too: a feed may have been restored."""
    return known is None or known.timestamp != timestamp or known.state == "not-there"


async def _fetch(site: Site, done: TakenIn, source: Source, feed: str, event: str, at: int) -> None:
    """One event, on its own: what is wrong with it stops no other."""
    try:
        data = await source.read(f"{event}.json", limits.MAX_EVENT_BYTES)
        read = decode_event(data)
        if str(read.uuid) != event:
            raise DecodeError("An event has another uuid than its file.", reason="wrong-uuid")
    except (DecodeError, NotFound) as error:
        reason = error.reason if isinstance(error, DecodeError) else "not-there"
        _refuse(site, done, reason)
        _keep(site, feed, event, at, reason, None, b"")
        return
    if _keep(site, feed, event, at, QUARANTINED, read, data):
        done.fetched += 1
    else:
        _refuse(site, done, "our-own")


def _keep(site: Site, feed: str, event: str, at: int, state: str, read: Event | None, data: bytes) -> bool:
    """Bytes, row and cursor in one transaction; False when the event is one that we wrote ourselves."""
    with site.store.transaction() as tx:
        if tables.is_ours(tx, event):
            state, read = "our-own", None
        known = tables.find_arrived(tx, feed, event)
        version = known.version + 1 if known else 1
        body_id = f"misp:{feed}:{event}"
        if known:
            tx.forget_bodies([(body_id, known.version)])
        if read is not None:
            tx.put_body(body_id, version, data)
        tlp = read_tags(tag.name for tag in read.tags)[0] if read else None
        tables.save_arrived(
            tx,
            Arrived(
                feed=feed,
                event=event,
                timestamp=at,
                info=_line(read.info) if read else "",
                organisation=_line(read.orgc.name) if read else "",
                tlp=tag_name(tlp) if tlp else "",
                state=state,
                body_id=body_id,
                version=version,
                at=site.clock(),
            ),
        )
    return state != "our-own"


def _line(text: str) -> str:
    """One line that a terminal can show."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)[:200]


def _empty(site: Site, done: TakenIn, rows: list[Arrived]) -> None:
    """Forget the content of what we have had for too long; the row stays, or it would be fetched again."""
    oldest = site.clock() - timedelta(days=limits.KEEP_DAYS)
    over = [row for row in rows if row.state == QUARANTINED and row.at <= oldest]
    if over:
        with site.store.transaction() as tx:
            tx.forget_bodies([(row.body_id, row.version) for row in over])
            for row in over:
                tables.save_arrived(tx, replace(row, state="over", info="", organisation=""))
    done.gone += len(over)


def _drop(site: Site, done: TakenIn, rows: list[Arrived]) -> None:
    """Forget what the feed no longer has."""
    if not rows:
        return
    with site.store.transaction() as tx:
        tx.forget_bodies([(row.body_id, row.version) for row in rows])
        for row in rows:
            tables.drop_arrived(tx, row.feed, row.event)
    done.gone += len(rows)


def forget_feed(site: Site, feed: str) -> int:
    """Drop all that came from a feed; answers how many events."""
    with site.store.reading() as view:
        rows = tables.arrived(view, feed)
    done = TakenIn()
    _drop(site, done, rows)
    return done.gone


def _refuse(site: Site, done: TakenIn, reason: str, count: int = 1) -> None:
    if count:
        done.refused[reason] += count
        site.counters.add(f"sharing.misp.refused.{reason}", count)
