"""Routes of the picture: the console, its queue, the two live streams and the base map."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream, Template

from port2port.capability import AlertAction, Layer, Site
from port2port.core.clock import to_ms
from port2port.core.errors import BadInput, NotFound
from port2port.core.fact import Recorded
from port2port.core.party import Role
from port2port.picture.basemap import Basemap, read_part, wanted_part
from port2port.picture.glass import Glass
from port2port.picture.limits import MAX_CAUSE_CHARS, MAX_GLASS_MS, PAGE_ALERTS
from port2port.picture.model import CAUSES
from port2port.picture.positions import Positions
from port2port.picture.present import Json, Say, alert_json, change_json
from port2port.picture.service import Queue
from port2port.picture.settings import PictureSettings
from port2port.web import Actor, Event, FromPath, JSONBody, allow, event_stream, page
from port2port.web.pages import language_of
from port2port.web.state import shared

AnyRequest = Request[Any, Any, Any]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000)]
DECIDES = (Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
"""Who may acknowledge and close."""
MAY_DECIDE = allow(*DECIDES)


class Seen(msgspec.Struct, frozen=True):
    """What the person had on his screen."""

    seen: int | None = None


class Closing(msgspec.Struct, frozen=True):
    """Why an alert is closed: a word key of `model.CAUSES`."""

    cause: Annotated[str, msgspec.Meta(max_length=MAX_CAUSE_CHARS)]
    seen: int | None = None


class Drawn(msgspec.Struct, frozen=True):
    """A screen's measurement: milliseconds from the sensor's report to the drawn picture."""

    ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_GLASS_MS)]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the routes are made of."""

    site: Site
    settings: PictureSettings
    queue: Queue
    positions: Positions
    glass: Glass
    basemap: Callable[[], Basemap | None]


def routes(parts: Parts) -> Sequence[Any]:
    """All route handlers of the picture."""
    return [*_console(parts), *_alerts(parts), *_streams(parts), *_layers(parts), *_basemap(parts)]


def _say(request: AnyRequest) -> Say:
    return partial(shared(request).surface.words.say, language_of(request))


def _console(parts: Parts) -> Iterable[Any]:
    @get("/map", guards=[allow()], sync_to_thread=True)
    def console(request: AnyRequest, actor: Actor) -> Template:
        """The console: queue and map on one surface."""
        return page("picture/map.html", console=_console_json(parts, request, actor))

    return (console,)


def _console_json(parts: Parts, request: AnyRequest, actor: Actor) -> Json:
    """What the console's script must know at start."""
    say, words, settings = _say(request), shared(request).surface.words, parts.settings
    basemap = parts.basemap()
    return {
        "words": words.table(language_of(request), "picture."),
        "language": language_of(request),
        "timezone": shared(request).settings.timezone,
        "account": actor.account,
        "may_decide": actor.role in DECIDES,
        "causes": [{"key": key, "title": say(key)} for key in CAUSES],
        "actions": [_action_json(each, say) for each in parts.site.others.actions() if actor.role in each.roles],
        "layers": [_layer_json(each, say) for each in parts.site.others.layers()],
        "middle": [settings.longitude_deg, settings.latitude_deg],
        "zoom": settings.zoom,
        "glass_limit_ms": settings.glass_limit_ms,
        "now": to_ms(parts.site.clock()),
        "basemap": None if basemap is None else _basemap_json(basemap),
    }


def _action_json(action: AlertAction, say: Say) -> dict[str, str]:
    return {"title": say(action.title), "path": action.path, "key": action.key}


def _layer_json(layer: Layer, say: Say) -> Json:
    return {
        "id": layer.id,
        "title": say(layer.title),
        "movers": layer.movers is not None,
        "features": f"/api/picture/features/{layer.id}" if layer.features else None,
        "detail": layer.detail,
        "shown": layer.shown,
    }


def _basemap_json(basemap: Basemap) -> Json:
    return {
        "attribution": basemap.attribution,
        "layers": basemap.layers,
        "bounds": basemap.bounds_deg,
        "max_zoom": basemap.max_zoom,
    }


