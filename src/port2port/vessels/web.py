"""Pages about vessels: list, detail fragment, and the list for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from port2port.core.errors import BadInput, NotFound
from port2port.core.place import Box
from port2port.vessels.service import VesselService
from port2port.vessels.sources.collector import SourceState
from port2port.vessels.status import source_row
from port2port.vessels.view import as_json, detail
from port2port.web import page

ROWS = 200
MAX_TEXT_CHARS = 60
MAX_LIMIT = 1_000

Text = Annotated[str, QueryParameter(max_length=MAX_TEXT_CHARS)]


def routes(service: VesselService, states: Sequence[SourceState]) -> list[Any]:
    """The route handlers, bound to one service."""

    @get("/vessels", sync_to_thread=True)
    def list_vessels(q: Text = "") -> Template:
        found = service.search(text=q, limit=ROWS + 1)
        return page(
            "vessels/list.html",
            vessels=[detail(*each) for each in found[:ROWS]],
            more=len(found) > ROWS,
            q=q,
            sources=[source_row(service, state, service.site.clock) for state in states],
        )

    @get("/vessels/{track_id:str}/detail", sync_to_thread=True)
    def show_detail(track_id: FromPath[str]) -> Template:
        found = service.find(track_id)
        if found is None:
            raise NotFound("vessels.error.unknown", hint="vessels.error.unknown.hint")
        return page("vessels/detail.html", vessel=detail(*found))

    @get("/api/vessels", sync_to_thread=True)
    def api_vessels(
        bbox: Text = "", name: Text = "", limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = 100
    ) -> dict[str, Any]:
        """Vessels as JSON. `bbox`: west,south,east,north in degrees; `name`: begins with, or MMSI, IMO, ENI."""
        found = service.search(box=_box(bbox), text=name, limit=limit)
        return {"vessels": [as_json(*each) for each in found]}

    return [list_vessels, show_detail, api_vessels]


def _box(text: str) -> Box | None:
    """West, south, east, north as RFC 7946 orders them. Raises `BadInput`."""
    if not text:
        return None
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError as error:
        raise BadInput("bbox is west,south,east,north in degrees.", hint="For example 2.8,51.1,3.3,51.4.") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadInput("bbox is outside the globe, or its sides are swapped.")
    return Box(south, west, north, east)
