"""The feed directory that we write: only what may be there, never twice, and gone when it is taken back."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from misp_kit import AT, bundle, incident, indicator, label, observable, offer

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, Unavailable
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.handling import PersonalData, Tlp, named_nodes
from port2port.core.party import Compartment
from port2port.sharing.book import Book
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.misp import tables
from port2port.sharing.misp.choice import Choice
from port2port.sharing.misp.directory import Directory
from port2port.sharing.misp.export import Exported, export
from port2port.sharing.misp.facts import FeedWritten
from port2port.sharing.misp.ids import event_uuid
from port2port.sharing.misp.limits import TOMBSTONE_DAYS
from port2port.sharing.misp.tables import Shared

BOX = "[shipping-container:number = 'MSCU6639870']"


def run(here: Site, folder: Path, **choice: Any) -> Exported:
    return export(here, Book(), folder, Choice(**choice))


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and the moment it was replaced."""
    return {each.name: (each.read_bytes(), each.stat().st_ino) for each in sorted(folder.iterdir())}


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_bytes())  # type: ignore[no-any-return]


def event(folder: Path, here: Site, object_id: str) -> dict[str, Any]:
    path = folder / f"{event_uuid(here.party.node_id, object_id)}.json"
    return json.loads(path.read_bytes())["Event"]  # type: ignore[no-any-return]


def test_a_shared_incident_stands_in_the_folder_as_an_event(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), indicator(1, BOX)))
    done = run(here, tmp_path)
    assert (done.written, done.left_out, dict(done.held_back)) == (1, 0, {})
    found = event(tmp_path, here, "one")
    assert found["info"] == "Seal broken"
    assert found["Orgc"]["name"] == "Port of Ostend"
    assert [each["name"] for each in found["Tag"]] == ["tlp:green"]
    assert "distribution" not in found
    assert "SharingGroup" not in found
    assert manifest(tmp_path) == {
        found["uuid"]: {
            "Orgc": found["Orgc"],
            "Tag": [{"name": "tlp:green"}],
            "info": "Seal broken",
            "date": "2026-03-01",
            "analysis": 0,
            "threat_level_id": 2,
            "timestamp": found["timestamp"],
        }
    }


def test_hashes_csv_finds_the_event_of_a_container_number(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), indicator(1, BOX)))
    run(here, tmp_path)
    rows = list(csv.reader((tmp_path / "hashes.csv").read_text().splitlines()))
    digest = hashlib.md5(b"MSCU6639870").hexdigest()
    assert [digest, event_uuid(here.party.node_id, "one")] in rows


def test_exporting_twice_changes_no_file(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    before = files(tmp_path)
    here.clock.step(timedelta(hours=1))  # type: ignore[attr-defined]
    done = run(here, tmp_path)
    assert (done.written, done.unchanged) == (0, 1)
    assert files(tmp_path) == before


def test_a_first_export_of_nothing_can_be_followed_by_a_second(here: Site, tmp_path: Path) -> None:
    run(here, tmp_path)
    offer(here, "one", bundle(incident()))
    assert run(here, tmp_path).written == 1


def test_only_the_event_that_changed_is_rewritten(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(1)))
    offer(here, "two", bundle(incident(2)))
    run(here, tmp_path)
    before = files(tmp_path)
    offer(here, "two", bundle(incident(2, name="Seal broken again")), version=2)
    done = run(here, tmp_path)
    after = files(tmp_path)
    assert (done.written, done.unchanged) == (1, 1)
    one = f"{event_uuid(here.party.node_id, 'one')}.json"
    assert after[one] == before[one]
    assert event(tmp_path, here, "two")["info"] == "Seal broken again"


def test_a_new_version_keeps_every_uuid_and_has_a_newer_stamp(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), observable("vessel", imo="9074729", name="OLD NAME")))
    run(here, tmp_path)
    before = event(tmp_path, here, "one")
    offer(here, "one", bundle(incident(), observable("vessel", imo="9074729", name="NEW NAME")), version=2)
    run(here, tmp_path)
    after = event(tmp_path, here, "one")
    assert int(after["timestamp"]) > int(before["timestamp"])
    uuids = [{part["uuid"] for each in found["Object"] for part in each["Attribute"]} for found in (before, after)]
    assert uuids[0] == uuids[1]