def _alerts(parts: Parts) -> Iterable[Any]:
    @get("/api/picture/alerts", guards=[allow()], sync_to_thread=True)
    def alerts(request: AnyRequest, offset: Offset = 0) -> Json:
        """A page of the queue, and `after`: the entry from which the live stream goes on."""
        found, total, after = parts.queue.page(offset, PAGE_ALERTS)
        say = _say(request)
        return {"alerts": [alert_json(each, say) for each in found], "total": total, "after": after}

    @get("/api/picture/alerts/{alert_id:str}", guards=[allow()], sync_to_thread=True)
    def alert(request: AnyRequest, alert_id: FromPath[str]) -> Json:
        return alert_json(parts.queue.get(alert_id), _say(request))

    @post("/api/picture/alerts/{alert_id:str}/acknowledge", guards=[MAY_DECIDE], sync_to_thread=True, status_code=200)
    def acknowledge(request: AnyRequest, alert_id: FromPath[str], actor: Actor, data: JSONBody[Seen]) -> Json:
        """Take it on; the answer names who has it, which may be somebody who was faster."""
        return alert_json(parts.queue.acknowledge(alert_id, actor, data.seen), _say(request))

    @post("/api/picture/alerts/{alert_id:str}/close", guards=[MAY_DECIDE], sync_to_thread=True, status_code=200)
    def close(request: AnyRequest, alert_id: FromPath[str], actor: Actor, data: JSONBody[Closing]) -> Json:
        """Be done with it, with a cause."""
        return alert_json(parts.queue.close(alert_id, actor, data.cause, data.seen), _say(request))

    return alerts, alert, acknowledge, close


def _streams(parts: Parts) -> Iterable[Any]:
    @get("/api/picture/stream", guards=[allow()], sync_to_thread=False)
    def stream(request: AnyRequest) -> Stream:
        """Changes of the queue as server-sent events: `added` and `changed`, numbered by their entries."""
        say = _say(request)

        def render(entry: Recorded) -> Iterable[Event]:
            change = change_json(entry, say)
            return () if change is None else (Event(change[0], msgspec.json.encode(change[1]).decode()),)

        return event_stream(request, render)

    @get("/api/picture/positions", guards=[allow()])
    async def positions() -> Stream:
        """Movers as binary frames, see docs/reference/positions-stream.md."""
        frames = parts.positions.subscribe()
        first = await anext(frames)
        return Stream(
            _closing(first, frames),
            media_type="application/octet-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @get("/api/picture/clock", guards=[allow()], sync_to_thread=False)
    def clock() -> dict[str, int]:
        """The node's clock, so that a screen can tell how far its own is off."""
        return {"now": to_ms(parts.site.clock())}

    @post("/api/picture/glass", guards=[allow()], sync_to_thread=False, status_code=204)
    def glass(data: JSONBody[Drawn]) -> None:
        parts.glass.add(data.ms)

    return stream, positions, clock, glass


async def _closing(first: bytes, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The frames; the reader is forgotten as soon as the screen is gone."""
    try:
        yield first
        async for frame in frames:
            yield frame
            await asyncio.sleep(0)
    finally:
        await frames.aclose()  # type: ignore[attr-defined]


def _layers(parts: Parts) -> Iterable[Any]:
    @get("/api/picture/layers", guards=[allow()], sync_to_thread=True)
    def layers(request: AnyRequest) -> list[dict[str, object]]:
        """What can be drawn, with titles in the reader's language."""
        say = _say(request)
        return [_layer_json(each, say) for each in parts.site.others.layers()]

    @get("/api/picture/features/{layer_id:str}", guards=[allow()], sync_to_thread=True)
    def features(request: AnyRequest, layer_id: FromPath[str]) -> Response[bytes]:
        """The fixed objects of one layer as GeoJSON (RFC 7946)."""
        for layer in parts.site.others.layers():
            if layer.id == layer_id and layer.features is not None:
                return _tagged(request, msgspec.json.encode(layer.features()))
        raise NotFound("picture.error.no-layer", hint="picture.error.no-layer.hint")

    return layers, features


def _tagged(request: AnyRequest, body: bytes) -> Response[bytes]:
    """GeoJSON that screens ask for every few seconds: unchanged, it is not sent again (RFC 9110, 13.1.2)."""
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:24]}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/geo+json", headers=headers)


def _basemap(parts: Parts) -> Iterable[Any]:
    @get("/basemap.pmtiles", guards=[allow()], sync_to_thread=True)
    def basemap(request: AnyRequest) -> Response[bytes]:
        """The base map, whole or in a range (RFC 9110, 14)."""
        found = parts.basemap()
        if found is None:
            raise NotFound("picture.error.no-basemap", hint="picture.error.no-basemap.hint")
        headers = {"ETag": found.etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == found.etag:
            return Response(b"", status_code=304, headers=headers)
        return _ranged(found, request.headers.get("range"), headers)

    return (basemap,)


def _ranged(found: Basemap, wanted: str | None, headers: dict[str, str]) -> Response[bytes]:
    kind = "application/vnd.pmtiles"
    try:
        part = wanted_part(wanted, found.size_bytes)
    except BadInput:
        return Response(b"", status_code=416, headers={**headers, "Content-Range": f"bytes */{found.size_bytes}"})
    if part is None:
        return Response(found.path.read_bytes(), media_type=kind, headers=headers)
    place = f"bytes {part.first}-{part.last}/{found.size_bytes}"
    body = read_part(found.path, part)
    return Response(body, media_type=kind, status_code=206, headers={**headers, "Content-Range": place})
