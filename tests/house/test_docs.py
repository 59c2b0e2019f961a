"""The pages say what is there: their links lead somewhere, their commands, settings and zones exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from port2port.__main__ import port2port
from port2port.config import FILE_NAME, load
from port2port.node import sections
from port2port.vessels.zones import read_zones

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")] + sorted(DOCS.rglob("*.md"))
TASKS = sorted([*(DOCS / "tutorials").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
MADE_LATER = frozenset({DOCS / "console.png"})
SHELL = frozenset({"", "bash", "sh", "console"})

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"^\s*(?:\$ )?(?:\S*/)?port2port\b")
_ELSEWHERE = re.compile(r"^(?:[a-z]+:|#)")


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    return [text for language, text in _BLOCK.findall(page.read_text("utf-8")) if language in languages]


def links(page: Path) -> Iterator[Path]:
    """Where the relative links of a page lead; what stands in fenced blocks is no link."""
    for target in _LINK.findall(_BLOCK.sub("", page.read_text("utf-8"))):
        if not _ELSEWHERE.match(target):
            yield (page.parent / target.partition("#")[0]).resolve()


def command_lines(page: Path) -> list[str]:
    """Lines that call `port2port`, without comments, pipes and redirections."""
    lines = [line for text in blocks(page, *SHELL) for line in text.splitlines() if _COMMAND.match(line)]
    return [re.split(r"\s[|>&#]", line)[0].removeprefix("$ ") for line in lines]


def what_is_wrong_with(line: str) -> str:
    """Why `port2port` would not understand this line; empty when it would."""
    command: click.Command = port2port
    rest = shlex.split(line)[1:]
    context = click.Context(port2port, info_name="port2port")
    try:
        while True:
            _, rest, _ = command.make_parser(context).parse_args(list(rest))
            if not isinstance(command, click.Group) or not rest:
                return f"too much: {rest}" if rest else ""
            found = command.get_command(context, rest[0])
            if found is None:
                return f"there is no command {rest[0]!r}"
            command, rest = found, rest[1:]
            context = click.Context(command, parent=context, info_name=command.name)
    except click.UsageError as error:
        return error.format_message()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_a_file(page: Path) -> None:
    assert not sorted(str(each) for each in links(page) if not each.exists() and each not in MADE_LATER)


@pytest.mark.parametrize("page", TASKS, ids=lambda page: page.name)
def test_each_command_on_a_page_exists(page: Path) -> None:
    wrong = {line: problem for line in command_lines(page) if (problem := what_is_wrong_with(line))}
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_setting_on_a_page_exists(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        (tmp_path / FILE_NAME).write_text(text, "utf-8")
        load(tmp_path, sections(), {})


@pytest.mark.parametrize("page", TASKS, ids=lambda page: page.name)
def test_each_zones_file_on_a_page_can_be_read(page: Path) -> None:
    for text in blocks(page, "json"):
        if "FeatureCollection" in text:
            assert len(read_zones(text.encode()))


def test_each_page_stands_in_the_index() -> None:
    missing = set(DOCS.rglob("*.md")) - set(links(DOCS / "README.md")) - {DOCS / "README.md"}
    assert not sorted(str(each.relative_to(DOCS)) for each in missing)


@pytest.mark.parametrize(
    "line",
    [
        "port2port network invent",
        "port2port --folder x init",
        "port2port vessels replay --zone z file",
        "port2port network show NAME",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert what_is_wrong_with(line)


def test_the_pages_hold_something_to_check() -> None:
    assert sum(len(command_lines(page)) for page in TASKS) > 10
    assert sum(len(blocks(page, "toml")) for page in TASKS) > 5
