"""TLP and PAP colours as MISP tags and as STIX 2.1 marking definitions. Pure.

Two TLP tags on one thing mean the stricter one (MISP cannot always take a tag back from those who copied it).
Tags that we do not know are kept as they are written.

Sources: FIRST TLP 2.0; MISP taxonomies `tlp` and `PAP`; the marking objects of OASIS common objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from port2port.core.handling import Tlp


class Pap(StrEnum):
    """Permissible Actions Protocol, from widest to narrowest."""

    CLEAR = "PAP:CLEAR"
    GREEN = "PAP:GREEN"
    AMBER = "PAP:AMBER"
    RED = "PAP:RED"


_TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"

MARKINGS: dict[Tlp | Pap, tuple[str, str]] = {
    Tlp.CLEAR: ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "2022-10-01T00:00:00.000Z"),
    Tlp.GREEN: ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "2022-10-01T00:00:00.000Z"),
    Tlp.AMBER: ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "2022-10-01T00:00:00.000Z"),
    Tlp.AMBER_STRICT: ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "2022-10-01T00:00:00.000Z"),
    Tlp.RED: ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "2022-10-01T00:00:00.000Z"),
    Pap.CLEAR: ("marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92", "2022-10-02T00:00:00.000Z"),
    Pap.GREEN: ("marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9", "2022-10-09T00:00:00.000Z"),
    Pap.AMBER: ("marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab", "2022-10-02T00:00:00.000Z"),
    Pap.RED: ("marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", "2022-10-06T00:00:00.000Z"),
}
"""Colour -> the official marking's id and date."""

_OLD_TLP = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
"""The TLP 1.0 markings that STIX 2.1 section 7.2.1.4 fixes: read, never written."""

_COLOUR_OF = {marking: colour for colour, (marking, _) in MARKINGS.items()} | _OLD_TLP
_TAG_TLP = {tlp.value.lower(): tlp for tlp in Tlp} | {"tlp:white": Tlp.CLEAR}
_TAG_PAP = {pap.value.lower(): pap for pap in Pap} | {"pap:white": Pap.CLEAR}

_WIDTH: dict[StrEnum, int] = {each: rank for kind in (Tlp, Pap) for rank, each in enumerate(kind)}

C = TypeVar("C", Tlp, Pap)


def tag_name(colour: Tlp | Pap) -> str:
    """As the taxonomies write it: `tlp:amber+strict`, `PAP:RED`."""
    return colour.value.lower() if isinstance(colour, Tlp) else colour.value


def strictest(colours: Iterable[C]) -> C | None:
    """The narrowest of several colours of one protocol; None when there is none."""
    found = list(colours)
    return max(found, key=_WIDTH.__getitem__) if found else None


def read_tags(names: Iterable[str]) -> tuple[Tlp | None, Pap | None, list[str]]:
    """The TLP and the PAP that these tags mean, and the other tags in their order."""
    tlps, paps, others = [], [], []
    for name in names:
        plain = name.strip().lower()
        if plain in _TAG_TLP:
            tlps.append(_TAG_TLP[plain])
        elif plain in _TAG_PAP:
            paps.append(_TAG_PAP[plain])
        else:
            others.append(name)
    return strictest(tlps), strictest(paps), others


def read_markings(refs: Iterable[str]) -> tuple[Tlp | None, Pap | None]:
    """The strictest TLP and PAP among these marking ids; others say nothing here."""
    colours = [_COLOUR_OF[ref] for ref in refs if ref in _COLOUR_OF]
    tlps = [each for each in colours if isinstance(each, Tlp)]
    return strictest(tlps), strictest([each for each in colours if isinstance(each, Pap)])


def marking_refs(*colours: Tlp | Pap | None) -> list[str]:
    """The marking ids of these colours."""
    return [MARKINGS[each][0] for each in colours if each is not None]


def marking(colour: Tlp | Pap) -> dict[str, Any]:
    """The official STIX 2.1 object of a colour."""
    marking_id, created = MARKINGS[colour]
    word = colour.value.partition(":")[2].lower()
    extension, name = (_TLP_EXTENSION, "tlp_2_0") if isinstance(colour, Tlp) else (_PAP_EXTENSION, "pap")
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking_id,
        "created": created,
        "name": colour.value,
        "extensions": {extension: {"extension_type": "property-extension", name: word}},
    }
