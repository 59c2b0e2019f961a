"""A feed that we read: quarantine under its name, only what changed, and no harm from what it says."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import uuid
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as http
from click.testing import CliRunner
from misp_kit import bundle, incident, indicator, offer

from port2port.capability import Site
from port2port.core.errors import BadInput, DecodeError, NotFound, Unavailable
from port2port.core.handling import named_nodes
from port2port.sharing.book import Book
from port2port.sharing.misp import limits, tables
from port2port.sharing.misp.choice import Choice
from port2port.sharing.misp.cli import misp
from port2port.sharing.misp.export import export
from port2port.sharing.misp.sources import source_of
from port2port.sharing.misp.taking_in import TakenIn, forget_feed, take_in

FEED = "partner"
ONE = "0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0001"


class Feed:
    """Somebody's feed directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = {}

    def put(self, event: str = ONE, timestamp: int = 1_770_000_000, **changes: Any) -> None:
        content: dict[str, Any] = {
            "uuid": event,
            "info": "Phishing against terminals",
            "date": "2026-02-01",
            "timestamp": str(timestamp),
            "published": True,
            "analysis": "2",
            "threat_level_id": "2",
            "Orgc": {"name": "Some CERT", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
            "Tag": [{"name": "tlp:amber", "colour": "#ff0000"}],
            "distribution": "3",
            "SharingGroup": {"name": "everyone"},
            "Attribute": [
                {
                    "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event} 1")),
                    "type": "domain",
                    "category": "Network activity",
                    "value": "bad.example",
                    "to_ids": True,
                    "timestamp": str(timestamp),
                }
            ],
        }
        self.write(event, json.dumps({"Event": content | changes}).encode(), timestamp)

    def write(self, event: str, data: bytes, timestamp: int = 1) -> None:
        self.manifest[event] = {"timestamp": str(timestamp), "info": "…"}
        (self.folder / f"{event}.json").write_bytes(data)
        self.index()

    def drop(self, event: str) -> None:
        del self.manifest[event]
        (self.folder / f"{event}.json").unlink()
        self.index()

    def index(self) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(self.manifest))


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    folder = tmp_path / "feed"
    folder.mkdir()
    made = Feed(folder)
    made.index()
    return made


def read(here: Site, source: object) -> TakenIn:
    return asyncio.run(take_in(here, FEED, source_of(str(source))))


def states(here: Site) -> dict[str, str]:
    with here.store.reading() as view:
        return {row.event: row.state for row in tables.arrived(view, FEED)}


def body(here: Site, event: str = ONE) -> bytes | None:
    with here.store.reading() as view:
        row = tables.find_arrived(view, FEED, event)
        return view.body(row.body_id, row.version) if row else None


def test_an_event_stands_in_quarantine_under_the_name_of_its_feed(here: Site, feed: Feed) -> None:
    feed.put()
    assert read(here, feed.folder).fetched == 1
    with here.store.reading() as view:
        (row,) = tables.arrived(view)
    assert (row.feed, row.event, row.state, row.tlp) == (FEED, ONE, "quarantined", "tlp:amber")
    assert (row.info, row.organisation) == ("Phishing against terminals", "Some CERT")
    assert body(here) == (feed.folder / f"{ONE}.json").read_bytes()


def test_only_what_changed_is_read_again(here: Site, feed: Feed) -> None:
    feed.put(ONE)
    other = str(uuid.uuid4())
    feed.put(other)
    read(here, feed.folder)
    (feed.folder / f"{ONE}.json").write_bytes(b"never read: its stamp is the same")
    feed.put(other, 1_770_000_001, info="Changed")
    done = read(here, feed.folder)
    assert (done.fetched, done.unchanged, done.refused.total()) == (1, 1, 0)


def test_what_the_feed_no_longer_has_is_forgotten_here(here: Site, feed: Feed) -> None:
    feed.put()
    read(here, feed.folder)
    feed.drop(ONE)
    assert read(here, feed.folder).gone == 1
    assert states(here) == {}
    assert body(here) is None


def test_after_ninety_days_the_content_goes_and_is_not_fetched_again(here: Site, feed: Feed) -> None:
    feed.put()
    read(here, feed.folder)
    here.clock.step(timedelta(days=limits.KEEP_DAYS))  # type: ignore[attr-defined]
    assert read(here, feed.folder).gone == 1
    assert (states(here), body(here)) == ({ONE: "over"}, None)
    assert read(here, feed.folder) == TakenIn(unchanged=1)


