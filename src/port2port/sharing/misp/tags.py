"""TLP and PAP colours as MISP tags and as STIX 2.1 marking definitions. Pure.

Two TLP tags on one thing mean the stricter one (MISP cannot always take a tag back from those who copied it).
Tags that we do not know are kept as they are written.

Sources: FIRST TLP 2.0; MISP taxonomies `tlp` and `PAP`; the marking objects of OASIS common objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import chain
from typing import TypeVar

from port2port.core.handling import Pap, Tlp
from port2port.stix.marking import PAP_IDS, TLP_IDS, pap_marking, tlp_marking
from port2port.stix.reading import Object

MARKINGS: dict[Tlp | Pap, str] = dict(chain[tuple[Tlp | Pap, str]](TLP_IDS.items(), PAP_IDS.items()))
"""Colour -> the official marking's id."""

_OLD_TLP = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
"""The TLP 1.0 markings that STIX 2.1 section 7.2.1.4 fixes: read, never written."""

_COLOUR_OF = {marking: colour for colour, marking in MARKINGS.items()} | _OLD_TLP
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
    return [MARKINGS[each] for each in colours if each is not None]


def marking(colour: Tlp | Pap) -> Object:
    """The official STIX 2.1 object of a colour."""
    return tlp_marking(colour) if isinstance(colour, Tlp) else pap_marking(colour)
