"""Pictures of the main screens, by day and night, for a desk and a phone, into artefacts/screens/.

Runs the demonstration network with the tanker already adrift, and looks at it with Chromium.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from port2port.demo import scene_player
from port2port.demo.client import NodeClient, until
from port2port.demo.network import BELGIUM, load_network
from port2port.demo.prepare import prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all
from port2port.demo.traffic import Traffic

FOLDER = Path(__file__).parent.parent / "artefacts" / "screens"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
SIZES = {"desk": (1920, 1080), "phone": (390, 844)}
SCREENS = {
    "map": "/map",
    "incidents": "/incidents",
    "report": "/report",
    "vessels": "/vessels",
    "network": "/network",
    "received": "/sharing/received",
    "system": "/system",
    "account": "/account",
}
OFFICERS = {"recalls": "/sharing/recalls", "register": "/network/register", "audit": "/audit"}
SETTLE_MS = 4_000


async def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(BELGIUM, load_network(BELGIUM), Path(folder))
        nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
        await start_all(nodes)
        try:
            async with Traffic(prepared, scene_s=5.0, elapsed_s=75).running():
                await _look(nodes)
        finally:
            await stop_all(nodes)
    print(f"pictures are in {FOLDER}")


async def _look(nodes: list[NodeProcess]) -> None:
    antwerp, ostend = (next(each for each in nodes if each.key == key) for key in ("antwerp", "ostend"))
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(NodeClient(ostend.web))
        await operator.sign_in("operator")
        played = await scene_player.act(operator, await scene_player.drifting(operator, set()))
        other = await stack.enter_async_context(NodeClient(antwerp.web))
        await other.sign_in("operator")
        arrived = await until("the incident at Antwerp", lambda: scene_player.shared_alert(other), 30.0)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        incident = f"/incidents/{played.incident['id']}"
        for theme in ("day", "night"):
            for size in SIZES:
                await _pictures(browser, antwerp, {**SCREENS, "alert": f"/map?alert={arrived['id']}"}, theme, size)
                shared = {"sharing": "/sharing", "shared-object": f"/sharing/{played.incident['id']}"}
                own = {"incident": incident, "share": f"{incident}/share", "map-ostend": "/map", **shared}
                await _pictures(browser, ostend, own, theme, size)
                await _pictures(browser, ostend, OFFICERS, theme, size, role="security-officer")
        await browser.close()


async def _pictures(
    browser: Browser, node: NodeProcess, screens: dict[str, str], theme: str, size: str, role: str = "operator"
) -> None:
    width, height = SIZES[size]
    page = await (await browser.new_context(viewport={"width": width, "height": height})).new_page()
    page.on("pageerror", lambda error: print(f"{node.key}: {error}", file=sys.stderr))
    await page.goto(f"{node.web}/sign-in")
    if node.key == "antwerp" and theme == "day":
        await page.screenshot(path=FOLDER / f"sign-in-{size}.png")
    await page.click(f"button[value={role}]")
    for name, path in screens.items():
        await page.goto(node.web + path)
        await _wear(page, theme)
        await page.wait_for_timeout(SETTLE_MS if "/map" in path else 300)
        await page.screenshot(path=FOLDER / f"{name}-{theme}-{size}.png")
    await page.context.close()


async def _wear(page: Page, theme: str) -> None:
    await page.evaluate("(theme) => { document.documentElement.dataset.obcTheme = theme; }", theme)


def _chromium() -> Any:
    return shutil.which("chromium") or shutil.which("chromium-browser")


if __name__ == "__main__":
    asyncio.run(main())
