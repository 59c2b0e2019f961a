"""The section `[vessels]` of a node's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from port2port.core.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """One `[[vessels.sources]]`: where AIS sentences come from."""

    name: Annotated[str, Meta(description="Shown beside each vessel, e.g. ais-coast.", min_length=1, max_length=40)]
    kind: Annotated[
        Literal["udp", "tcp-client", "tcp-server", "replay"],
        Meta(description="udp and tcp-server listen, tcp-client connects, replay reads a file."),
    ]
    address: Annotated[str, Meta(description="HOST:PORT to listen on or to connect to.")] = ""
    file: Annotated[str, Meta(description="replay: a recording, plain or .gz; relative to the node's folder.")] = ""
    speed: Annotated[float, Meta(ge=0, le=10_000, description="replay: times real time; 0 is as fast as it goes.")] = 1
    repeat: Annotated[bool, Meta(description="replay: begin again at the end.")] = False
    as_if_now: Annotated[bool, Meta(description="replay: show the recording as if it were now.")] = True


@dataclass(frozen=True, kw_only=True)
class VesselSettings:
    """Who is on the water."""

    sources: Annotated[
        tuple[SourceSettings, ...], Meta(max_length=32, description="Receivers, one [[vessels.sources]] each.")
    ] = ()
    zones_file: Annotated[
        str, Meta(description="GeoJSON file of zones and their rules; relative to the node's folder. Empty: none.")
    ] = ""
    gone_after_min: Annotated[
        float, Meta(ge=1, le=1440, description="Minutes without a report after which a vessel leaves the map.")
    ] = 30
    drift: Annotated[bool, Meta(description="Alert when a vessel is adrift, wherever it is.")] = True
    drift_minutes: Annotated[
        float, Meta(ge=1, le=240, description="Minutes that a vessel must move across its heading.")
    ] = 10
    drift_angle_deg: Annotated[
        float, Meta(ge=20, le=170, description="Degrees between course over ground and heading.")
    ] = 45
    drift_least_knots: Annotated[float, Meta(ge=0.1, le=5, description="Slower is lying still.")] = 0.5
    drift_most_knots: Annotated[float, Meta(ge=0.5, le=10, description="Faster is under way.")] = 3.0


def host_and_port(source: SourceSettings) -> tuple[str, int]:
    """The address of a source. Raises `BadInput` that names it."""
    host, _, port = source.address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadInput(
            f"Source {source.name!r}: {source.address!r} is not HOST:PORT.",
            hint='For example address = "0.0.0.0:10110".',
        )
    return host.strip("[]"), int(port)
