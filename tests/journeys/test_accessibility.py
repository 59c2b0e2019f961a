"""Every screen meets WCAG 2.2 AA as far as axe can tell: by day and night, at a desk and on a phone."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from axe import AXE, violations

from port2port.demo.client import NodeClient
from port2port.demo.processes import NodeProcess, start_all, stop_all

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
SIZES = {"desk": (1920, 1080), "phone": (390, 844)}
SCREENS = (
    "/map", "/incidents", "/report", "/vessels", "/sharing", "/sharing/received", "/sharing/recalls", "/network",
    "/network/register", "/audit", "/system", "/account", "/accounts",
)  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, str]]:
    """One node with an incident; its process, and the incident's page."""
    if CHROMIUM is None or not AXE.is_file():
        assert not os.environ.get("PORT2PORT_REQUIRE_SERVERS"), "Chromium or axe is missing: tools/setup test"
        pytest.skip("needs Chromium and axe: tools/setup test")
    folder = tmp_path_factory.mktemp("node")
    settings = (
        '[node]\nname = "Port of Ostend"\ndemonstration = true\n[web]\nport = 0\n[sharing]\nlisten = "127.0.0.1:0"\n'
    )
    (folder / "port2port.toml").write_text(settings)
    process = NodeProcess("node", folder)
    up, over, paths = threading.Event(), threading.Event(), list[str]()

    async def live() -> None:
        try:
            await start_all([process])
            async with NodeClient(process.web) as client:
                await client.sign_in("operator")
                report = {"kind": "fence-cut", "title": "Fence cut", "place": "Quay 1", "description": "A hole."}
                paths.append(f"/incidents/{(await client.post('/api/incidents', report))['id']}")
            up.set()
            await asyncio.to_thread(over.wait)
        finally:
            up.set()
            await stop_all([process])

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    up.wait(60)
    assert paths, "the node did not start"
    yield process, paths[0]
    over.set()
    thread.join(30)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("size", SIZES)
def test_no_screen_has_a_violation(node: tuple[NodeProcess, str], size: str, theme: str) -> None:
    from playwright.sync_api import sync_playwright

    process, incident = node
    width, height = SIZES[size]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB").new_page()
        page.goto(f"{process.web}/sign-in")
        found = violations(page, "/sign-in", theme)
        page.click("button[value=administrator]")
        page.wait_for_load_state()
        for path in (*SCREENS, incident, f"{incident}/share"):
            answer = page.goto(process.web + path)
            assert answer.status == 200, path
            found += violations(page, path, theme)
        browser.close()
    assert found == []
