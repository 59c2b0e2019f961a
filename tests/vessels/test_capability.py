"""The declaration, its screens and its command."""

from __future__ import annotations

import asyncio
import re
import socket
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import TestClient
from vessels_kit import NOW_S, SQUARE, hear, position, service, until, voyage, zone

import port2port.web
from port2port.core.clock import system_clock
from port2port.core.party import Role
from port2port.testing import site
from port2port.testing.browser import browser
from port2port.vessels import FOLDER, capability
from port2port.vessels.rules import CAUSES
from port2port.vessels.settings import SourceSettings, VesselSettings
from port2port.vessels.sources import SourceState
from port2port.vessels.view import detail, flag
from port2port.vessels.web import routes
from port2port.web import FACTS

WORDS: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))


def test_a_datagram_reaches_the_layer_and_the_zone_file_the_map(tmp_path: Path) -> None:
    collection = {"type": "FeatureCollection", "features": [zone(SQUARE, {"rule": "enter"})]}
    (tmp_path / "zones.geojson").write_bytes(msgspec.json.encode(collection))
    sources = (SourceSettings(name="coast", kind="udp", address="127.0.0.1:0"),)
    at = site(tmp_path, capabilities=[capability], clock=system_clock)
    running = capability.start(at, VesselSettings(sources=sources, zones_file="zones.geojson"))
    traffic, zones = running.layers

    async def play() -> None:
        listening = asyncio.ensure_future(running.tasks[0].run())  # type: ignore[arg-type]
        await until(lambda: running.health()["sources"][0]["address"])  # type: ignore[index,no-any-return]
        address = running.health()["sources"][0]["address"]  # type: ignore[index]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(position(51.25, 2.95, time.time()), ("127.0.0.1", int(address.rpartition(":")[2])))
        await until(lambda: bool(list(traffic.movers.changed_since(0)[1])))  # type: ignore[union-attr]
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(play())
    running.close()
    assert [entry.kind for entry in at.store.read(0)] == ["VesselAppeared"]
    assert zones.features is not None
    assert zones.features()["features"][0]["properties"] == {
        "id": "harbour",
        "name": "Harbour",
        "style": "zone-restricted",
    }
    at.store.close()


@pytest.fixture
def client() -> Any:
    vessels = service()
    inland = position(50.95, 5.5, NOW_S, mmsi=205_000_009)
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage(), inland])
    with TestClient(Litestar(routes(vessels, [])[2:])) as client:
        yield client


def test_programs_get_vessels_in_a_box_by_name_and_number(client: Any) -> None:
    everyone = client.get("/api/vessels").json()["vessels"]
    assert [each["mmsi"] for each in everyone] == ["205123000", "205000009"]
    assert everyone[0]["speed_mps"] == pytest.approx(4.116, abs=1e-3)
    assert everyone[0]["flag"] == "BE"
    for query in ("bbox=2.8,51.1,3.1,51.4", "name=ZEE", "name=9074729", "limit=1"):
        assert [each["name"] for each in client.get(f"/api/vessels?{query}").json()["vessels"]] == ["ZEEHOND"], query


def test_every_word_has_four_languages_with_the_same_placeholders() -> None:
    for key, texts in WORDS.items():
        assert texts.keys() == {"en", "nl", "fr", "de"}, key
        holes = {frozenset(re.findall(r"\{(\w+)\}", text)) for text in texts.values()}
        assert len(holes) == 1, key


