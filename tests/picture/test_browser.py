"""The console in a real browser: ships move, alerts come and go, and nothing is loaded anew."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
import time
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
from devapp import Harbour

from port2port.core.alert import Priority
from port2port.core.party import Actor, Role
from port2port.core.place import Position
from port2port.picture import capability

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = capability.folder / "static" / "build" / "map.js"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
TRACK = "vessel:205000001"
WITHIN_MS = 15_000


@pytest.fixture(scope="module")
def harbour() -> Iterator[Harbour]:
    """A node on its own thread and loop."""
    if CHROMIUM is None or not BUILT.is_file():
        pytest.skip("needs Chromium and the built bundle: tools/setup test")
    made, ports, loop = Harbour(ships=20), Queue[int](), asyncio.new_event_loop()
    made.open()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(made.run(stop, ports.put, 1e6)), daemon=True)
    thread.start()
    made.port = ports.get(timeout=20)
    yield made
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    assert not thread.is_alive()
    loop.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(harbour: Harbour, chromium: Any) -> Any:
    """The cookies of an operator."""
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{harbour.port}/sign-in?next=/account")
    page.click("button[value=operator]")
    page.wait_for_url("**/account")
    cookies = page.context.storage_state()
    page.close()
    return cookies


@pytest.fixture
def console(harbour: Harbour, chromium: Any, signed_in: Any) -> Iterator[Any]:
    """The console of an operator; what the browser complains about is collected in `complaints`."""
    context = chromium.new_context(viewport={"width": 1000, "height": 600}, storage_state=signed_in)
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"http://127.0.0.1:{harbour.port}/map")
    until(page, "document.querySelector('#line').dataset.state === 'live'")
    page.evaluate("window.neverLoadedAnew = true")
    yield page
    assert page.evaluate("window.neverLoadedAnew")
    context.close()


def until(page: Any, condition: str) -> None:
    """Wait for a condition on the page. The page's policy forbids `eval`, so the waiting is done on this side."""
    deadline = time.monotonic() + WITHIN_MS / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"after {WITHIN_MS} ms still not: {condition}"
        page.wait_for_timeout(50)


def row(page: Any, alert_id: str) -> Any:
    return page.locator(f"[id='alert-{alert_id}']")


def test_ships_move_without_a_reload(harbour: Harbour, console: Any) -> None:
    where = f"window.port2portChart.placeOf('{TRACK}')"
    until(console, f"Boolean(window.port2portChart && {where})")
    harbour.fleet.change(TRACK, position=Position(51.5, 2.5), speed_mps=0.0, seen_at=harbour.site.clock())
    until(console, f"Math.abs({where}[1] - 51.5) < 1e-4 && Math.abs({where}[0] - 2.5) < 1e-4")
    until(console, "document.querySelector('p2p-rail').glassMs !== null")


def test_a_ship_that_is_gone_leaves_the_map(harbour: Harbour, console: Any) -> None:
    gone = "vessel:205000019"
    until(console, f"Boolean(window.port2portChart?.placeOf('{gone}'))")
    harbour.fleet.lose(gone)
    until(console, f"window.port2portChart.placeOf('{gone}') === undefined")


def test_an_alert_arrives_and_two_keys_acknowledge_it(harbour: Harbour, console: Any) -> None:
    alert_id = harbour.raise_alert(3, Priority.URGENT)
    row(console, alert_id).wait_for()
    assert "Urgent" in console.locator("#announce").inner_text()
    console.keyboard.press("j")
    console.locator("p2p-detail .sentence").first.wait_for()
    console.keyboard.press("a")
    console.wait_for_selector(f"[id='alert-{alert_id}'].is-acknowledged")
    assert harbour.running.answers["alerts"].get(alert_id).acknowledged_by


def test_no_row_moves_under_the_pointer(harbour: Harbour, console: Any) -> None:
    first = harbour.raise_alert(4, Priority.LOW)
    row(console, first).hover()
    before = row(console, first).bounding_box()
    worse = harbour.raise_alert(5, Priority.HIGH)
    console.get_by_role("button", name=re.compile("1 new")).wait_for()
    assert row(console, first).bounding_box() == before
    assert row(console, worse).count() == 0
    console.mouse.move(800, 400)
    row(console, worse).wait_for()


def test_what_one_person_closes_is_closed_for_everybody(harbour: Harbour, console: Any) -> None:
    alert_id = harbour.raise_alert(6, Priority.HIGH)
    row(console, alert_id).wait_for()
    harbour.running.answers["alerts"].close(alert_id, Actor("an", Role.OPERATOR), "picture.cause.false")
    row(console, alert_id).wait_for(state="detached")


def test_the_back_button_closes_the_detail(harbour: Harbour, console: Any) -> None:
    row(console, harbour.raise_alert(7, Priority.MEDIUM)).click()
    console.locator("p2p-detail .fragment .detail").wait_for()
    assert "?alert=" in console.url
    console.go_back()
    console.locator("p2p-detail").wait_for(state="hidden")


def test_the_detail_belongs_to_the_alert_however_fast_the_keys_go(harbour: Harbour, console: Any) -> None:
    for number in (8, 9, 10):
        row(console, harbour.raise_alert(number, Priority.HIGH)).wait_for()
    for _ in range(3):
        console.keyboard.press("j")
    chosen = console.evaluate("document.querySelector('p2p-detail').alert.subject").removeprefix("vessel:")
    until(console, f"document.querySelector('p2p-detail .fragment').textContent.includes('{chosen}')")
    console.wait_for_timeout(300)  # what comes late must not replace it
    assert chosen in console.locator("p2p-detail .fragment").inner_text()


def test_a_ship_is_found_by_name(harbour: Harbour, console: Any) -> None:
    until(console, "Boolean(window.port2portChart?.placeOf('vessel:205000002'))")
    console.keyboard.press("Control+k")
    console.keyboard.type("curious")
    console.get_by_role("option", name=re.compile("CURIOUS PUFFIN")).first.wait_for()
    console.keyboard.press("Enter")
    console.locator("p2p-detail h2", has_text="CURIOUS PUFFIN").wait_for()


def test_every_palette_draws_without_a_complaint(console: Any) -> None:
    for theme in ("dusk", "night", "bright", "day"):
        console.evaluate("(theme) => { document.documentElement.dataset.obcTheme = theme; }", theme)
        until(console, "window.port2portChart?.map.isStyleLoaded() === true")
        until(console, "window.port2portChart.map.getLayer('movers') !== undefined")
    assert console.complaints == []


def test_the_bundle_stays_within_its_budget() -> None:
    if not BUILT.is_file():
        pytest.skip("the bundle is not built: tools/setup test")
    folders = (BUILT.parent, capability.folder.parent / "web" / "static" / "build")
    packed = [path.stat().st_size for folder in folders for path in folder.glob("*.gz")]
    assert len(packed) == 5
    assert sum(packed) <= 700_000
    assert not [path for folder in folders for path in folder.glob("*.map")]
