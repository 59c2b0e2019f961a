"""Media types of TAXII 2.1 and their negotiation (HTTP headers, section 3.2). Pure."""

from __future__ import annotations

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
_NAMES = frozenset({"application/taxii+json", "application/*", "*/*"})


def accepts_taxii(accept: str) -> bool:
    """Whether an `Accept` header lets us answer in TAXII 2.1: by its name, without a version, or by a wildcard."""
    return not accept.strip() or any(_is_taxii(each, _NAMES) for each in accept.split(","))


def is_taxii(content_type: str) -> bool:
    """Whether a body is TAXII 2.1; without a version it is the newest one that we know."""
    return _is_taxii(content_type, frozenset({"application/taxii+json"}))


def _is_taxii(text: str, names: frozenset[str]) -> bool:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    values = dict(_pair(each) for each in parameters)
    return name in names and values.get("version", "2.1") == "2.1" and values.get("q", "1").strip("0.") != ""


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip().strip('"')
