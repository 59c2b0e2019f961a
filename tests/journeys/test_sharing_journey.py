"""An officer shares an incident, takes it back, and watches the receipts arrive; at the receiver it is gone."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from axe import violations
from network import small_network

from port2port.demo.network import BELGIUM
from port2port.demo.prepare import prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 60_000
TITLE = "Fence cut at quay 7"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, NodeProcess]]:
    """Ostend, Antwerp and Brussels as processes, without traffic."""
    if CHROMIUM is None:
        assert not os.environ.get("PORT2PORT_REQUIRE_SERVERS"), "Chromium is missing"
        pytest.skip("needs Chromium: tools/setup test")
    prepared = prepare(BELGIUM, small_network(), tmp_path_factory.mktemp("network") / "nodes")
    started = {each.node.key: NodeProcess(each.node.key, each.folder) for each in prepared.nodes}
    up, over, problems = threading.Event(), threading.Event(), []

    async def live() -> None:
        try:
            await start_all(list(started.values()))
            up.set()
            await asyncio.to_thread(over.wait)
        except BaseException as error:
            problems.append(error)
            raise
        finally:
            await stop_all(list(started.values()))
            up.set()

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    up.wait(90)
    assert not problems, problems
    yield started
    over.set()
    thread.join(60)


@pytest.fixture
def windows(nodes: dict[str, NodeProcess]) -> Iterator[dict[str, Any]]:
    """A security officer's window at each of the two who share."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = {key: _signed_in(browser, nodes[key]) for key in ("ostend", "antwerp")}
        yield opened
        for page in opened.values():
            assert page.complaints == []
        browser.close()


def _signed_in(browser: Any, node: NodeProcess) -> Any:
    page = browser.new_context(viewport={"width": 1600, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{node.web}/sign-in")
    page.click("button[value=security-officer]")
    page.wait_for_load_state()
    page.home = node.web
    return page


def test_an_officer_takes_back_what_was_shared_and_sees_it_confirmed(windows: dict[str, Any]) -> None:
    ostend, antwerp = windows["ostend"], windows["antwerp"]
    reference = _report(ostend)
    _share(ostend)
    _it_arrives(antwerp, reference)
    _the_object_page_says_who_has_it(ostend)
    _take_back(ostend)
    assert violations(ostend, "what was taken back", "day") == []
    _it_is_gone_at_the_receiver(antwerp, reference)
    ostend.goto(f"{ostend.home}/sharing/recalls")
    ostend.get_by_text("Everybody has confirmed.").wait_for()
    ostend.get_by_role("link", name=re.compile(TITLE)).wait_for()


def _report(page: Any) -> str:
    page.goto(f"{page.home}/incidents")
    answer = page.evaluate(
        """async (title) => {
            const token = document.querySelector('meta[name="csrf-token"]').content;
            const body = JSON.stringify({ kind: "fence-cut", title, place: "Quay 7", description: "A hole." });
            const headers = { "content-type": "application/json", "X-CSRF-Token": token };
            return await (await fetch("/api/incidents", { method: "POST", headers, body })).json();
        }""",
        TITLE,
    )
    page.goto(f"{page.home}/incidents/{answer['id']}/share")
    return str(answer["reference"])


def _share(page: Any) -> None:
    page.locator("input[value='group:coast']").check()
    page.locator("button[value=preview]").click()
    page.get_by_role("button", name=re.compile("Send to Port of Antwerp-Bruges")).click()
    page.get_by_text("TLP:AMBER").first.wait_for()


def _it_arrives(page: Any, reference: str) -> None:
    page.goto(f"{page.home}/map")
    page.locator(".q-row", has_text="Ostend").first.wait_for()
    page.other = page.context.new_page()
    page.other.goto(f"{page.home}/incidents")
    page.other.get_by_role("link", name=reference).wait_for()


def _the_object_page_says_who_has_it(page: Any) -> None:
    page.goto(f"{page.home}/sharing")
    page.get_by_role("link", name=re.compile(TITLE)).click()
    page.get_by_text("Confirmed by 1 of 1").wait_for()
    brussels = page.locator("tr", has_text="Port of Brussels").inner_text()
    assert "not among those it is meant for" in brussels
    assert "Not sent" in brussels


def _take_back(page: Any) -> None:
    """With the keys alone; and then nothing is loaded anew."""
    form = page.locator("form.ask")
    assert "Port of Antwerp-Bruges" in form.inner_text()
    assert "Port of Brussels" not in form.inner_text()
    form.get_by_label("Reason").focus()
    page.keyboard.type("It was a m")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#taken-back")
    page.evaluate("window.neverLoadedAnew = true")
    page.get_by_text("1 of 1 confirmed").wait_for()
    page.get_by_text("Port of Antwerp-Bruges: dropped it, confirmed at").wait_for()
    assert page.evaluate("window.neverLoadedAnew"), "without reloading"


def _it_is_gone_at_the_receiver(page: Any, reference: str) -> None:
    page.locator(".q-row", has_text="Ostend").first.click()
    page.get_by_text("Taken back by its owner").first.wait_for()
    page.other.goto(f"{page.home}/incidents")
    assert page.other.get_by_role("link", name=reference).count() == 0
    page.other.goto(f"{page.home}/sharing/received")
    ostend = page.other.locator("tr", has_text="Port of Ostend").inner_text()
    assert "withdrawn by its owner" in ostend
