"""Static files of all owners: checked again on each use (ETag), compressed beforehand when the build did so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from port2port.core.errors import NotFound

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_KNOWN_FILES = 2_000
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".geojson": "application/geo+json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".pbf": "application/x-protobuf",
    ".txt": "text/plain; charset=utf-8",
}
"""Anything else is not served."""


@dataclass(frozen=True, slots=True)
class _Known:
    mtime_ns: int
    etag: str


class StaticFiles:
    """Finds files below each owner's `static/`, and remembers their ETags. Safe for threads."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._roots = {owner: (folder / "static").resolve() for owner, folder in folders.items()}
        self._known: dict[Path, _Known] = {}
        self._lock = Lock()

    def find(self, owner: str, path: str) -> Path:
        """Raises `NotFound` for what is outside, of no known type, too large or absent."""
        root = self._roots.get(owner)
        if root is None or "\0" in path or len(path) > 400:
            raise NotFound("web.error.not-found")
        found = (root / path.lstrip("/")).resolve()
        if not found.is_relative_to(root) or found.suffix not in TYPES or not found.is_file():
            raise NotFound("web.error.not-found")
        if found.stat().st_size > MAX_FILE_BYTES:
            raise NotFound("web.error.not-found")
        return found

    def etag(self, file: Path) -> str:
        mtime_ns = file.stat().st_mtime_ns
        known = self._known.get(file)
        if known is None or known.mtime_ns != mtime_ns:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:24]
            known = _Known(mtime_ns, f'"{digest}"')
            with self._lock:
                if len(self._known) >= MAX_KNOWN_FILES:
                    self._known.clear()
                self._known[file] = known
        return known.etag


def static_route(folders: Mapping[str, Path]) -> HTTPRouteHandler:
    """The route `/static/<owner>/<path>`."""
    files = StaticFiles(folders)

    @get("/static/{owner:str}/{path:path}", opt={"public": True}, sync_to_thread=True, include_in_schema=False)
    def static_file(owner: FromPath[str], path: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        file = files.find(owner, path)
        headers = {"ETag": files.etag(file), "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(b"", status_code=304, headers=headers)
        packed = file.with_name(f"{file.name}.gz")
        if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
            return Response(
                packed.read_bytes(), media_type=TYPES[file.suffix], headers={**headers, "Content-Encoding": "gzip"}
            )
        return Response(file.read_bytes(), media_type=TYPES[file.suffix], headers=headers)

    return static_file
