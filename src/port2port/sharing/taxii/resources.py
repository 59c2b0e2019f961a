"""The resources of TAXII 2.1 as bytes (sections 3 to 5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from port2port.sharing.taxii.access import Offer
from port2port.sharing.taxii.check import Failure
from port2port.sharing.taxii.limits import MAX_CONTENT_BYTES, MAX_FAILURES
from port2port.sharing.taxii.media import STIX, TAXII
from port2port.sharing.taxii.page import Shown
from port2port.sharing.taxii.times import stix_time, taxii_time

ROOT = "/taxii2/node/"
"""The API root: one node has one."""
encode = msgspec.json.encode


def discovery(name: str, origin: str) -> bytes:
    """Server Discovery, section 4.1."""
    root = origin + ROOT
    return encode({"title": name, "default": root, "api_roots": [root]})


def api_root(name: str) -> bytes:
    """API Root Information, section 4.2."""
    return encode({"title": name, "versions": [TAXII], "max_content_length": MAX_CONTENT_BYTES})


def collections(offers: Sequence[Offer]) -> bytes:
    """Get Collections, section 5.1."""
    return encode({"collections": [_collection(each) for each in offers]} if offers else {})


def collection(offer: Offer) -> bytes:
    """Get a Collection, section 5.2."""
    return encode(_collection(offer))


def _collection(offer: Offer) -> dict[str, Any]:
    found = {
        "id": offer.id,
        "title": offer.title,
        "description": offer.description,
        "can_read": offer.can_read,
        "can_write": offer.can_write,
        "media_types": [STIX],
    }
    return {**found, "alias": offer.alias} if offer.alias else found


def envelope(pieces: Sequence[bytes], next_page: str) -> bytes:
    """An envelope, section 3.7: the objects byte by byte as they were stored. `next_page` empty: this was all."""
    if not pieces:
        return b"{}"
    return b"".join((_head(next_page), b'"objects":[', b",".join(pieces), b"]}"))


def _head(next_page: str) -> bytes:
    return b'{"more":true,"next":' + encode(next_page) + b"," if next_page else b'{"more":false,'


def manifest(rows: Sequence[Shown], next_page: str) -> bytes:
    """A manifest; with `next` as in an envelope, which the standard forgot here (oasis-tcs/cti-taxii2 #110)."""
    records = [
        {
            "id": row.id,
            "date_added": taxii_time(row.added_ms * 1000),
            "version": version_time(row),
            "media_type": STIX,
        }
        for row in rows
    ]
    return _head(next_page) + b'"objects":' + encode(records) + b"}" if records else b"{}"


def versions(rows: Sequence[Shown], next_page: str) -> bytes:
    """Get Object Versions, section 5.8."""
    return _head(next_page) + b'"versions":' + encode([version_time(row) for row in rows]) + b"}" if rows else b"{}"


def version_time(row: Shown) -> str:
    """As it stands in the object; else as `date_added` is written."""
    return stix_time(row.version_us) if row.version_us else taxii_time(row.version)


def date_headers(rows: Sequence[Shown]) -> dict[str, str]:
    """Section 3.2: the stamps of the first and last object of a page. An empty page has none."""
    if not rows:
        return {}
    first, last = (taxii_time(row.added_ms * 1000) for row in (rows[0], rows[-1]))
    return {"X-TAXII-Date-Added-First": first, "X-TAXII-Date-Added-Last": last}


def status(status_id: str, at_us: int, taken: Sequence[tuple[str, int]], failures: Sequence[Failure]) -> bytes:
    """Get Status, section 4.3. Everything is decided when the answer is given, so nothing is ever pending.

    With more failures than `MAX_FAILURES` none is listed: a part of a list would look like all of it.
    """
    found: dict[str, Any] = {
        "id": status_id,
        "status": "complete",
        "request_timestamp": taxii_time(at_us),
        "total_count": len(taken) + len(failures),
        "success_count": len(taken),
        "failure_count": len(failures),
        "pending_count": 0,
    }
    if failures and len(failures) <= MAX_FAILURES:
        found["failures"] = [_detail(each.id, each.version_us, each.message) for each in failures]
    return encode(found)


def _detail(object_id: str, version_us: int, message: str) -> dict[str, str]:
    found = {"id": object_id or "unknown", "version": stix_time(version_us), "message": message}
    return found if message else {"id": found["id"], "version": found["version"]}


def error(status_code: int, title: str, description: str = "") -> bytes:
    """An error message, section 3.6."""
    found = {"title": title, "http_status": str(status_code)}
    return encode({**found, "description": description} if description else found)
