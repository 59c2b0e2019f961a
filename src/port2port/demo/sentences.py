"""AIS messages of the simulated harbour as NMEA 0183 sentences with tag blocks. Encoding is pyais's; pure.

Recommendation ITU-R M.1371-5 for the messages, CESNI ES-RIS (inland AIS) for function identifier 10 of area code 200.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import xor
from typing import Any
from zlib import crc32

from pyais.encode import encode_dict

from port2port.core.clock import to_ms
from port2port.core.place import Position
from port2port.demo.voyages import Pose

INLAND_AREA_CODE, INLAND_STATIC = 200, 10
NO_HEADING = 511
SHIP_TYPE_SAILING, SHIP_TYPE_PLEASURE, SHIP_TYPE_TANKER = 36, 37, 80
ERI_MOTOR_FREIGHTER, ERI_MOTOR_TANKER = 8010, 8020


class Equipment(StrEnum):
    """What kind of AIS station a vessel carries."""

    CLASS_A = "A"
    CLASS_B = "B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vessel:
    """Who a simulated vessel says it is. All of it is invented."""

    mmsi: int
    name: str
    callsign: str
    ship_type: int
    length_m: int
    beam_m: int
    draught_m: float
    destination: str = ""
    imo: int = 0
    eni: str = ""
    equipment: Equipment = Equipment.CLASS_A


def position_report(vessel: Vessel, pose: Pose, at: datetime) -> list[str]:
    """Message 1 (3 when turning) of class A, message 18 of class B."""
    common = {
        "mmsi": vessel.mmsi,
        "lat": pose.position.latitude_deg,
        "lon": pose.position.longitude_deg,
        "speed": round(pose.speed_kn, 1),
        "course": round(pose.course_deg, 1) % 360,
        "second": at.second,
        "accuracy": 1,
    }
    if vessel.equipment is Equipment.CLASS_B:
        return _sentences({**common, "msg_type": 18, "heading": NO_HEADING, "cs": 1}, at)
    heading, kind = round(pose.heading_deg) % 360, 3 if pose.turning else 1
    return _sentences({**common, "msg_type": kind, "heading": heading, "status": pose.status, "turn": 0}, at)


def static_reports(vessel: Vessel, at: datetime) -> list[list[str]]:
    """Message 5, or 24 A and B of class B; with an ENI also the inland message."""
    half = vessel.length_m // 2
    size = {
        "to_bow": half,
        "to_stern": vessel.length_m - half,
        "to_port": vessel.beam_m // 2,
        "to_starboard": vessel.beam_m - vessel.beam_m // 2,
    }
    about = {"mmsi": vessel.mmsi, "ship_type": vessel.ship_type, "callsign": vessel.callsign, **size}
    if vessel.equipment is Equipment.CLASS_B:
        part_a = {"msg_type": 24, "partno": 0, "mmsi": vessel.mmsi, "shipname": vessel.name}
        return [_sentences(part_a, at), _sentences({**about, "msg_type": 24, "partno": 1}, at)]
    voyage = {
        "msg_type": 5,
        "shipname": vessel.name,
        "imo": vessel.imo,
        "draught": vessel.draught_m,
        "destination": vessel.destination,
        "epfd": 1,
        "hour": 24,
        "minute": 60,
    }
    return [_sentences({**about, **voyage}, at), *([inland_static(vessel, at)] if vessel.eni else [])]


def inland_static(vessel: Vessel, at: datetime) -> list[str]:
    """Message 8, inland ship static and voyage related data: the ENI travels here."""
    return _sentences(
        {
            "msg_type": 8,
            "mmsi": vessel.mmsi,
            "dac": INLAND_AREA_CODE,
            "fid": INLAND_STATIC,
            "vin": vessel.eni,
            "length": float(vessel.length_m),
            "beam": float(vessel.beam_m),
            "shiptype": ERI_MOTOR_TANKER if vessel.ship_type == SHIP_TYPE_TANKER else ERI_MOTOR_FREIGHTER,
            "hazard": 1 if vessel.ship_type == SHIP_TYPE_TANKER else 0,
            "draught": vessel.draught_m,
            "loaded": 1,
            "speed_q": True,
            "course_q": True,
            "heading_q": True,
        },
        at,
    )


def base_station(mmsi: int, place: Position, at: datetime) -> list[str]:
    """Message 4."""
    return _sentences(
        {
            "msg_type": 4,
            "mmsi": mmsi,
            "year": at.year,
            "month": at.month,
            "day": at.day,
            "hour": at.hour,
            "minute": at.minute,
            "second": at.second,
            "lat": place.latitude_deg,
            "lon": place.longitude_deg,
            "epfd": 7,
        },
        at,
    )


def aid_to_navigation(mmsi: int, name: str, place: Position, at: datetime) -> list[str]:
    """Message 21: a buoy or light that tells where it is."""
    return _sentences(
        {
            "msg_type": 21,
            "mmsi": mmsi,
            "aid_type": 14,
            "name": name,
            "lat": place.latitude_deg,
            "lon": place.longitude_deg,
            "second": at.second,
            "epfd": 7,
        },
        at,
    )


def tagged(sentences: Sequence[str], station: str, at: datetime) -> list[bytes]:
    """With tag blocks (NMEA 0183 4.10): station, receive time in seconds, and the group that ties parts together."""
    total, group = len(sentences), crc32(sentences[0].encode("ascii")) % 9999 + 1
    tags = [f"s:{station},c:{to_ms(at) // 1000}" for _ in sentences]
    if total > 1:
        tags = [f"g:{part}-{total}-{group}," + tag for part, tag in enumerate(tags, start=1)]
    return [
        f"\\{tag}*{_checksum(tag):02X}\\{sentence}".encode("ascii")
        for tag, sentence in zip(tags, sentences, strict=True)
    ]


def _sentences(fields: dict[str, Any], at: datetime) -> list[str]:
    channel = "AB"[at.second % 2]
    sequence = (to_ms(at) // 7 + int(fields["mmsi"])) % 10
    return encode_dict(fields, talker_id="AI", sentence_type="VDM", radio_channel=channel, seq_id=sequence)


def _checksum(text: str) -> int:
    return reduce(xor, text.encode("ascii"), 0)
