"""What a screen or a program is told about one vessel. Pure."""

from __future__ import annotations

from typing import Any

from port2port.core.identifiers import mmsi
from port2port.core.place import MPS_PER_KNOT
from port2port.core.track import Quality, Track
from port2port.vessels.model import AID, BASE, MOVING_MPS, NO_STATUS, STATIONARY, Vessel
from port2port.vessels.words import coordinates, type_group


def flag(number: int) -> str:
    """The country that gave the MMSI, ISO 3166 two letters; empty when there is none."""
    return mmsi.country(f"{number:09d}") or ""


def sentence(vessel: Vessel) -> str:
    """Word key of the first line of a detail: what it does, in words a person could say on the radio."""
    if vessel.kind in (AID, BASE):
        return "vessels.answer.fixed"
    if vessel.status in STATIONARY:
        return f"vessels.answer.status-{vessel.status}"
    if vessel.speed_mps is None:
        return "vessels.answer.unknown"
    return "vessels.answer.moving" if vessel.speed_mps > MOVING_MPS else "vessels.answer.still"


def detail(vessel: Vessel, track: Track) -> dict[str, Any]:
    """Everything the detail fragment shows; empty values are left out there."""
    return {
        "id": track.id,
        "name": track.name,
        "type": f"vessels.type.{type_group(vessel)}",
        "sentence": sentence(vessel),
        "knots": "" if track.speed_mps is None else f"{track.speed_mps / MPS_PER_KNOT:.1f}",
        "course": "" if track.course_deg is None else f"{track.course_deg:.0f}",
        "heading": "" if track.heading_deg is None else f"{track.heading_deg:.0f}",
        "position": coordinates(track.position.latitude_deg, track.position.longitude_deg),
        "mmsi": f"{vessel.mmsi:09d}",
        "imo": str(vessel.imo or ""),
        "eni": vessel.eni,
        "call_sign": vessel.call_sign,
        "flag": flag(vessel.mmsi),
        "length": f"{vessel.length_m:g}" if vessel.length_m else "",
        "beam": f"{vessel.beam_m:g}" if vessel.beam_m else "",
        "draught": f"{vessel.draught_m:g}" if vessel.draught_m else "",
        "destination": vessel.destination,
        "eta": _eta(vessel),
        "status": "" if vessel.status == NO_STATUS else f"vessels.status.{vessel.status}",
        "source": vessel.source,
        "station": vessel.station,
        "seen_at": track.seen_at,
        "quality": f"vessels.quality.{track.quality.value}",
        "doubt": f"vessels.doubt.{vessel.doubt}" if track.quality is Quality.DOUBTFUL and vessel.doubt else "",
        "alarmed": track.alarmed,
    }


def as_json(vessel: Vessel, track: Track) -> dict[str, Any]:
    """One vessel in `GET /api/vessels`. Units end the names; None: not known."""
    return {
        "id": track.id,
        "kind": track.kind,
        "name": vessel.name,
        "mmsi": f"{vessel.mmsi:09d}",
        "imo": vessel.imo or None,
        "eni": vessel.eni or None,
        "call_sign": vessel.call_sign or None,
        "type": type_group(vessel),
        "flag": flag(vessel.mmsi) or None,
        "latitude_deg": track.position.latitude_deg,
        "longitude_deg": track.position.longitude_deg,
        "speed_mps": None if track.speed_mps is None else round(track.speed_mps, 3),
        "course_deg": track.course_deg,
        "heading_deg": track.heading_deg,
        "status": None if vessel.status == NO_STATUS else vessel.status,
        "destination": vessel.destination or None,
        "length_m": vessel.length_m or None,
        "beam_m": vessel.beam_m or None,
        "draught_m": vessel.draught_m or None,
        "seen_at": track.seen_at.isoformat().replace("+00:00", "Z"),
        "source": track.source,
        "quality": track.quality.value,
        "alarmed": track.alarmed,
    }


def _eta(vessel: Vessel) -> str:
    """Month and day, hour and minute UTC; AIS tells no year. Parts that are not available are left out."""
    if vessel.eta is None:
        return ""
    month, day, hour, minute = vessel.eta
    date = f"{day:02d}/{month:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else ""
    time = f"{hour:02d}:{minute:02d} UTC" if hour < 24 and minute < 60 else ""
    return f"{date} {time}".strip()
