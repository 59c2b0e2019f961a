"""Settings: a file, the environment on top, and kind refusals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from port2port.config import NodeSettings, load
from port2port.core.errors import BadInput
from port2port.core.party import Compartment


@dataclass(frozen=True, kw_only=True)
class Feed:
    name: str = ""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Watching:
    zones_file: Annotated[str, msgspec.Meta(description="Where the zones are drawn.")] = ""
    lost_after_s: Annotated[int, msgspec.Meta(description="Silence in seconds.", ge=1)] = 600
    sources: tuple[Feed, ...] = ()


SECTIONS = {"node": NodeSettings, "watching": Watching}


def written(folder: Path, text: str) -> Path:
    (folder / "port2port.toml").write_text(text)
    return folder


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load(tmp_path, SECTIONS, {})
    assert settings.section("node", NodeSettings).compartment is Compartment.A
    assert settings.section("watching", Watching).lost_after_s == 600


def test_the_file_speaks_and_the_environment_has_the_last_word(tmp_path: Path) -> None:
    folder = written(tmp_path, '[node]\nname = "Port of Ostend"\n[watching]\nlost_after_s = 60\nzones_file = "a"\n')
    environment = {"PORT2PORT_WATCHING__ZONES_FILE": "b.geojson", "PORT2PORT_WATCHING__LOST_AFTER_S": "90"}
    settings = load(folder, SECTIONS, environment)
    assert settings.section("node", NodeSettings).name == "Port of Ostend"
    assert settings.section("watching", Watching) == Watching(zones_file="b.geojson", lost_after_s=90)
    assert settings.explain("watching.lost_after_s").origin == "PORT2PORT_WATCHING__LOST_AFTER_S"
    assert settings.explain("node.name").origin == str(folder / "port2port.toml")


def test_a_variable_without_a_section_is_not_ours(tmp_path: Path) -> None:
    load(tmp_path, SECTIONS, {"PORT2PORT_SHARED": "/somewhere", "HOME": "/"})


@pytest.mark.parametrize(
    ("text", "named", "offered"),
    [
        ("[watching]\nzone_file = 'x'\n", "watching.zone_file", "watching.zones_file"),
        ("[watchin]\n", "[watchin]", "watching"),
        ("[[watching.sources]]\nadress = 'x'\n", "watching.sources.adress", "watching.sources.address"),
    ],
)
def test_a_wrong_key_is_named_with_the_nearest_right_one(tmp_path: Path, text: str, named: str, offered: str) -> None:
    with pytest.raises(BadInput) as refusal:
        load(written(tmp_path, text), SECTIONS, {})
    assert named in refusal.value.message
    assert offered in refusal.value.hint


@pytest.mark.parametrize("text", ["[watching]\nlost_after_s = 'soon'\n", "[watching]\nlost_after_s = 0\n"])
def test_a_wrong_value_says_where_and_what_was_expected(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"Expected `int`.*lost_after_s"):
        load(written(tmp_path, text), SECTIONS, {})


@pytest.mark.parametrize("data", [b"[watching", b"\xff\xfe", b"x = 1\n"])
def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "port2port.toml").write_bytes(data)
    with pytest.raises(BadInput, match=r"port2port\.toml"):
        load(tmp_path, SECTIONS, {})


def test_a_setting_explains_itself(tmp_path: Path) -> None:
    settings = load(tmp_path, SECTIONS, {})
    explained = settings.explain("watching.lost_after_s")
    assert (explained.kind, explained.description, explained.default) == ("int", "Silence in seconds.", 600)
    with pytest.raises(BadInput, match=r"no setting 'watching\.lost'"):
        settings.explain("watching.lost")