def test_what_came_in_is_never_in_what_goes_out(here: Site, feed: Feed, tmp_path: Path) -> None:
    feed.put(Tag=[{"name": "tlp:clear"}])
    read(here, feed.folder)
    done = export(here, Book(), tmp_path / "out", Choice(for_ourselves=True))
    assert (done.written, dict(done.held_back)) == (0, {})
    assert here.store.read(0, 10, ["ObjectOffered"]) == []


def test_our_own_events_are_known_when_they_come_back(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), indicator(1, "[url:value = 'https://bad.example/']")))
    export(here, Book(), tmp_path / "out", Choice())
    done = read(here, tmp_path / "out")
    assert (done.fetched, dict(done.refused)) == (0, {"our-own": 1})
    assert set(states(here).values()) == {"our-own"}


HOSTILE = {
    "no JSON": (b"\x00\xff\xfe", "bad-event"),
    "half of one": (b'{"Event": {"uuid": "', "bad-event"),
    "another shape": (b'[{"Event": []}]', "bad-event"),
    "a nest": (b'{"Event": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "bad-event"),
    "brackets": (b"[" * 1_000_000, "bad-event"),
    "a number beyond any year": (b'{"Event": {"timestamp": 1e400}}', "bad-event"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_event_is_refused_alone(here: Site, feed: Feed, name: str) -> None:
    data, reason = HOSTILE[name]
    bad = str(uuid.uuid4())
    feed.write(bad, data)
    feed.put()
    done = read(here, feed.folder)
    assert (done.fetched, dict(done.refused)) == (1, {reason: 1})
    assert states(here) == {ONE: "quarantined", bad: reason}
    assert here.counters.get(f"sharing.misp.refused.{reason}") == 1
    assert read(here, feed.folder).refused.total() == 0, "what is bad is not fetched again until it changes"


def test_an_event_that_is_too_large_is_refused(here: Site, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EVENT_BYTES", 1_000)
    feed.put(info="x" * 1_000)
    assert dict(read(here, feed.folder).refused) == {"too-large": 1}


def test_an_event_with_too_many_tags_is_refused(here: Site, feed: Feed) -> None:
    feed.put(Tag=[{"name": f"a:{number}"} for number in range(limits.MAX_TAGS + 1)])
    assert dict(read(here, feed.folder).refused) == {"bad-event": 1}


def test_an_event_that_names_another_is_refused(here: Site, feed: Feed) -> None:
    feed.put(uuid=str(uuid.uuid4()))
    assert dict(read(here, feed.folder).refused) == {"wrong-uuid": 1}


def test_an_event_that_is_not_there_is_asked_for_again(here: Site, feed: Feed) -> None:
    feed.put()
    os.rename(feed.folder / f"{ONE}.json", feed.folder / "away")
    assert dict(read(here, feed.folder).refused) == {"not-there": 1}
    os.rename(feed.folder / "away", feed.folder / f"{ONE}.json")
    assert read(here, feed.folder).fetched == 1


def test_names_in_a_manifest_are_uuids_and_lead_nowhere_else(here: Site, feed: Feed) -> None:
    feed.manifest |= {"../../secret": {"timestamp": "1"}, ONE.upper(): {"timestamp": "1"}, "x": 7}
    feed.manifest[str(uuid.uuid4())] = {"timestamp": "-5"}
    feed.put()
    done = read(here, feed.folder)
    assert (done.fetched, dict(done.refused)) == (1, {"bad-manifest-entry": 4})


def test_a_link_out_of_the_folder_or_a_pipe_is_not_followed(here: Site, feed: Feed, tmp_path: Path) -> None:
    feed.put()
    path = feed.folder / f"{ONE}.json"
    os.rename(path, tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(Unavailable):
        read(here, feed.folder)
    path.unlink()
    os.mkfifo(path)
    assert dict(read(here, feed.folder).refused) == {"bad-event": 1}


def test_no_manifest_no_feed(here: Site, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read(here, tmp_path / "absent")
    with pytest.raises(NotFound):
        read(here, tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(DecodeError):
        read(here, tmp_path)


def test_a_run_takes_so_many_and_the_next_goes_on(here: Site, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EVENTS_A_RUN", 2)
    for number in range(5):
        feed.put(str(uuid.uuid4()), 1_770_000_000 + number)
    assert [read(here, feed.folder).fetched for _ in range(4)] == [2, 2, 1, 0]


def test_forgetting_a_feed_leaves_nothing(here: Site, feed: Feed) -> None:
    feed.put()
    read(here, feed.folder)
    assert forget_feed(here, FEED) == 1
    assert (states(here), body(here)) == ({}, None)


@pytest.mark.parametrize("text", ["http://feed.example/", "ftp://x/", "file:///etc", "https://a:b@feed.example/"])
def test_what_is_neither_a_folder_nor_https_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        source_of(text)


async def _served(here: Site, handle: Any, asked: list[str]) -> TakenIn:
    async def answer(request: http.Request) -> http.StreamResponse:
        asked.append(request.path)
        return await handle(request)  # type: ignore[no-any-return]

    app = http.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = http.AppRunner(app)
    await runner.setup()
    site = http.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        return await take_in(here, FEED, source_of(f"http://127.0.0.1:{port}/feed"))
    finally:
        await runner.cleanup()


def _file(feed: Feed) -> Any:
    async def handle(request: http.Request) -> http.StreamResponse:
        return http.FileResponse(feed.folder / request.path.rpartition("/")[2])

    return handle


def test_over_the_web_too_only_what_changed_is_asked_for(here: Site, feed: Feed) -> None:
    feed.put()
    asked: list[str] = []
    assert asyncio.run(_served(here, _file(feed), asked)).fetched == 1
    assert asyncio.run(_served(here, _file(feed), asked)).unchanged == 1
    assert asked == ["/feed/manifest.json", f"/feed/{ONE}.json", "/feed/manifest.json"]


def test_an_answer_without_end_is_cut_off(here: Site, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EVENT_BYTES", 100_000)
    feed.put()

    async def handle(request: http.Request) -> http.StreamResponse:
        if request.path.endswith("manifest.json"):
            return http.FileResponse(feed.folder / "manifest.json")
        answer = http.StreamResponse()
        await answer.prepare(request)
        while not request.transport.is_closing():  # type: ignore[union-attr]
            await answer.write(b" " * 65_536)
        return answer

    assert dict(asyncio.run(_served(here, handle, [])).refused) == {"too-large": 1}


def test_an_answer_that_unfolds_without_end_is_cut_off(here: Site, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_EVENT_BYTES", 100_000)
    feed.put()
    packed = gzip.compress(b" " * 50_000_000)

    async def handle(request: http.Request) -> http.StreamResponse:
        if request.path.endswith("manifest.json"):
            return http.FileResponse(feed.folder / "manifest.json")
        return http.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert dict(asyncio.run(_served(here, handle, [])).refused) == {"too-large": 1}


def test_a_redirect_is_not_followed(here: Site) -> None:
    async def handle(request: http.Request) -> http.StreamResponse:
        raise http.HTTPFound("http://127.0.0.1:1/manifest.json")

    with pytest.raises(Unavailable, match="302"):
        asyncio.run(_served(here, handle, []))


class _Opener:
    """What a command gets."""

    def __init__(self, here: Site) -> None:
        self._here = here

    def open_site(self) -> Any:
        return nullcontext(self._here)


@pytest.fixture
def command(here: Site) -> Any:
    def call(*arguments: object) -> str:
        result = CliRunner().invoke(misp, [str(each) for each in arguments], obj=_Opener(here), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_the_commands_say_what_they_did(here: Site, feed: Feed, command: Any, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    offer(here, "two", bundle(incident(2)), audience=named_nodes("f" * 64))
    assert command("export", tmp_path / "out") == (
        "1 written, 0 unchanged, 0 taken out.\nNot in the folder: 1 not-for-all-members.\n"
    )
    feed.put()
    assert command("import", feed.folder) == "feed: 1 fetched, 0 unchanged, 0 dropped.\n"
    assert "Phishing against terminals" in command("list")
    shown = json.loads(command("show", "feed", ONE))
    assert "[domain-name:value = 'bad.example']" in [each.get("pattern") for each in shown["objects"]]
    assert command("forget", "feed") == "1 event of feed dropped.\n"
    assert command("list") == "Nothing came from a feed yet.\n"
