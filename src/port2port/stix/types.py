"""The types of STIX 2.1, and what their references may point at (sections 4 to 7)."""

from __future__ import annotations

from collections.abc import Mapping

SDO_TYPES = frozenset(
    [
        "attack-pattern",
        "campaign",
        "course-of-action",
        "grouping",
        "identity",
        "incident",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "location",
        "malware",
        "malware-analysis",
        "note",
        "observed-data",
        "opinion",
        "report",
        "threat-actor",
        "tool",
        "vulnerability",
    ]
)
SRO_TYPES = frozenset({"relationship", "sighting"})
SCO_TYPES = frozenset(
    [
        "artifact",
        "autonomous-system",
        "directory",
        "domain-name",
        "email-addr",
        "email-message",
        "file",
        "ipv4-addr",
        "ipv6-addr",
        "mac-addr",
        "mutex",
        "network-traffic",
        "process",
        "software",
        "url",
        "user-account",
        "windows-registry-key",
        "x509-certificate",
    ]
)
META_TYPES = frozenset({"extension-definition", "language-content", "marking-definition"})
STANDARD_TYPES = SDO_TYPES | SRO_TYPES | SCO_TYPES | META_TYPES

Targets = tuple[str, ...]
"""Types that a reference may point at."""

COMMON_REFS: Mapping[str, Targets] = {
    "created_by_ref": ("identity",),
    "object_marking_refs": ("marking-definition",),
}
_ADDRESSES = ("ipv4-addr", "ipv6-addr", "mac-addr", "domain-name")
REFS: Mapping[str, Mapping[str, Targets]] = {
    "directory": {"contains_refs": ("file", "directory")},
    "domain-name": {"resolves_to_refs": ("ipv4-addr", "ipv6-addr", "domain-name")},
    "email-addr": {"belongs_to_ref": ("user-account",)},
    "email-message": {
        "from_ref": ("email-addr",),
        "sender_ref": ("email-addr",),
        "to_refs": ("email-addr",),
        "cc_refs": ("email-addr",),
        "bcc_refs": ("email-addr",),
        "raw_email_ref": ("artifact",),
    },
    "file": {"parent_directory_ref": ("directory",), "content_ref": ("artifact",)},
    "ipv4-addr": {"resolves_to_refs": ("mac-addr",), "belongs_to_refs": ("autonomous-system",)},
    "ipv6-addr": {"resolves_to_refs": ("mac-addr",), "belongs_to_refs": ("autonomous-system",)},
    "network-traffic": {
        "src_ref": _ADDRESSES,
        "dst_ref": _ADDRESSES,
        "src_payload_ref": ("artifact",),
        "dst_payload_ref": ("artifact",),
        "encapsulates_refs": ("network-traffic",),
        "encapsulated_by_ref": ("network-traffic",),
    },
    "process": {
        "opened_connection_refs": ("network-traffic",),
        "creator_user_ref": ("user-account",),
        "image_ref": ("file",),
        "parent_ref": ("process",),
        "child_refs": ("process",),
    },
    "windows-registry-key": {"creator_user_ref": ("user-account",)},
    "malware": {"sample_refs": ("artifact", "file"), "operating_system_refs": ("software",)},
}
"""Type -> property -> targets."""

EMBEDDED_REFS: Mapping[str, tuple[tuple[str, str, str, Targets], ...]] = {
    "email-message": (("body_multipart", "", "body_raw_ref", ("artifact", "file")),),
    "file": (("extensions", "archive-ext", "contains_refs", ("file", "directory")),),
    "network-traffic": (("extensions", "http-request-ext", "message_body_data_ref", ("artifact",)),),
    "process": (("extensions", "windows-service-ext", "service_dll_refs", ("file",)),),
}
"""Type -> (property, key inside it or empty for each of a list, property there, targets)."""

TIMES: Mapping[str, tuple[str, ...]] = {
    "campaign": ("first_seen", "last_seen"),
    "indicator": ("valid_from", "valid_until"),
    "infrastructure": ("first_seen", "last_seen"),
    "intrusion-set": ("first_seen", "last_seen"),
    "language-content": ("object_modified",),
    "malware": ("first_seen", "last_seen"),
    "malware-analysis": ("submitted", "analysis_started", "analysis_ended"),
    "observed-data": ("first_observed", "last_observed"),
    "report": ("published",),
    "relationship": ("start_time", "stop_time"),
    "sighting": ("first_seen", "last_seen"),
    "threat-actor": ("first_seen", "last_seen"),
    "directory": ("ctime", "mtime", "atime"),
    "email-message": ("date",),
    "file": ("ctime", "mtime", "atime"),
    "network-traffic": ("start", "end"),
    "process": ("created_time",),
    "user-account": (
        "account_created",
        "account_expires",
        "credential_last_changed",
        "account_first_login",
        "account_last_login",
    ),
    "windows-registry-key": ("modified_time",),
    "x509-certificate": ("validity_not_before", "validity_not_after"),
    "access-badge": ("valid_until",),
    "container-seal": ("applied_at", "broken_at"),
}
"""Type, ours too -> its timestamps beside `created` and `modified`."""

ORDERED: Mapping[str, tuple[str, str, str, bool]] = {
    "campaign": ("4.2.1", "first_seen", "last_seen", True),
    "indicator": ("4.7.1", "valid_from", "valid_until", False),
    "infrastructure": ("4.8.1", "first_seen", "last_seen", True),
    "intrusion-set": ("4.9.1", "first_seen", "last_seen", True),
    "malware": ("4.11.1", "first_seen", "last_seen", True),
    "observed-data": ("4.14.1", "first_observed", "last_observed", True),
    "threat-actor": ("4.17.1", "first_seen", "last_seen", True),
    "relationship": ("5.1.2", "start_time", "stop_time", False),
    "sighting": ("5.2.1", "first_seen", "last_seen", True),
    "network-traffic": ("6.12.1", "start", "end", True),
}
"""Type -> (section, earlier, later, whether they may be the same)."""