def test_what_a_new_version_no_longer_says_is_marked_deleted_without_its_content(here: Site, tmp_path: Path) -> None:
    offer(
        here,
        "one",
        bundle(incident(), indicator(1, "[url:value = 'https://bad.example/']"), observable("url", value="x:y")),
    )
    run(here, tmp_path)
    offer(here, "one", bundle(incident()), version=2)
    run(here, tmp_path)
    found = event(tmp_path, here, "one")
    assert {each["deleted"] for each in found["Attribute"]} == {True}
    assert len(found["Attribute"]) == 2
    assert "bad.example" not in json.dumps(found)
    assert hashlib.md5(b"https://bad.example/").hexdigest() not in (tmp_path / "hashes.csv").read_text()


def test_what_comes_back_is_no_longer_marked_deleted(here: Site, tmp_path: Path) -> None:
    seen = observable("url", value="https://bad.example/")
    for version, objects in enumerate([[incident(), seen], [incident()], [incident(), seen]], start=1):
        offer(here, "one", bundle(*objects), version=version)
        run(here, tmp_path)
        if version == 2:
            buried = event(tmp_path, here, "one")["Attribute"][0]
    found = event(tmp_path, here, "one")["Attribute"]
    assert [(each["deleted"], each["value"]) for each in found] == [(False, "https://bad.example/")]
    assert int(found[0]["timestamp"]) > int(buried["timestamp"])


def test_a_tag_that_was_taken_off_is_a_new_version_that_says_so(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(labels=["port:drill"])))
    run(here, tmp_path)
    before = event(tmp_path, here, "one")
    offer(here, "one", bundle(incident()), version=2)
    run(here, tmp_path)
    after = event(tmp_path, here, "one")
    assert {"name": "port:drill", "deleted": True} in after["Tag"]
    assert int(after["timestamp"]) > int(before["timestamp"])
    assert manifest(tmp_path)[after["uuid"]]["Tag"] == [{"name": "tlp:green"}]


def test_a_stricter_colour_takes_the_event_out(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    offer(here, "one", bundle(incident(1, Tlp.AMBER), tlp=Tlp.AMBER), version=2, tlp=Tlp.AMBER)
    done = run(here, tmp_path)
    assert (done.withdrawn, dict(done.held_back)) == (1, {"tlp-too-strict": 1})
    assert "Seal broken" not in json.dumps(event(tmp_path, here, "one"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tlp": Tlp.AMBER}, "tlp-too-strict"),
        ({"tlp": Tlp.RED, "readers": frozenset({"a@b"})}, "tlp-too-strict"),
        ({"compartment": Compartment.B}, "police-side"),
        ({"personal_data": PersonalData.STAFF}, "personal-data"),
        ({"personal_data": PersonalData.OFFENCE_RELATED}, "personal-data"),
        ({"context": "exercise-1"}, "exercise"),
        ({"audience": named_nodes("f" * 64)}, "not-for-all-members"),
        ({"agreement_id": "another"}, "no-agreement"),
        ({"retain_until": AT}, "retention-over"),
    ],
)
def test_what_may_not_stand_there_does_not(here: Site, tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    offer(here, "one", bundle(incident()), **changes)
    done = run(here, tmp_path)
    assert (done.written, dict(done.held_back)) == (0, {reason: 1})
    assert manifest(tmp_path) == {}
    assert {each.name for each in tmp_path.iterdir()} == {"manifest.json", "hashes.csv"}


def test_a_plate_beside_a_suspicion_is_not_exported_whatever_its_label_says(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), observable("road-vehicle", plate="1ABC123", country="BE")))
    offer(here, "two", bundle(incident(2), indicator(1, "[road-vehicle:plate = '1ABC123']")))
    offer(here, "three", bundle(incident(3), observable("uas", serial="1581F45T7229100ABCD1", operator_id="BEL123")))
    assert dict(run(here, tmp_path).held_back) == {"about-a-person": 3}


def test_an_object_that_is_marked_more_strictly_than_its_label_stays(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), indicator(1, BOX, Tlp.RED)))
    assert dict(run(here, tmp_path).held_back) == {"marked-stricter": 1}


