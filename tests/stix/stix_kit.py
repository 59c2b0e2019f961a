"""Examples: one valid object of every type of the standard, and everything that our builders can say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from port2port.core.handling import (
    Handling,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
    named_nodes,
)
from port2port.core.ids import seeded_ids
from port2port.core.party import Compartment
from port2port.core.place import Position
from port2port.stix import extension, incident_core, marking, observations, places, playbook, things
from port2port.stix.ids import CONTRIBUTING, derived_id
from port2port.stix.reading import Object
from port2port.stix.types import SCO_TYPES
from port2port.stix.version import Version

AT = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
STAMP = "2026-11-25T08:30:00.000Z"
LATER = "2026-11-25T09:30:00.000Z"
AUTHOR = "identity--5f3f9a5e-3d4c-4f54-9d0b-1d7a4c1e2b3a"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_UUIDS = seeded_ids(7)


def version(**wishes: Any) -> Version:
    return Version(**{"uuid": _UUIDS(), "created": AT, "created_by": AUTHOR, **wishes})


def named(kind: str) -> str:
    return f"{kind}--{_UUIDS()}"


LABEL = Handling(
    origin="a" * 64,
    tlp=Tlp.AMBER_STRICT,
    pap=Pap.AMBER,
    audience=named_nodes("b" * 64, "c" * 64),
    compartment=Compartment.A,
    legal_basis=LegalBasis.ISPS_CODE,
    purpose=Purpose.PORT_SECURITY,
    personal_data=PersonalData.NONE,
    retain_until=AT + timedelta(days=365),
    agreement_id="agreement-1",
)
WIDE = Handling(
    origin="a" * 64,
    tlp=Tlp.GREEN,
    audience=all_members(),
    compartment=Compartment.B,
    legal_basis=LegalBasis.LAW_ENFORCEMENT,
    purpose=Purpose.LAW_ENFORCEMENT,
    personal_data=PersonalData.OFFENCE_RELATED,
    retain_until=AT + timedelta(days=1, microseconds=1),
    agreement_id="agreement-1",
    context="exercise-7",
    readers=frozenset({"anna@" + "b" * 64}),
)
CACAO = json.dumps(
    {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": "playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562",
        "name": "Container with a broken seal",
        "description": "What the gate does.",
        "playbook_types": ["investigation", "containment"],
        "created_by": AUTHOR,
        "created": STAMP,
        "modified": STAMP,
        "valid_from": STAMP,
        "priority": 3,
        "severity": 70,
        "impact": 10,
        "labels": ["gate"],
        "workflow_start": "start--07bea005-4a36-4a77-bd1f-79a6e4682a13",
        "workflow": {},
    }
).encode()


def emitted() -> list[Object]:
    """Every builder, with nothing but the needful and with everything."""
    bare = [
        things.container("CSQU3054383"),
        things.seal("1234567"),
        things.vehicle("1-ABC-123", "BE"),
        things.vessel(imo="9074729"),
        things.vessel(eni="06105312"),
        things.vessel(mmsi="205123000"),
        things.uas(serial="1581F45T7229100ABCD1"),
        things.uas(session_id="0f2c-11aa-22bb"),
        things.badge("Port of Invention", "00123"),
        places.place(version(), "port", un_locode="BEANR"),
        places.place(version(), "fence-section", position=Position(51.2, 4.4)),
    ]
    seals = [things.seal("ML-0042", "electronic", security_class="high-security", state="broken", broken_at=AT)]
    marks = {"markings": (marking.TLP_IDS[Tlp.AMBER],)}
    full = [
        *seals,
        things.container(
            "CSQU 305438 3",
            size_type="45R1",
            owner="Invented Lines",
            tare_kg=4_800,
            is_reefer=True,
            seal_refs=[seals[0]["id"]],
            **marks,
        ),
        things.vehicle(
            "HH-AB 1234",
            "DE",
            vin="WVWZZZ1JZXW000001",
            make="MAN",
            model="TGX",
            colour="white",
            vehicle_type="tractor",
            adr_un_numbers=["1203"],
            **marks,
        ),
        things.vessel(
            imo="9074729",
            mmsi="205123000",
            name="INVENTED",
            call_sign="ONAB",
            flag="be",
            vessel_type="container-ship",
            length_m=399.9,
            beam_m=59.0,
            draught_m=14.5,
            **marks,
        ),
        things.uas(
            serial="1581F45T7229100ABCD1",
            operator_id="BEL12345678abcd",
            uas_class="C2",
            remote_id_standard="astm-f3411",
            make="Invented",
            model="One",
            **marks,
        ),
        things.badge("Port of Invention", "00124", state="stolen", valid_until=AT, **marks),
        places.place(
            version(**marks),
            "port-facility",
            name="Invented Terminal",
            facility_number="BEANR-0001",
            security_level=2,
            position=Position(51.26, 4.36),
            outline=[Position(51.26, 4.36), Position(51.27, 4.36), Position(51.27, 4.37)],
        ),
    ]
    return [*bare, *full, *_said_of(bare[0]["id"], bare[3]["id"], bare[6]["id"])]


def _said_of(box: str, ship: str, drone: str) -> list[Object]:
    event = incident_core.event(
        version(),
        "occurred",
        name="Seal found broken",
        description="At the gate.",
        event_types=["seal-tampering"],
        goal="contraband",
        start_time=AT,
        end_time=AT,
        sighting_refs=[named("sighting")],
        next_event_refs=[named("event")],
    )
    task = incident_core.task(
        version(),
        "ongoing",
        name="Hold the container",
        description="Until customs come.",
        task_types=["containment"],
        priority=80,
        due_date=AT,
        start_time=AT,
        end_time=AT + timedelta(hours=1),
        next_task_refs=[named("task")],
    )
    impact = incident_core.physical_impact(
        version(),
        "damaged-nonfunctional",
        asset_type="seal",
        criticality=40,
        recoverability="regular",
        description="One seal.",
        impacted_refs=[box],
        impacted_entity_counts={"facilities": 1},
        start_time=AT,
        end_time=AT,
    )
    core = incident_core.core(
        "confirmed",
        "open",
        incident_types=["suspicious-container"],
        detection_methods=["human-review"],
        criticality=60,
        recoverability="regular",
        event_refs=[event["id"]],
        task_refs=[task["id"]],
        impact_refs=[impact["id"]],
        impacted_entity_counts={"facilities": 1},
    )
    ours = extension.properties(
        reference="PI-2026-1",
        version=1,
        kind="suspicious-container",
        status="triaged",
        priority=2,
        observed_at=STAMP,
        place_name="Gate 3",
        methods=["rip-on-rip-off", "seal-tampering"],
        handling=marking.write_handling(LABEL),
    )
    return [
        event,
        task,
        impact,
        incident_core.incident(version(), "Broken seal", core, ours, description="At gate 3.", labels=["gate"]),
        incident_core.incident(version(), "Nothing more is known"),
        incident_core.event(version(), "pending"),
        incident_core.task(version(), "unknown"),
        incident_core.physical_impact(version(), "none"),
        observations.gate_transaction(version(), [box], "in", AT),
        observations.gate_transaction(
            version(),
            [box],
            "out",
            AT,
            completed_at=AT + timedelta(minutes=2),
            gate="Gate 3",
            lane="2",
            facility_number="BEANR-0001",
            decision="denied",
            sensor="camera",
            sensor_confidence=97,
        ),
        observations.port_call(version(), [ship], "BEANR", AT, AT),
        observations.port_call(
            version(),
            [ship],
            "BEANR",
            AT,
            AT + timedelta(days=1),
            facility_number="BEANR-0001",
            berth="913",
            expected_at=AT,
            arrived_at=AT,
            departed_at=AT + timedelta(days=1),
            previous_un_locode="NLRTM",
            next_un_locode="DEHAM",
            voyage="123W",
        ),
        observations.track(
            version(),
            [drone],
            [
                observations.Fix(at=AT, latitude_deg=51.2, longitude_deg=4.4),
                observations.Fix(
                    at=AT + timedelta(seconds=1),
                    latitude_deg=51.2001,
                    longitude_deg=4.4,
                    altitude_m=80.5,
                    speed_mps=11.0,
                    course_deg=359.9,
                ),
            ],
            sensor="remote-id",
            sensor_confidence=100,
        ),
        playbook.course_of_action(version(), CACAO),
        *map(marking.tlp_marking, Tlp),
        *map(marking.pap_marking, Pap),
        marking.handling_marking(LABEL, AT, AUTHOR),
        marking.handling_marking(WIDE, AT),
        extension.author(),
        extension.definition(),
    ]


def standard() -> list[Object]:
    """One valid object of every SDO, SRO, SCO and meta type of STIX 2.1."""
    domain = {
        "attack-pattern": {"name": "Rip-off"},
        "campaign": {"name": "Spring", "first_seen": STAMP, "last_seen": LATER},
        "course-of-action": {"name": "Hold"},
        "grouping": {"name": "Seen together", "context": "suspicious-activity", "object_refs": [AUTHOR]},
        "identity": {"name": "Port of Invention", "identity_class": "organization"},
        "incident": {"name": "Broken seal"},
        "indicator": {
            "name": "A number",
            "pattern": "[ipv4-addr:value = '198.51.100.1']",
            "pattern_type": "stix",
            "valid_from": STAMP,
            "valid_until": LATER,
            "indicator_types": ["malicious-activity"],
        },
        "infrastructure": {"name": "Hosts", "first_seen": STAMP, "last_seen": LATER},
        "intrusion-set": {"name": "Set", "first_seen": STAMP, "last_seen": LATER},
        "location": {"latitude": 51.2, "longitude": 4.4, "precision": 10.0, "country": "BE"},
        "malware": {"name": "Wiper", "is_family": False, "sample_refs": [named("file")], "first_seen": STAMP},
        "malware-analysis": {
            "product": "sandbox",
            "result": "malicious",
            "submitted": STAMP,
            "sample_ref": named("file"),
            "operating_system_ref": named("software"),
        },
        "note": {"content": "Seen before.", "object_refs": [AUTHOR], "authors": ["Anna"]},
        "observed-data": {
            "first_observed": STAMP,
            "last_observed": LATER,
            "number_observed": 2,
            "object_refs": [named("ipv4-addr")],
        },
        "opinion": {"opinion": "agree", "object_refs": [AUTHOR]},
        "report": {"name": "Weekly", "published": STAMP, "object_refs": [AUTHOR], "report_types": ["campaign"]},
        "threat-actor": {"name": "They", "first_seen": STAMP, "last_seen": LATER},
        "tool": {"name": "Cutter", "kill_chain_phases": [{"kill_chain_name": "port", "phase_name": "entry"}]},
        "vulnerability": {
            "name": "CVE-2024-0001",
            "external_references": [{"source_name": "cve", "external_id": "CVE-2024-0001"}],
        },
        "relationship": {
            "relationship_type": "related-to",
            "source_ref": named("indicator"),
            "target_ref": named("malware"),
            "start_time": STAMP,
            "stop_time": LATER,
        },
        "sighting": {
            "sighting_of_ref": named("indicator"),
            "where_sighted_refs": [AUTHOR],
            "observed_data_refs": [named("observed-data")],
            "first_seen": STAMP,
            "last_seen": LATER,
            "count": 3,
        },
        "extension-definition": {
            "name": "An extension",
            "schema": "https://example.com/schema",
            "version": "1.2.3",
            "extension_types": ["property-extension"],
        },
        "language-content": {"object_ref": AUTHOR, "contents": {"nl": {"name": "Haven"}, "fr": {"name": "Port"}}},
    }
    objects = [
        {
            "type": kind,
            "spec_version": "2.1",
            "id": named(kind),
            "created_by_ref": AUTHOR,
            "created": STAMP,
            "modified": STAMP,
            **properties,
        }
        for kind, properties in domain.items()
    ]
    objects[0] |= {
        "granular_markings": [{"marking_ref": marking.TLP_IDS[Tlp.RED], "selectors": ["name", "id"]}],
        "object_marking_refs": [marking.TLP_IDS[Tlp.GREEN]],
        "lang": "en",
        "confidence": 50,
        "labels": ["invented"],
    }
    statement = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": named("marking-definition"),
        "created": STAMP,
        "definition_type": "statement",
        "definition": {"statement": "Invented."},
    }
    return [*objects, statement, *map(_observable, _OBSERVABLES)]


_OBSERVABLES: list[Object] = [
    {"type": "artifact", "mime_type": "image/jpeg", "payload_bin": "iVBORw0KGgo="},
    {"type": "autonomous-system", "number": 64496, "name": "Invented"},
    {"type": "directory", "path": "C:\\Windows", "ctime": STAMP},
    {"type": "domain-name", "value": "example.com"},
    {"type": "email-addr", "value": "anna@example.com", "display_name": "Anna"},
    {"type": "email-message", "is_multipart": False, "subject": "Pin", "body": "code", "date": STAMP},
    {"type": "file", "name": "a.txt", "hashes": {"SHA-256": SHA256}, "size": 0},
    {"type": "ipv4-addr", "value": "198.51.100.0/24"},
    {"type": "ipv6-addr", "value": "2001:db8::1"},
    {"type": "mac-addr", "value": "d2:fb:49:24:37:18"},
    {"type": "mutex", "name": "__CLEANSWEEP__"},
    {
        "type": "network-traffic",
        "src_ref": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3350f07e",
        "protocols": ["ipv4", "tcp"],
        "start": STAMP,
        "end": LATER,
        "is_active": False,
        "src_port": 1,
        "dst_port": 443,
    },
    {"type": "process", "pid": 1221, "created_time": STAMP},
    {"type": "software", "name": "Word", "cpe": "cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*", "languages": ["eng"]},
    {"type": "url", "value": "https://example.com/research/index.html"},
    {"type": "user-account", "user_id": "1001", "account_login": "anna", "account_created": STAMP},
    {"type": "windows-registry-key", "key": "hkey_local_machine\\system\\bar", "modified_time": STAMP},
    {"type": "x509-certificate", "serial_number": "36:f7:d4", "validity_not_before": STAMP},
]
assert {each["type"] for each in _OBSERVABLES} == SCO_TYPES == set(CONTRIBUTING)


def _observable(found: Object) -> Object:
    return {**found, "spec_version": "2.1", "id": derived_id(found) or named(found["type"])}


def is_random(identifier: str) -> bool:
    return UUID(identifier.partition("--")[2]).version == 4
