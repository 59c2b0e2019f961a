"""Settings of the live operating picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """What the console shows before anybody has touched it."""

    basemap: Annotated[
        str, msgspec.Meta(description="A PMTiles file with the base map; empty takes the one that was built with us.")
    ] = ""
    latitude_deg: Annotated[
        float, msgspec.Meta(description="Middle of the map at first, degrees north.", ge=-85, le=85)
    ] = 51.28
    longitude_deg: Annotated[
        float, msgspec.Meta(description="Middle of the map at first, degrees east.", ge=-180, le=180)
    ] = 3.1
    zoom: Annotated[float, msgspec.Meta(description="Zoom of the map at first, 0 to 18.", ge=0, le=18)] = 8.6
    glass_limit_ms: Annotated[
        int, msgspec.Meta(description="From sensor to screen: slower than this is shown as a fault.", ge=1)
    ] = 500
