"""axe-core in the page: what breaks WCAG 2.2 AA there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => {
    const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await painted();  // what a script does when it sees sizes is done by then
    const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
    return found.violations.flatMap((each) => each.nodes.map((node) =>
        `${each.id}: ${node.target.join(' ')} (${node.any.concat(node.all).map((why) => why.message).join('; ')})`));
}"""


def violations(page: Any, where: str, theme: str) -> list[str]:
    """Each as `where: rule: selector (why)`, with the page in the colours of `theme`."""
    page.evaluate("(theme) => { document.documentElement.dataset.obcTheme = theme; }", theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [f"{where}: {each}" for each in page.evaluate(RUN, TAGS)]
