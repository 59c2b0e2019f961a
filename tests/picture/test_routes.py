"""What the browser asks of the picture."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from picture_kit import NOW, Desk, raised
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from port2port.core.alert import AlertWorsened, Priority
from port2port.core.errors import BadInput
from port2port.core.fact import Recorded
from port2port.picture.basemap import Part, find_basemap, wanted_part
from port2port.picture.model import CAUSES, fold_all
from port2port.picture.present import alert_json, change_json
from port2port.testing.browser import Browser
from port2port.web.csrf import HEADER


def post(browser: Browser, path: str, body: object) -> tuple[int, dict[str, object]]:
    headers = {HEADER: browser.token, "Content-Type": "application/json"}
    answer = browser.client.post(path, content=msgspec.json.encode(body), headers=headers)
    return answer.status_code, answer.json()


def test_the_console_is_a_page_with_its_words_and_no_inline_style(operator: Browser) -> None:
    text = operator.get("/map").text
    start = json.loads(text.split('id="console-data">')[1].split("</script>")[0])
    assert start["words"]["picture.queue"]
    assert start["basemap"] is None
    assert " style=" not in text


def test_a_stranger_is_shown_nothing(operator: Browser) -> None:
    operator.client.cookies.clear()
    for path in ("/map", "/api/picture/alerts", "/api/picture/positions", "/api/picture/stream", "/basemap.pmtiles"):
        assert operator.get(path, headers={"Accept": "application/json"}).status_code == 401


def test_the_queue_is_small_json_in_the_reader_s_language(desk: Desk, operator: Browser) -> None:
    desk.tell(raised(priority=Priority.URGENT))
    answer = operator.get("/api/picture/alerts")
    page = answer.json()
    assert [each["sentence"] for each in page["alerts"]] == ["3 new"]
    assert (page["total"], page["after"] >= 1) == (1, True)
    assert len(answer.content) < 800


def test_an_operator_acknowledges_and_closes(desk: Desk, operator: Browser) -> None:
    desk.tell(raised())
    status, alert = post(operator, "/api/picture/alerts/a1/acknowledge", {"seen": 1_000})
    assert (status, alert["state"]) == (200, "acknowledged")
    status, alert = post(operator, "/api/picture/alerts/a1/close", {"cause": CAUSES[0]})
    assert (status, alert["state"]) == (200, "closed")


def test_an_acknowledgement_of_what_got_worse_is_a_conflict(desk: Desk, operator: Browser) -> None:
    desk.tell(raised())
    seen = operator.get("/api/picture/alerts").json()["alerts"][0]["seen"]
    desk.tell(AlertWorsened(at=NOW, alert_id="a1", priority=Priority.URGENT, sentence="picture.queue", values={}))
    status, problem = post(operator, "/api/picture/alerts/a1/acknowledge", {"seen": seen})
    assert status == 409
    assert "worse" in json.dumps(problem)


def test_an_unlisted_cause_and_an_unknown_alert_are_refused(desk: Desk, operator: Browser) -> None:
    desk.tell(raised())
    assert post(operator, "/api/picture/alerts/a1/close", {"cause": "because"})[0] == 400
    assert post(operator, "/api/picture/alerts/zz/acknowledge", {})[0] == 404
    assert operator.get("/api/picture/features/none.such").status_code == 404


def test_a_screen_s_measurement_reaches_the_health_page(desk: Desk, operator: Browser) -> None:
    headers = {HEADER: operator.token}
    assert operator.client.post("/api/picture/glass", json={"ms": 84}, headers=headers).status_code == 204
    assert operator.client.post("/api/picture/glass", json={"ms": -1}, headers=headers).status_code == 400
    assert desk.running.health()["sensor to screen p99 ms"] == 84


def test_a_change_says_what_the_whole_alert_would_say() -> None:
    """The live stream and the table may never tell two stories."""

    def say(key: str, /, **values: object) -> str:
        return f"{key}{sorted(values.items())}"

    worse = AlertWorsened(at=NOW, alert_id="a1", priority=Priority.URGENT, sentence="picture.queue", values={"n": "1"})
    journal = [Recorded(n, NOW, fact.kind(), fact) for n, fact in enumerate((raised(), worse), 1)]
    whole = fold_all(None, journal)
    assert whole is not None
    laid_over: dict[str, object] = {}
    for entry in journal:
        change = change_json(entry, say)
        assert change is not None
        laid_over |= change[1]
    assert laid_over == alert_json(whole, say)


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.pmtiles"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(0, 0, 0), b"a tile" * 50)
        header = {"tile_type": TileType.MVT, "tile_compression": Compression.NONE}
        bounds = {f"{side}_e7": 0 for side in ("min_lon", "min_lat", "max_lon", "max_lat", "center_lon", "center_lat")}
        metadata = {"attribution": "<a href='x'>Somebody</a>", "vector_layers": [{"id": "land"}]}
        writer.finalize({**header, **bounds, "center_zoom": 0}, metadata)
    return path


def test_a_base_map_tells_who_made_it_and_what_is_in_it(map_file: Path) -> None:
    found = find_basemap(map_file)
    assert found is not None
    assert (found.attribution, found.layers) == ("Somebody", ("land",))


def test_a_file_that_is_no_base_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pmtiles").write_bytes(b"no map" * 40)
    with pytest.raises(BadInput, match="no PMTiles"):
        find_basemap(tmp_path / "x.pmtiles")
    assert find_basemap(tmp_path / "absent.pmtiles") is None


def test_ranges_of_the_base_map() -> None:
    assert wanted_part("bytes=0-126", 1000) == Part(0, 126)
    assert wanted_part("bytes=900-", 1000) == Part(900, 999)
    assert wanted_part("bytes=990-5000", 1000) == Part(990, 999)
    assert wanted_part(None, 1000) is wanted_part("pages=1-2", 1000) is None
    with pytest.raises(BadInput):
        wanted_part("bytes=1000-", 1000)
