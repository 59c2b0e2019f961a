"""Everything that we can say in MISP, drawn by Hypothesis: whole bundles whose references hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from misp_kit import ORGANISATION, incident, indicator, observable, versioned

from port2port.core.handling import Pap, Tlp
from port2port.core.identifiers import container
from port2port.sharing.misp import tags
from port2port.sharing.misp.templates import INCIDENT_CORE
from port2port.stix.extension import EXTENSION_ID

Stix = dict[str, Any]

words = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40).map(str.strip).filter(bool)
)
"""MISP trims values, and has no empty ones."""
lines = words.map(lambda text: " ".join(text.split())).filter(lambda text: text != "-")
"""A name: MISP has one comment, whose first line it is."""
times = st.integers(0, 999).map(lambda ms: f"2026-03-05T08:30:00.{ms:03}Z")
countries = st.sampled_from(["BE", "NL", "FR", "DE"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Stix]:
    """Any of these properties."""
    return st.fixed_dictionaries({}, optional=fields)


numbers = st.integers(0, 999_999).map(lambda serial: f"MSCU{serial:06}{container.check_digit(f'MSCU{serial:06}')}")
seals = st.builds(
    lambda number, kind, more: observable("container-seal", number=number, kind=kind, **more),
    st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True),
    st.sampled_from(["mechanical", "electronic", "customs", "other"]),
    some(
        state=st.sampled_from(["intact", "broken", "missing"]),
        security_class=st.sampled_from(["indicative", "security", "high-security"]),
        applied_at=times,
        broken_at=times,
    ),
)
containers = st.builds(
    lambda number, more: observable("shipping-container", number=number, **more),
    numbers,
    some(size_type=st.just("45G1"), owner=words, tare_kg=st.integers(0, 50_000), is_reefer=st.booleans()),
)
vehicles = st.builds(
    lambda plate, country, more: observable("road-vehicle", plate=plate, country=country, **more),
    st.from_regex(r"[A-Z0-9]{1,9}", fullmatch=True),
    countries,
    some(
        vin=st.from_regex(r"[A-HJ-NPR-Z0-9]{17}", fullmatch=True),
        make=words,
        model=words,
        colour=words,
        vehicle_type=words,
        adr_un_numbers=st.lists(st.from_regex(r"[0-9]{4}", fullmatch=True), min_size=1, max_size=3, unique=True),
    ),
)
metres = st.integers(0, 1_000).map(lambda tenths: tenths / 100)
ship_numbers = st.sampled_from([{"imo": "9074729"}, {"mmsi": "205344990"}, {"imo": "9074729", "mmsi": "205344990"}])
vessels = st.builds(
    lambda which, more: observable("vessel", **which, **more),
    ship_numbers,
    some(
        name=words,
        call_sign=st.from_regex(r"[A-Z0-9]{3,7}", fullmatch=True),
        flag=countries,
        vessel_type=words,
        length_m=metres,
        beam_m=metres,
        draught_m=metres,
    ),
)
drones = st.builds(
    lambda which, more: observable("uas", **which, **more),
    st.sampled_from([{"serial": "1581F45T7229100ABCD1"}, {"session_id": "0a" * 10}]),
    some(
        operator_id=words,
        uas_class=st.sampled_from(["C0", "C1", "C2"]),
        remote_id_standard=words,
        make=words,
        model=words,
    ),
)
hashes = st.fixed_dictionaries(
    {},
    optional={
        "MD5": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
        "SHA-1": st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
        "SHA-256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    },
)
a_files = st.builds(
    lambda name, found, more: observable("file", name=name, **({"hashes": found} if found else {}), **more),
    words,
    hashes,
    some(size=st.integers(0, 2**40), mime_type=lines),
)
ipv4 = st.ip_addresses(v=4).map(str)
ipv6 = st.ip_addresses(v=6).map(str)
plain = st.one_of(
    ipv4.map(lambda text: observable("ipv4-addr", value=text)),
    ipv6.map(lambda text: observable("ipv6-addr", value=text)),
    st.just(observable("domain-name", value="bad.example")),
    st.just(observable("url", value="https://bad.example/a?b='c'")),
    st.just(observable("email-addr", value="a@bad.example")),
)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


patterns = st.one_of(
    ipv4.map(lambda text: f"[ipv4-addr:value = '{text}']"),
    ipv4.map(lambda text: f"[domain-name:value = 'bad.example' AND domain-name:resolves_to_refs[*].value = '{text}']"),
    words.map(lambda text: f"[domain-name:value = '{_quoted(text)}']"),
    words.map(lambda text: f"[ipv4-addr:value = '{_quoted(text)}']"),
    words.map(lambda text: f"[file:name = '{_quoted(text)}' AND file:hashes.MD5 = '{'a' * 32}']"),
    st.just(f"[file:hashes.'SHA-256' = '{'b' * 64}']"),
    numbers.map(lambda text: f"[shipping-container:number = '{text}']"),
    st.just("[vessel:imo = '9074729']"),
    st.just(
        "[shipping-container:number = 'MSCU6639870'] FOLLOWEDBY [uas:serial = '1581F45T7229100ABCD1'] WITHIN 60 SECONDS"
    ),
    st.just("[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
)


@st.composite
def indicators(draw: st.DrawFn) -> Stix:
    more = draw(
        some(
            name=lines,
            description=words,
            valid_until=st.just("2026-05-01T00:00:00.000Z"),
            revoked=st.just(True),
            labels=st.lists(st.sampled_from(["a:b", "c"]), min_size=1, max_size=2, unique=True),
            indicator_types=st.just(["malicious-activity"]),
        )
    )
    made = indicator(draw(st.integers(0, 9)), draw(patterns), valid_from=draw(times), **more)
    return made | {"modified": draw(times)}


incidents = st.builds(
    lambda more, core, ours, modified: incident(
        1,
        **more,
        modified=modified,
        extensions={
            **({INCIDENT_CORE: {"extension_type": "property-extension", **core}} if core else {}),
            **({EXTENSION_ID: {"extension_type": "property-extension", **ours}} if ours else {}),
        },
    ),
    st.fixed_dictionaries(
        {"name": lines},
        optional={
            "description": words,
            "labels": st.lists(st.sampled_from(["port:drill", "x"]), min_size=1, max_size=2, unique=True),
        },
    ),
    st.fixed_dictionaries(
        {"determination": st.just("suspected")}, optional={"incident_types": st.just(["theft", "exploit"])}
    ),
    some(
        reference=words,
        kind=st.just("drone"),
        status=st.just("triaged"),
        priority=st.integers(1, 4),
        observed_at=times,
        place_name=words,
        methods=st.lists(st.sampled_from(["switch", "rip-on"]), min_size=1, max_size=2, unique=True),
    ),
    times,
)
degrees = st.integers(-9_000, 9_000).map(lambda hundredths: hundredths / 100)
places = st.builds(
    lambda latitude, longitude, more: versioned("location", 1, latitude=latitude, longitude=longitude, **more),
    degrees,
    degrees,
    some(
        name=words,
        description=words,
        precision=st.integers(0, 10_000).map(float),
        country=countries,
        city=words,
        street_address=words,
        postal_code=words,
    ),
)
organisations = st.builds(
    lambda name, more: versioned("identity", 7, name=name, identity_class="organization", **more),
    words,
    some(
        description=words,
        contact_information=words,
        sectors=st.just(["transportation", "government"]),
        roles=st.lists(words, min_size=1, max_size=2, unique=True),
    ),
)


@st.composite
def bundles(draw: st.DrawFn) -> list[Stix]:
    """The objects of one shared bundle, under one TLP and perhaps a PAP."""
    told = draw(incidents)
    kinds = st.one_of(seals, containers, vehicles, vessels, drones, a_files, plain, indicators(), places, organisations)
    found = draw(st.lists(kinds, max_size=6))
    if draw(st.booleans()):
        found.append(versioned("note", draw(st.integers(0, 9)), content=draw(words), object_refs=[told["id"]]))
    unique = {each["id"]: each for each in [told, *found]}
    _seal(list(unique.values()))
    targets = st.sampled_from(sorted(unique))
    if draw(st.booleans()):
        made = versioned(
            "relationship", 1, relationship_type="related-to", source_ref=told["id"], target_ref=draw(targets)
        )
        unique[made["id"]] = made | draw(some(description=lines))
    return _marked(
        list(unique.values()), draw(st.sampled_from(list(Tlp))), draw(st.none() | st.sampled_from(list(Pap)))
    )


def _seal(objects: list[Stix]) -> None:
    """Every seal is on the first container."""
    found = [each["id"] for each in objects if each["type"] == "container-seal"]
    box = next((each for each in objects if each["type"] == "shipping-container"), None)
    if box is not None and found:
        box["seal_refs"] = found


def _marked(objects: list[Stix], tlp: Tlp, pap: Pap | None) -> list[Stix]:
    refs = tags.marking_refs(tlp, pap)
    marks = [tags.marking(each) for each in (tlp, pap) if each is not None]
    return [ORGANISATION, *marks, *({**each, "object_marking_refs": refs} for each in objects)]