def test_a_body_that_is_no_stix_is_counted_and_holds_up_nobody(here: Site, tmp_path: Path) -> None:
    offer(here, "one", b'{"objects": [{"type": "incident"}]}')
    offer(here, "two", bundle(incident(2)))
    done = run(here, tmp_path)
    assert (done.written, dict(done.held_back)) == (1, {"not-stix": 1})


def test_red_and_amber_strict_cannot_even_be_chosen_for_others() -> None:
    with pytest.raises(BadInput):
        Choice(Tlp.RED, for_ourselves=True)
    with pytest.raises(BadInput):
        Choice(Tlp.AMBER_STRICT)


def test_our_own_misp_may_read_what_this_node_may_have(here: Site, tmp_path: Path) -> None:
    strict = bundle(incident(1, Tlp.AMBER_STRICT), tlp=Tlp.AMBER_STRICT)
    offer(here, "one", strict, tlp=Tlp.AMBER_STRICT, audience=named_nodes("f" * 64))
    assert run(here, tmp_path, tlp_at_most=Tlp.AMBER_STRICT, for_ourselves=True).written == 1
    assert event(tmp_path, here, "one")["Tag"] == [{"name": "tlp:amber+strict"}]


def arrive(here: Site, origin: str, object_id: str, body: bytes, **changes: Any) -> str:
    """Another port's object, as sharing stores it here."""
    body_id = f"{origin}.{object_id}"
    with here.store.transaction() as tx:
        tx.put_body(body_id, 1, body)
        tx.append(
            ObjectArrived(
                at=here.clock(),
                object_kind="incident",
                object_id=body_id,
                version=1,
                handling=label(here, origin=origin, **changes),
                origin=origin,
                origin_name="Port of Ghent",
            )
        )
    return body_id


def test_what_others_shared_with_us_is_not_handed_on(here: Site, tmp_path: Path) -> None:
    arrive(here, "f" * 64, "one", bundle(incident()))
    assert dict(run(here, tmp_path).held_back) == {"not-ours": 1}


def test_an_object_of_one_who_left_the_network_is_not_even_for_ourselves(here: Site, tmp_path: Path) -> None:
    arrive(here, "f" * 64, "one", bundle(incident()))
    assert dict(run(here, tmp_path, for_ourselves=True).held_back) == {"not-a-member": 1}


def test_an_erased_object_leaves_nothing_but_the_news_and_then_not_even_that(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(), indicator(1, BOX)))
    run(here, tmp_path)
    before = event(tmp_path, here, "one")
    with here.store.transaction() as tx:
        gone = ObjectErased(
            at=here.clock(),
            object_kind="incident",
            object_id="one",
            version=1,
            origin=here.party.node_id,
            reason="court",
        )
        tx.append(gone)
    assert run(here, tmp_path).withdrawn == 1
    left = event(tmp_path, here, "one")
    everything = b"".join(each.read_bytes() for each in tmp_path.iterdir()).decode()
    assert "MSCU6639870" not in everything
    assert "Seal broken" not in everything
    assert (tmp_path / "hashes.csv").read_bytes() == b""
    uuids = [{part["uuid"] for each in found["Object"] for part in each["Attribute"]} for found in (before, left)]
    assert uuids[0] == uuids[1]
    assert all(part["deleted"] for each in left["Object"] for part in [each, *each["Attribute"]])
    assert int(left["timestamp"]) > int(before["timestamp"])
    settled = files(tmp_path)
    assert run(here, tmp_path).withdrawn == 0
    assert files(tmp_path) == settled
    here.clock.step(timedelta(days=TOMBSTONE_DAYS))  # type: ignore[attr-defined]
    run(here, tmp_path)
    assert manifest(tmp_path) == {}
    assert {each.name for each in tmp_path.iterdir()} == {"manifest.json", "hashes.csv"}


def test_what_its_origin_withdrew_leaves_the_folder(here: Site, tmp_path: Path) -> None:
    clear = {"tlp": Tlp.CLEAR}
    me = here.party.node_id
    body_id = arrive(here, me, "one", bundle(incident(1, Tlp.CLEAR), tlp=Tlp.CLEAR), **clear)
    assert run(here, tmp_path).written == 1
    with here.store.transaction() as tx:
        gone = ObjectWithdrawn(
            at=here.clock(), object_kind="incident", object_id=body_id, version=1, origin=me, reason="mistake"
        )
        tx.append(gone)
    assert run(here, tmp_path).withdrawn == 1