def test_every_word_that_code_makes_up_exists() -> None:
    from port2port.vessels.words import _EXACT, _TENS, DRIFT_GROUPS

    types = {"unknown", "barge", "aton", "base-station", "sar-aircraft", "sart", *_EXACT.values(), *_TENS.values()}
    made = {f"vessels.type.{name}" for name in types}
    made |= {f"vessels.status.{number}" for number in range(15)}
    made |= {f"vessels.rule.{rule}" for rule in CAUSES} | {f"vessels.ended.{cause}" for cause in CAUSES.values()}
    made |= {f"vessels.sentence.{rule}" for rule in CAUSES if rule != "drift"}
    made |= {f"vessels.sentence.drift.{group}" for group in (*DRIFT_GROUPS, "vessel")}
    made |= {f"vessels.doubt.{word}" for word in ("jump", "two-transmitters", "identity", "off-position")}
    made |= {f"vessels.quality.{word}" for word in ("measured", "doubtful", "old")}
    made |= {f"vessels.answer.{word}" for word in ("moving", "still", "unknown", "fixed", "status-1", "status-5")}
    assert made <= WORDS.keys()


def test_the_pages_say_only_words_that_exist_and_the_detail_answers_first() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage()])
    found = vessels.find("vessel:205123000")
    assert found
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(age=lambda _: "now", utc=lambda at: f"{at:%H:%M}Z")
    said: list[str] = []

    def t(key: str, **values: object) -> str:
        said.append(key)
        return WORDS[key]["en"].format(**values)

    html = environment.get_template("detail.html").render(t=t, vessel=detail(*found))
    assert said[0].startswith("vessels.")
    first = html.split("</p>")[0]
    assert "Tanker ZEEHOND, under way at 8.0 kn, course 90°." in first
    for template in ("list.html", "detail.html"):
        text = (FOLDER / "templates" / template).read_text("utf-8")
        assert set(re.findall(r't\("(vessels\.[\w.-]+)"[,)]', text)) <= WORDS.keys()


@pytest.mark.parametrize("role", [None, Role.READER, Role.OPERATOR])
def test_who_is_signed_in_sees_the_list_and_the_detail(role: Role | None) -> None:
    vessels = service(at=site(capabilities=[capability], facts=FACTS))
    vessels.site.store.migrate("web", Path(port2port.web.__file__).parent / "migrations")
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage()])
    states = [SourceState("ais-coast", "udp")]
    with browser(vessels.site, role=role, routes=routes(vessels, states), folders={"vessels": FOLDER}) as it:
        pages = [it.get(path) for path in ("/vessels", "/vessels?q=zee", "/vessels/vessel:205123000/detail")]
        if role is None:
            assert {each.status_code for each in pages} == {303}
            return
        assert [("ZEEHOND" in each.text, each.status_code) for each in pages] == [(True, 200)] * 3
        assert "vessels." not in re.sub(r"<[^>]*>", "", "".join(each.text for each in pages))
        assert "No vessel begins with" in it.get("/vessels?q=nobody").text
        assert it.get("/vessels/vessel:1/detail").status_code == 404
        problem = it.get("/api/vessels?bbox=1,2,3")
        assert (problem.status_code, problem.headers["content-type"]) == (400, "application/problem+json")


def test_a_flag_is_read_from_the_mmsi() -> None:
    assert [flag(205_123_000), flag(2_050_001), flag(992_051_234), flag(111_205_501), flag(1)] == ["BE"] * 4 + [""]


def test_the_command_plays_a_recording_and_counts(tmp_path: Path) -> None:
    lines = [position(51.25, 2.89, NOW_S), b"garbage", *voyage(), position(51.25, 2.901, NOW_S + 200)]
    (tmp_path / "film.nmea").write_bytes(b"\n".join(lines))
    collection = {"type": "FeatureCollection", "features": [zone(SQUARE, {"rule": "enter"})]}
    (tmp_path / "zones.geojson").write_bytes(msgspec.json.encode(collection))
    (commands,) = capability.commands
    arguments = ["replay", str(tmp_path / "film.nmea"), "--zones", str(tmp_path / "zones.geojson")]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0, result.output
    assert re.search(r"not-ais\s+1", result.output)
    assert re.search(r"enter\s+ZEEHOND\s+2026-03-01 12:03:20Z\s+Harbour\s+1", result.output)


def test_moments_of_the_kit_are_what_they_say() -> None:
    assert datetime.fromtimestamp(NOW_S, UTC) == datetime(2026, 3, 1, 12, tzinfo=UTC)
