"""Whoever leaves takes all with him, in formats that anybody reads; what may not go out stays."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backup_kit import CONTENT, OTHER, Opened, arrive, command, label, offer
from sqlalchemy import text

from port2port.core.handling import Tlp
from port2port.sharing import tables
from port2port.sharing.lane import lane_for
from port2port.web.facts import DataExported


def lines(path: Path) -> list[Any]:
    return [json.loads(each) for each in path.read_text().splitlines()]


def everything_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())


@pytest.fixture
def full(harbour: Path) -> Path:
    """A node with own and received objects: plain, for named readers, past their date, erased."""
    red = label(Tlp.RED, origin=OTHER)
    with Opened(harbour) as store:
        arrive(store, f"{OTHER}.one", b'{"type": "bundle",\n "says": "from Ghent"}', label(origin=OTHER))
        arrive(store, f"{OTHER}.red", b'"canary-named-received"', red)
        arrive(store, f"{OTHER}.old", b'"canary-past"', label(days=-1, origin=OTHER))
        offer(store, "red-own", b'"canary-named-own"', label(Tlp.RED))
        offer(store, "erased", b'"canary-erased"')
        with store.transaction() as tx:
            tx.forget_bodies([("erased", 1)])
            tables.add_lane(tx, lane_for(replace(red, readers=red.readers), urgent=False), own=False)
            for id_, handling, until in (("plain", None, None), ("r", "TLP:RED", None), ("o", None, 1)):
                data = {"title": f"title-{id_}", "handling": handling and {"tlp": handling}}
                tx.execute(
                    text(
                        "INSERT INTO incidents_incident VALUES"
                        " (:id, 'own', 'open', '', '', '', '', '', '', :until, 1, :data)"
                    ),
                    {"id": id_, "until": until, "data": json.dumps(data)},
                )
                entry = {"id": id_, "data": json.dumps({"text": f"note-{id_}"})}
                tx.execute(text("INSERT INTO incidents_entry VALUES (:id, 1, :data)"), entry)
    (harbour / "taxii.netrc").write_text("machine x password canary-password")
    return harbour


def test_all_that_may_go_out_is_there_and_stands_alone(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "away"
    with Opened(full):
        assert command("--data", full, "export", "--everything", out) == 0
    objects = {each["object_id"]: each for each in lines(out / "objects.jsonl")}
    assert objects.keys() == {"report-1", f"{OTHER}.one"}
    assert objects["report-1"]["bundle"] == json.loads(CONTENT)
    assert objects["report-1"]["handling"]["tlp"] == "TLP:AMBER"
    assert objects["report-1"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert objects[f"{OTHER}.one"]["bundle"] == {"type": "bundle", "says": "from Ghent"}
    assert (objects["report-1"]["received"], objects[f"{OTHER}.one"]["received"]) == (False, True)
    assert [each["data"]["title"] for each in lines(out / "tables/incidents_incident.jsonl")] == ["title-plain"]
    assert [each["data"]["text"] for each in lines(out / "tables/incidents_entry.jsonl")] == ["note-plain"]
    journal = lines(out / "journal.jsonl")
    assert [each["fact"]["object_id"] for each in journal] == ["report-1", f"{OTHER}.one", f"{OTHER}.old", "erased"]
    assert (out / "files/zones/quay.geojson").read_text() == "{}"
    assert "objects.jsonl" in (out / "README.md").read_text()


def test_nothing_goes_out_that_is_erased_past_its_date_secret_or_for_named_readers(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "away"
    assert command("--data", full, "export", "--everything", out) == 0
    found = everything_in(out)
    assert b"canary-of-the-quay" in found
    for hidden in (
        b"canary-named",
        b"canary-past",
        b"canary-erased",
        b"canary-password",
        b"title-r",
        b"note-o",
        b"anna@",
    ):
        assert hidden not in found, hidden
    assert b"PRIVATE KEY" not in found
    assert not (out / "files/identity.key").exists()


def test_what_is_for_named_readers_goes_out_when_told_and_that_is_recorded(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "away"
    assert command("--data", full, "export", "--everything", "--include-named", out) == 0
    found = everything_in(out)
    assert b"canary-named-own" in found
    assert b"canary-named-received" in found
    assert b"title-r" in found
    for hidden in (b"canary-past", b"canary-erased", b"canary-password", b"note-o"):
        assert hidden not in found, hidden
    with Opened(full) as store:
        (made,) = [each.fact for each in store.read(0, 1000, {"DataExported"})]
    assert isinstance(made, DataExported)
    assert (made.objects, made.named) == (4, True)


def test_the_manifest_holds_for_every_file(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "away"
    assert command("--data", full, "export", "--everything", out) == 0
    said = json.loads((out / "manifest.json").read_text())
    paths = {str(each.relative_to(out)): each for each in out.rglob("*") if each.is_file()}
    assert said["sha256"].keys() == paths.keys() - {"manifest.json"}
    for name, digest in said["sha256"].items():
        assert hashlib.sha256(paths[name].read_bytes()).hexdigest() == digest
    assert said["organisation"] == "Port of Ostend"


def test_passwords_of_people_and_programs_stay(full: Path, tmp_path: Path) -> None:
    with Opened(full) as store, store.transaction() as tx:
        tx.execute(text("INSERT INTO sharing_taxii_account VALUES ('p', 'canary-hash', 1, 0, '', '', 1)"))
        tx.execute(text("INSERT INTO sharing_short_code VALUES ('s', 'canary-code', 'x', 1, 0)"))
    out = tmp_path / "away"
    assert command("--data", full, "export", "--everything", "--include-named", out) == 0
    assert [each["name"] for each in lines(out / "tables/sharing_taxii_account.jsonl")] == ["p"]
    assert b"canary-hash" not in everything_in(out)
    assert b"canary-code" not in everything_in(out)


def test_a_folder_with_something_in_it_is_left_alone(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "away"
    out.mkdir()
    (out / "mine").write_text("x")
    assert command("--data", full, "export", "--everything", out) == 5
    assert [each.name for each in out.iterdir()] == ["mine"]
    assert command("--data", full, "export", tmp_path / "other") == 2
    assert "--everything" in capsys.readouterr().err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["away", "harbour"]
