"""MISP object templates beside STIX types: which property is which relation. Pure tables.

Where MISP has a template, it is taken, and properties that it has no relation for are added under a name of
ours: MISP keeps relations that a template does not know. For containers and seals there is no template: ours
are published as JSON in docs/reference/misp/.

Source: MISP/misp-objects (template ids and versions as of September 2026); STIX 2.1 sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from port2port.stix.extension import EXTENSION_ID

INCIDENT_CORE = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"


@dataclass(frozen=True, slots=True)
class Relation:
    """One property of a STIX object as one attribute of a MISP object."""

    name: str
    path: tuple[str, ...]
    """Where the property stands, e.g. ("hashes", "SHA-256")."""
    type: str = "text"
    """MISP attribute type."""
    category: str = "Other"
    many: bool = False
    """The property is a list: one attribute per item."""
    number: Callable[[str], int | float] | None = None
    """MISP writes every value as text; these are read back as numbers."""
    scale: float = 1.0
    """STIX value = MISP value × scale."""
    contributes: bool = False
    """Says which thing it is: an indicator may name it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A MISP object template beside a STIX type."""

    stix: str
    name: str
    uuid: str
    version: int
    meta_category: str
    relations: tuple[Relation, ...]
    observable: bool = True
    """A Cyber-observable Object: its id follows from its values."""

    def find(self, relation: str) -> Relation | None:
        return next((each for each in self.relations if each.name == relation), None)


def _text(name: str, *path: str, contributes: bool = False) -> Relation:
    return Relation(name, path or (name.replace("-", "_"),), contributes=contributes)


def _number(name: str, path: str, scale: float = 1.0) -> Relation:
    return Relation(name, (path,), type="float", number=float, scale=scale)


def _hash(name: str, algorithm: str) -> Relation:
    return Relation(name, ("hashes", algorithm), type=name, category="Payload delivery", contributes=True)


def _core(name: str, word: str, *, many: bool = False) -> Relation:
    return Relation(name, ("extensions", INCIDENT_CORE, word), many=many)


def _ours(name: str, word: str, number: Callable[[str], int] | None = None, *, many: bool = False) -> Relation:
    return Relation(name, ("extensions", EXTENSION_ID, word), number=number, many=many)


CONTAINER = Template(
    stix="shipping-container",
    name="shipping-container",
    uuid="e0b2bd30-b46d-5d07-b860-5401342221cb",
    version=1,
    meta_category="transport",
    relations=(
        _text("number", "number", contributes=True),
        _text("size-type"),
        _text("owner"),
        Relation("tare-kg", ("tare_kg",), type="float", number=int),
        Relation("is-reefer", ("is_reefer",), type="boolean"),
    ),
)
SEAL = Template(
    stix="container-seal",
    name="container-seal",
    uuid="41d3b34a-4356-5a0e-b22c-4b4d5432904a",
    version=1,
    meta_category="transport",
    relations=(
        _text("number", "number", contributes=True),
        _text("kind", "kind", contributes=True),
        _text("security-class"),
        _text("state"),
        Relation("applied-at", ("applied_at",), type="datetime"),
        Relation("broken-at", ("broken_at",), type="datetime"),
    ),
)
VEHICLE = Template(
    stix="road-vehicle",
    name="vehicle",
    uuid="683c076c-f695-4ff2-8efa-e98a418049f4",
    version=5,
    meta_category="misc",
    relations=(
        _text("license-plate-number", "plate", contributes=True),
        _text("country", "country", contributes=True),
        _text("vin"),
        _text("make"),
        _text("model"),
        _text("exterior-color", "colour"),
        _text("type", "vehicle_type"),
        Relation("adr-un-number", ("adr_un_numbers",), many=True),
    ),
)
VESSEL = Template(
    stix="vessel",
    name="ais",
    uuid="ef90551a-ff34-472c-9fba-c272c4435baa",
    version=4,
    meta_category="marine",
    relations=(
        _text("IMO-number", "imo", contributes=True),
        _text("ENI-number", "eni", contributes=True),
        _text("MMSI", "mmsi", contributes=True),
        _text("name"),
        _text("call-sign"),
        _text("type-of-ship", "vessel_type"),
        _text("flag"),
        _number("length", "length_m"),
        _number("beam", "beam_m"),
        _number("draught", "draught_m"),
    ),
)
UAS = Template(
    stix="uas",
    name="uav",
    uuid="1d103a64-e30d-4c8c-931c-3e86b83db992",
    version=4,
    meta_category="misc",
    relations=(
        _text("serial-number", "serial", contributes=True),
        _text("session-id", "session_id", contributes=True),
        _text("registration-id", "operator_id"),
        _text("manufacturer", "make"),
        _text("model"),
        _text("uas-class"),
        _text("rid-standard-profile", "remote_id_standard"),
    ),
)
FILE = Template(
    stix="file",
    name="file",
    uuid="688c46fb-5edb-40a3-8273-1af7923e2215",
    version=25,
    meta_category="file",
    relations=(
        Relation("filename", ("name",), type="filename", category="Payload delivery", contributes=True),
        Relation("size-in-bytes", ("size",), type="size-in-bytes", number=int),
        Relation("mimetype", ("mime_type",), type="mime-type", category="Artifacts dropped"),
        _hash("md5", "MD5"),
        _hash("sha1", "SHA-1"),
        _hash("sha256", "SHA-256"),
        _hash("sha512", "SHA-512"),
        _hash("ssdeep", "SSDEEP"),
        _hash("tlsh", "TLSH"),
    ),
)
LOCATION = Template(
    stix="location",
    name="geolocation",
    uuid="cd6f2238-ba55-4888-82c4-104e6e1acf21",
    version=8,
    meta_category="misc",
    observable=False,
    relations=(
        _text("text", "name"),
        _number("latitude", "latitude"),
        _number("longitude", "longitude"),
        _number("accuracy-radius", "precision", scale=1000.0),
        _text("countrycode", "country"),
        _text("region"),
        _text("city"),
        _text("address", "street_address"),
        _text("zipcode", "postal_code"),
        _text("description"),
        _ours("kind", "kind"),
        _ours("un-locode", "un_locode"),
        _ours("facility-number", "facility_number"),
        _ours("security-level", "security_level", int),
    ),
)
ORGANIZATION = Template(
    stix="identity",
    name="organization",
    uuid="f750e12b-127a-432c-b022-b3f9153c4e2a",
    version=9,
    meta_category="misc",
    observable=False,
    relations=(
        _text("name"),
        _text("description"),
        _text("type-of-organization", "identity_class"),
        _text("contact_information"),
        Relation("sector", ("sectors",), many=True),
        Relation("role", ("roles",), many=True),
    ),
)


INCIDENT = Template(
    stix="incident",
    name="incident",
    uuid="38597424-f9bb-4865-9b4b-819172df0334",
    version=1,
    meta_category="misc",
    observable=False,
    relations=(
        _text("name"),
        _text("description"),
        _core("determination", "determination"),
        _core("investigation_status", "investigation_status"),
        _core("incident_type", "incident_types", many=True),
        _ours("reference", "reference"),
        _ours("kind", "kind"),
        _ours("status", "status"),
        _ours("priority", "priority", int),
        _ours("cause", "cause"),
        Relation("observed-at", ("extensions", EXTENSION_ID, "observed_at"), type="datetime"),
        _ours("place", "place_name"),
        _ours("method", "methods", many=True),
    ),
)

TEMPLATES = (CONTAINER, SEAL, VEHICLE, VESSEL, UAS, FILE, LOCATION, ORGANIZATION, INCIDENT)
SEALED_BY = "sealed-with"
"""The reference from a container to a seal on it: `seal_refs`."""
OWN = (CONTAINER, SEAL)
"""Templates that MISP does not have yet."""
BY_STIX = {each.stix: each for each in TEMPLATES}
BY_NAME = {each.name: each for each in TEMPLATES}

ALIASES: dict[str, tuple[Template, dict[str, str]]] = {
    "ais-observation": (VESSEL, {}),
    "drone-rid-observation": (UAS, {"uas-id": "serial-number", "operator-id": "registration-id"}),
}
"""Other templates of MISP that we read: the template they are read as, and relations under another name."""
