"""U7a in three real browser windows: a tanker goes adrift off Ostend, and the right people know within seconds."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from axe import violations
from network import running

from port2port.demo.processes import NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE_MS = 60_000
ARTEFACTS = Path(__file__).parents[2] / "artefacts"
THEMES = ("day", "dusk", "night", "bright")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, NodeProcess]]:
    if CHROMIUM is None:
        assert not os.environ.get("PORT2PORT_REQUIRE_SERVERS"), "Chromium is missing"
        pytest.skip("needs Chromium: tools/setup test")
    with running(tmp_path_factory.mktemp("network")) as started:
        yield started


@pytest.fixture(scope="module")
def windows(nodes: dict[str, NodeProcess]) -> Iterator[dict[str, Any]]:
    """An operator's window at each node; signed in by one click."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = {key: _signed_in(browser, node) for key, node in nodes.items()}
        yield opened
        for page in opened.values():
            assert page.complaints == []
        browser.close()


def _signed_in(browser: Any, node: NodeProcess) -> Any:
    page = browser.new_context(viewport={"width": 1600, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{node.web}/")
    page.click("button[value=operator]")
    page.wait_for_url("**/map*")
    page.wait_for_selector("#line[data-state=live]")
    return page


def until(page: Any, truth: str) -> None:
    """Look again until the expression is true in the page. (The page's own policy forbids `wait_for_function`.)"""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"never true: {truth}"
        page.wait_for_timeout(100)


def test_the_whole_journey(windows: dict[str, Any]) -> None:
    ostend, antwerp, brussels = windows["ostend"], windows["antwerp"], windows["brussels"]
    for page in windows.values():
        page.evaluate("window.neverLoadedAnew = true")
        assert "DEMONSTRATION DATA" in page.title()
        assert page.locator(".band-demonstration").count() == 2
    _vessels_move(ostend)
    _the_alert_arrives(ostend)
    assert [each for theme in reversed(THEMES) for each in violations(ostend, "an open alert", theme)] == []
    reference = _an_incident_is_made(ostend)
    _who_receives_it_stands_there_by_name(ostend)
    ostend.get_by_role("button", name=re.compile("Send to Port of Antwerp-Bruges")).click()
    ostend.get_by_text("TLP:AMBER").first.wait_for()
    _it_stands_in_the_neighbours_queue(antwerp, reference)
    _and_not_in_the_third(brussels)
    for page in windows.values():
        assert page.evaluate("window.neverLoadedAnew"), "without reloading"
    ARTEFACTS.mkdir(exist_ok=True)
    for key, page in windows.items():
        page.screenshot(path=ARTEFACTS / f"journey-{key}.png")


def _vessels_move(page: Any) -> None:
    """Some vessel that the map draws is reported somewhere else a little later."""
    until(page, "window.port2portChart !== undefined")
    page.evaluate(
        """async () => {
            const answer = await (await fetch('/api/vessels?limit=200')).json();
            window.under_way = answer.vessels.map((each) => each.id);
            window.was = Object.fromEntries(window.under_way.map((id) => [id, window.port2portChart.placeOf(id)]));
        }"""
    )
    until(
        page,
        """window.under_way.some((id) => {
            const [was, is] = [window.was[id], window.port2portChart.placeOf(id)];
            return was && is && Math.hypot(was[0] - is[0], was[1] - is[1]) > 1e-4;
        })""",
    )


def _the_alert_arrives(ostend: Any) -> None:
    row = ostend.locator(".q-row", has_text="Adrift").first
    row.wait_for()
    row.click()
    ostend.locator("p2p-detail .sentence").first.wait_for()


def _an_incident_is_made(ostend: Any) -> str:
    """In the same pane: nothing of the map or the queue goes away."""
    ostend.keyboard.press("i")
    ostend.locator("p2p-detail a.button[href$='/share']").wait_for()
    found = re.search(r"OST-\d{4}-\d{4}", ostend.locator("p2p-detail").inner_text())
    assert found, ostend.locator("p2p-detail").inner_text()
    return found.group()


def _who_receives_it_stands_there_by_name(ostend: Any) -> None:
    ostend.locator("p2p-detail a.button[href$='/share']").click()
    ostend.locator("input[value='group:coast']").check()
    ostend.locator("button[value=preview]").click()
    ostend.get_by_role("button", name=re.compile("Send to")).wait_for()
    not_sent = ostend.locator("ul.names").last.inner_text()
    assert "Port of Brussels" in not_sent, "with the reason why not"


def _it_stands_in_the_neighbours_queue(antwerp: Any, reference: str) -> None:
    row = antwerp.locator(".q-row", has_text="Ostend").first
    row.wait_for()
    assert "TLP:AMBER" in row.inner_text()
    row.click()
    antwerp.locator("p2p-detail .fragment").get_by_text(reference).first.wait_for()


def _and_not_in_the_third(brussels: Any) -> None:
    """Brussels is connected and live, has had time, and has nothing."""
    state = brussels.evaluate("async () => (await (await fetch('/api/network')).json()).neighbours")
    assert {each["state"] for each in state} == {"connected"}
    incidents = brussels.evaluate("async () => (await (await fetch('/api/incidents')).json()).incidents")
    assert incidents == []
    assert brussels.locator(".q-row", has_text="Ostend").count() == 0


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 844)])
def test_no_screen_with_something_on_it_has_a_violation(windows: dict[str, Any], width: int, height: int) -> None:
    """After the journey there are alerts, vessels, neighbours and an incident on the screens."""
    page = windows["ostend"].context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    found = []
    for path in ("/incidents", "/vessels", "/network", "/system", "/map"):
        page.goto(windows["ostend"].url.split("/map")[0] + path)
        if path == "/map":
            page.locator(".q-row").first.wait_for()
            page.get_by_role("combobox").fill("no such ship")
        found += [each for theme in ("dusk", "day") for each in violations(page, path, theme)]
    page.close()
    assert found == []


def test_on_a_phone_the_keys_stay_in_the_detail_that_covers_the_queue(windows: dict[str, Any]) -> None:
    page = windows["ostend"].context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(windows["ostend"].url.split("/map")[0] + "/map")
    page.locator(".q-row").first.click()
    page.locator("p2p-detail button").first.wait_for()
    page.locator(".console-tabs button").last.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('p2p-detail') !== null")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.rows')")
    page.close()