@pytest.mark.parametrize("op", ["withdraw", "erase"])
def test_what_we_take_back_leaves_the_folder_and_returns_when_it_is_shared_anew(
    here: Site, tmp_path: Path, op: str
) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    with here.store.transaction() as tx:
        tx.append(RecallOrdered(at=here.clock(), op=op, object_ids=("one",), reason="mistake", account="an-operator"))
    assert run(here, tmp_path).withdrawn == 1
    assert "Seal broken" not in json.dumps(event(tmp_path, here, "one"))
    offer(here, "one", bundle(incident()), version=2)
    assert run(here, tmp_path).written == 1
    found = event(tmp_path, here, "one")
    assert found["info"] == "Seal broken"
    assert not any(each["deleted"] for each in found["Object"])


def test_what_is_over_its_retention_date_leaves_the_folder(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    here.clock.step(timedelta(days=31))  # type: ignore[attr-defined]
    done = run(here, tmp_path)
    assert (done.withdrawn, dict(done.held_back)) == (1, {"retention-over": 1})


def test_a_folder_with_other_peoples_files_is_left_alone(here: Site, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Conflict):
        run(here, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_a_lost_index_or_event_file_is_made_again(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident(1)))
    offer(here, "two", bundle(incident(2)))
    run(here, tmp_path)
    before = {name: data for name, (data, _) in files(tmp_path).items()}
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "hashes.csv").unlink()
    (tmp_path / f"{event_uuid(here.party.node_id, 'one')}.json").unlink()
    run(here, tmp_path)
    assert {name: data for name, (data, _) in files(tmp_path).items()} == before


def test_a_run_that_breaks_off_is_taken_up_by_the_next(
    here: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(here, "one", bundle(incident(1)))
    offer(here, "two", bundle(incident(2)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", full)
        with pytest.raises(Unavailable, match="No space left"):
            run(here, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with monkeypatch.context() as broken:
        broken.setattr(Directory, "write_index", full)
        with pytest.raises(Unavailable):
            run(here, tmp_path)
    (tmp_path / ".new-half").write_text("left by a power cut")
    assert run(here, tmp_path).written == 2
    assert len(manifest(tmp_path)) == 2
    assert not list(tmp_path.glob(".new-*"))
    stamps = {each: found["timestamp"] for each, found in manifest(tmp_path).items()}
    assert run(here, tmp_path).unchanged == 2
    assert {each: found["timestamp"] for each, found in manifest(tmp_path).items()} == stamps


def test_what_left_the_node_this_way_is_written_down(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    run(here, tmp_path)
    (recorded,) = here.store.read(0, 10, ["FeedWritten"])
    assert recorded.fact == FeedWritten(
        at=here.clock(),
        folder=str(tmp_path),
        tlp_at_most="TLP:GREEN",
        for_ourselves=False,
        written=("one",),
        taken_out=(),
    )


def test_another_port_cannot_speak_under_a_name_of_its_choice(here: Site, tmp_path: Path) -> None:
    clear = bundle(incident(1, Tlp.CLEAR), tlp=Tlp.CLEAR)
    arrive(here, here.party.node_id, "one", clear, tlp=Tlp.CLEAR)
    with here.store.transaction() as tx:
        tables.share(
            tx, Shared("x.two", "two", "f" * 64, "Port of Ghent", 1, label(here, origin="f" * 64, tlp=Tlp.CLEAR), AT)
        )
        tx.put_body("x.two", 1, clear)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Choice, "problem", lambda *_: "")
        run(here, tmp_path)
    assert sorted(found["Orgc"]["name"] for found in manifest(tmp_path).values()) == ["Port of Ghent", "Port of Ostend"]


def test_a_stray_event_in_our_folder_is_removed(here: Site, tmp_path: Path) -> None:
    offer(here, "one", bundle(incident()))
    run(here, tmp_path)
    (tmp_path / "6b1c3d2e-0000-4000-8000-000000000000.json").write_text("{}")
    (tmp_path / "README").write_text("kept")
    run(here, tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        ["README", "hashes.csv", "manifest.json", f"{event_uuid(here.party.node_id, 'one')}.json"]
    )
