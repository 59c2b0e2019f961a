"""Our one extension of STIX 2.1 (section 7.3): things, places and handling labels of ports.

The id is fixed for ever. A change that old readers can pass by raises the version; one that they would misread needs
another extension. Reference: docs/reference/stix.md; JSON Schemas: docs/reference/stix/.
"""

from __future__ import annotations

from port2port.stix.reading import Object

EXTENSION_ID = "extension-definition--977d9921-2bfc-4fe2-bb70-0d2f05c5ced2"
VERSION = "1.0.0"
SINCE = "2026-11-25T00:00:00.000Z"
AUTHOR_ID = "identity--836ac774-4436-5cf1-a66e-fb037adfdfb1"
AUTHOR_SINCE = "2026-01-01T00:00:00.000Z"

NEW_SCO_TYPES = ("access-badge", "container-seal", "road-vehicle", "shipping-container", "uas", "vessel")
EXTENDED_TYPES = ("incident", "location", "marking-definition", "observed-data")
"""Types of the standard that get properties of ours."""

NEW_SCO: Object = {EXTENSION_ID: {"extension_type": "new-sco"}}
"""What an object of a new type carries under `extensions`."""


def property_schema(kind: str) -> str | None:
    """Name of the JSON Schema of our properties on objects of a type of the standard."""
    return f"extension-{kind}" if kind in EXTENDED_TYPES else None


def properties(**named: object) -> Object:
    """`extensions` with our properties, those that are None or empty lists left out (section 2.12)."""
    present = {name: value for name, value in named.items() if value is not None and value != []}
    return {EXTENSION_ID: {"extension_type": "property-extension", **present}}


def author() -> Object:
    """Who answers for the extension."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": AUTHOR_ID,
        "created": AUTHOR_SINCE,
        "modified": AUTHOR_SINCE,
        "name": "Port2Port",
        "identity_class": "organization",
    }


def definition() -> Object:
    """The extension-definition object that goes along with whatever uses the extension."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION_ID,
        "created_by_ref": AUTHOR_ID,
        "created": SINCE,
        "modified": SINCE,
        "name": "Port security",
        "description": "Shipping containers, seals, road vehicles, vessels, unmanned aircraft and access badges as "
        "cyber-observable objects; port facilities, gate transactions, port calls, tracks, incidents at a port and "
        "handling labels as properties of the standard's objects.",
        "schema": "The JSON Schemas in docs/reference/stix of the sources of Port2Port, one for each type.",
        "version": VERSION,
        "extension_types": ["new-sco", "property-extension"],
    }
