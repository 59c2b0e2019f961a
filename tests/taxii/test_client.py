"""Our client against servers of others: medallion, ourselves, and scripted ones that page in every wrong way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner
from taxii_kit import MovedClock, Node, a_node, indicator

from port2port.core.errors import BadInput
from port2port.sharing import capability
from port2port.sharing.taxii import client, page, polling, tables
from port2port.sharing.taxii.client import Ended, check_url
from port2port.sharing.taxii.facts import TaxiiPolled
from port2port.sharing.taxii.filters import Filters
from port2port.sharing.taxii.media import TAXII
from port2port.sharing.taxii.polling import Poller, Result
from port2port.sharing.taxii.tables import Kind
from port2port.testing import site as make_site

Answer = Callable[[web.Request], "web.Response | Awaitable[web.Response]"]
STAMP = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def envelope(
    objects: Sequence[Any], dates: Sequence[datetime] = (), headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    given = dict(headers or {})
    if dates:
        given |= {"X-TAXII-Date-Added-First": stamp(dates[0]), "X-TAXII-Date-Added-Last": stamp(dates[-1])}
    return web.Response(
        body=json.dumps({**more, **({"objects": list(objects)} if objects else {})}),
        headers={"Content-Type": TAXII, **given},
    )


@dataclass
class Shelf:
    """What a scripted server holds, and how it behaves."""

    count: int = 25
    page: int = 10
    by_next: bool = True
    inclusive: bool = False
    alike: bool = False
    cut_to_ms: bool = False
    dates: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)

    def date(self, number: int) -> datetime:
        return STAMP if self.alike else STAMP + timedelta(microseconds=700 * number)

    def answer(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.asked.append(query)
        numbers = list(range(self.count))
        if "added_after" in query:
            after = datetime.fromisoformat(query["added_after"])
            if self.cut_to_ms:
                after = after.replace(microsecond=after.microsecond // 1000 * 1000)
            numbers = [n for n in numbers if self.date(n) > after or (self.inclusive and self.date(n) == after)]
        start = int(query.get("next", "0"))
        size = min(int(query["limit"]), 10 * self.page if int(query["limit"]) > 1_000 else self.page)
        some, more = numbers[start : start + size], len(numbers) > start + size
        told = {"next": str(start + size)} if more and self.by_next else {}
        dates = [self.date(n) for n in some] if self.dates else []
        return envelope([indicator(n) for n in some], dates, more=more, **told)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Any]:
    made = make_site(tmp_path, capabilities=[capability], clock=MovedClock())
    yield made
    made.store.close()


def poll(place: Any, answer: Answer, times: int = 1) -> list[Result]:
    """Poll a scripted server; every request to it is answered by `answer`."""

    async def handler(request: web.Request) -> web.StreamResponse:
        found = answer(request)
        return found if isinstance(found, web.StreamResponse) else await found

    async def run() -> list[Result]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        async with asyncio.timeout(30), TestServer(app) as server:
            poller = Poller(place, place.folder / "taxii.netrc", timedelta(days=9))
            url = str(server.make_url("/root/collections/one/"))
            return [await poller.poll(url) for _ in range(times)]

    return asyncio.run(run())


def stored(place: Any) -> list[str]:
    """Names of all objects in quarantine from polled servers."""
    with place.store.reading() as view:
        found = []
        for each in tables.all_of(view, Kind.POLLED):
            rows = page.read(view, each.number, Filters(limit=10_000)).rows
            pieces = page.contents(view, rows)
            assert pieces is not None
            found += json.loads(b"[" + b",".join(pieces) + b"]")
    return [each["name"] for each in found]


def names(count: int) -> list[str]:
    return [indicator(number)["name"] for number in range(count)]


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("by_next", [True, False])
@pytest.mark.parametrize("cut_to_ms", [False, True])
def test_however_a_server_pages_all_comes_once_and_later_only_what_is_new(
    place: Any, inclusive: bool, by_next: bool, cut_to_ms: bool
) -> None:
    shelf = Shelf(by_next=by_next, inclusive=inclusive, cut_to_ms=cut_to_ms)
    first, again = poll(place, shelf.answer, times=2)
    assert (first.taken, first.problem) == (25, "")
    assert again.taken == 0
    assert stored(place) == names(25)
    shelf.count, shelf.asked = 40, []
    (more,) = poll_at_same_address(place, shelf)
    assert more.taken == 15
    assert stored(place) == names(40)


def poll_at_same_address(place: Any, shelf: Shelf) -> list[Result]:
    """The port of a test server differs each time: the cursor is carried over to the new address."""
    with place.store.transaction() as tx:
        ((url, cursor),) = [(row.url, polling.cursor_of(tx, row.url)) for row in tx.execute(polling.sources.select())]

    async def run() -> list[Result]:
        app = web.Application()

        async def handler(request: web.Request) -> web.StreamResponse:
            return shelf.answer(request)

        app.router.add_route("*", "/{path:.*}", handler)
        async with asyncio.timeout(30), TestServer(app, port=client.check_url(url).port or 0) as server:
            assert str(server.make_url("/root/collections/one/")) == url
            return [await Poller(place, place.folder / "none", timedelta(days=9)).poll(url)]

    assert cursor.added_after_us > 0
    return asyncio.run(run())


def test_the_next_poll_asks_from_where_the_last_ended(place: Any) -> None:
    shelf = Shelf()
    poll(place, shelf.answer)
    assert "added_after" not in shelf.asked[0]
    shelf.asked.clear()
    poll_at_same_address(place, shelf)
    asked = datetime.fromisoformat(shelf.asked[0]["added_after"])
    assert timedelta() < shelf.date(24) - asked <= timedelta(milliseconds=1)


def test_filters_are_kept_while_paging(place: Any) -> None:
    shelf = Shelf()
    poll(place, shelf.answer)
    shelf.count, shelf.asked = 60, []
    poll_at_same_address(place, shelf)
    assert len({each["added_after"] for each in shelf.asked if "next" in each}) == 1


@pytest.mark.parametrize("by_next", [True, False])
def test_a_server_that_stamps_all_alike_is_read_whole(place: Any, by_next: bool) -> None:
    (result,) = poll(place, Shelf(count=60, alike=True, by_next=by_next, inclusive=True).answer)
    assert (result.taken, result.problem) == (60, "")


def test_what_cannot_be_gone_on_from_is_said_and_nothing_is_lost(place: Any) -> None:
    """More objects under one stamp than the largest page, and no `next`."""
    results = poll(place, Shelf(count=500, alike=True, by_next=False, inclusive=True).answer, times=2)
    assert all(each.problem in (Ended.REPEATS, Ended.NO_WAY_ON) for each in results)
    assert stored(place) == names(100)


def test_a_server_that_sends_the_same_page_again_and_again_is_left(place: Any) -> None:
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.query_string)
        return envelope([indicator(1)], [STAMP], more=True, next=f"token{len(asked)}")

    (result,) = poll(place, answer)
    assert (result.taken, result.problem) == (1, Ended.REPEATS)
    assert len(asked) == 2


def test_a_server_that_never_ends_is_left_after_so_many_pages(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 7)
    asked: list[int] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(len(asked))
        return envelope([indicator(asked[-1])], [STAMP + timedelta(seconds=asked[-1])], more=True, next=str(asked[-1]))

    first, second = poll(place, answer, times=2)
    assert (first.taken, first.problem) == (7, Ended.TOO_MUCH)
    assert second.taken == 7, "the next poll goes on"


def test_more_without_anything_is_an_end(place: Any) -> None:
    (result,) = poll(place, lambda request: envelope([], more=True, next="x"))
    assert (result.taken, result.problem) == (0, Ended.NO_WAY_ON)


def test_no_more_is_believed_even_with_a_next(place: Any) -> None:
    (result,) = poll(place, lambda request: envelope([indicator(1)], [STAMP], more=False, next="x"))
    assert (result.taken, result.problem) == (1, "")


@pytest.mark.parametrize("header", ["", "soon", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z"])
def test_a_stamp_that_cannot_be_right_moves_no_cursor(place: Any, header: str) -> None:
    headers = {"X-TAXII-Date-Added-Last": header, "X-TAXII-Date-Added-First": header, "Content-Type": "text/plain"}
    first, second = poll(place, lambda request: envelope([indicator(1)], headers=headers), times=2)
    assert (first.taken, second.taken, second.known) == (1, 0, 1)
    with place.store.reading() as view:
        (row,) = view.execute(polling.sources.select())
        assert row.added_after_us < 0


def test_an_empty_page_moves_no_cursor(place: Any) -> None:
    far = STAMP + timedelta(days=200)
    poll(place, lambda request: envelope([], [far]))
    with place.store.reading() as view:
        (row,) = view.execute(polling.sources.select())
        assert row.added_after_us == -1


def test_a_busy_server_is_waited_for_and_then_left(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def quick(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(client.asyncio, "sleep", quick)
    told = ["7", "Thu, 01 Jan 1970 00:00:00 GMT", "x"]

    def answer(request: web.Request) -> web.Response:
        if told:
            return web.Response(status=429, headers={"Retry-After": told.pop(0)})
        return envelope([indicator(1)], [STAMP])

    (result,) = poll(place, answer)
    assert (result.taken, result.problem) == (1, "")
    assert [each for each in slept if each] == [7.0, client.USUAL_WAIT_S]
    (later,) = poll(place, lambda request: web.Response(status=503, headers={"Retry-After": "86400"}))
    assert later.problem == Ended.BUSY


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: web.Response(status=500),
        lambda request: web.Response(status=401),
        lambda request: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        lambda request: web.Response(body=b"<html>"),
        lambda request: web.Response(body=b'{"objects": 5}'),
        lambda request: web.Response(body=b"[" * 100_000),
        lambda request: web.Response(body=b"\xff\xfe"),
        lambda request: web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_what_is_no_answer_is_said_and_changes_nothing(place: Any, answer: Answer) -> None:
    (result,) = poll(place, answer)
    assert result.problem
    assert stored(place) == []
    assert place.counters.get("sharing.failed.taxii-poll") == 1


def test_a_page_without_end_is_cut_off(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_PAGE_BYTES", 1 << 20)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65_536)
        except ConnectionError:
            return response

    (result,) = poll(place, answer)  # type: ignore[arg-type]
    assert "larger" in result.problem


def test_a_server_that_is_not_there_is_said(place: Any) -> None:
    poller = Poller(place, place.folder / "none", timedelta(days=9))
    assert "cannot be reached" in asyncio.run(poller.poll("http://127.0.0.1:1/root/collections/one/")).problem


def test_poison_is_counted_and_the_rest_is_kept(place: Any) -> None:
    objects = [indicator(0), {"type": "poison"}, 5, indicator(1)]
    (result,) = poll(place, lambda request: envelope(objects, [STAMP]))
    assert (result.taken, result.refused) == (2, 2)
    assert stored(place) == names(2)
    (fact,) = (each.fact for each in place.store.read(0, 99, {TaxiiPolled.kind()}))
    assert isinstance(fact, TaxiiPolled)
    assert (fact.taken, fact.refused) == (2, 2)
    assert fact.source.endswith("/root/collections/one/")


def test_the_password_comes_from_the_file_and_goes_to_its_host_only(place: Any) -> None:
    (place.folder / "taxii.netrc").write_text("machine 127.0.0.1 login siem password secret\n")
    seen: list[str] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return envelope([])

    poll(place, answer)
    assert seen == ["Basic c2llbTpzZWNyZXQ="]
    other = client.check_url("https://other.example/root/collections/one/")
    assert polling.authorization_for(place.folder / "taxii.netrc", other) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "ftp://x/",
        "http://example.com/c/",
        "https://",
        "https://x/?a=b",
        "file:///etc/passwd",
        "https://[",
    ],
)
def test_only_a_collection_over_tls_can_be_polled(text: str) -> None:
    with pytest.raises(BadInput):
        check_url(text)


def test_a_command_polls_what_the_settings_name_and_nothing_else(tmp_path: Path) -> None:
    from port2port.opener import DataFolder
    from port2port.sharing.taxii.cli import taxii

    (tmp_path / "port2port.toml").write_text(
        '[sharing]\ntaxii_sources = ["http://127.0.0.1:1/root/collections/one/"]\n', encoding="utf-8"
    )
    run = CliRunner().invoke
    refused = run(taxii, ["poll", "http://127.0.0.1:2/"], obj=DataFolder(tmp_path))
    assert isinstance(refused.exception, BadInput)
    polled = run(taxii, ["poll"], obj=DataFolder(tmp_path))
    assert "0 new" in polled.output
    made = run(taxii, ["add", "siem", "--write", "--max-tlp", "amber"], obj=DataFolder(tmp_path))
    assert len(made.stdout.strip()) >= 32
    listed = run(taxii, ["list"], obj=DataFolder(tmp_path))
    assert "read and hand in" in listed.output
    assert "TLP:AMBER" in run(taxii, ["list", "--json"], obj=DataFolder(tmp_path)).output
    assert "no longer known" in run(taxii, ["remove", "siem"], obj=DataFolder(tmp_path)).output


def test_we_read_from_ourselves(node: Node) -> None:
    node.arrives([indicator(number) for number in range(2_500)])
    siem = node.account("siem")
    with a_node() as reader:
        folder = reader.site.folder
        poller = Poller(reader.site, folder / "none", timedelta(days=9))
        polling_as = pytest.MonkeyPatch()
        said = httpx.BasicAuth(siem.name, siem.password)._auth_header
        polling_as.setattr(polling, "authorization_for", lambda *_: said)
        url = f"{node.url}node/collections/{siem.get('node/collections/all/').json()['id']}/"
        results = [asyncio.run(poller.poll(url)) for _ in range(2)]
        polling_as.undo()
        assert [(each.taken, each.problem) for each in results] == [(2_500, ""), (0, "")]
        assert stored(reader.site) == names(2_500)


@contextmanager
def medallion(objects: int) -> Iterator[str]:
    """medallion 3.0.0 with its store in memory, in a thread."""
    from medallion import application_instance, register_blueprints, set_config
    from werkzeug.serving import make_server

    dates = [stamp(STAMP + timedelta(milliseconds=number)) for number in range(objects)]
    collection = {
        "id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116",
        "title": "One",
        "can_read": True,
        "can_write": True,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": [indicator(number) for number in range(objects)],
        "manifest": [
            {
                "id": indicator(number)["id"],
                "date_added": dates[number],
                "version": indicator(number)["modified"],
                "media_type": "application/stix+json;version=2.1",
            }
            for number in range(objects)
        ],
    }
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
    set_config(application_instance, "users", {"users": {"siem": "secret"}})
    set_config(application_instance, "taxii", {"taxii": {"max_page_size": 20}})
    set_config(application_instance, "backend", {"backend": backend})
    application_instance.medallion_backend.data = {
        "/discovery": {"title": "medallion"},
        "root": {"information": {"title": "One"}, "status": [], "collections": [collection]},
    }
    if not application_instance.blueprints:
        register_blueprints(application_instance)
    server = make_server("127.0.0.1", 0, application_instance, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/root/collections/{collection['id']}/"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.mark.filterwarnings("ignore")
def test_we_read_from_medallion(place: Any) -> None:
    (place.folder / "taxii.netrc").write_text("machine 127.0.0.1 login siem password secret\n")
    with medallion(50) as url:
        poller = Poller(place, place.folder / "taxii.netrc", timedelta(days=9))
        results = [asyncio.run(poller.poll(url)) for _ in range(2)]
    assert [(each.taken, each.problem) for each in results] == [(50, ""), (0, "")]
    assert stored(place) == names(50)
