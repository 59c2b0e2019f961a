"""The same collections on every store that a node can have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from taxii_kit import Node, a_node, indicator

from port2port.testing.postgres import NoServer, postgres_server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    if request.param == "sqlite":
        with a_node(f"sqlite:///{tmp_path / 'node.db'}") as node:
            yield node
        return
    try:
        with postgres_server() as server, a_node(server.emptied(), tmp_path / "node.keys") as node:
            yield node
    except NoServer as error:
        pytest.skip(str(error))


def test_collections_are_the_same_on_every_store(stored: Node) -> None:
    shared, newer = indicator(9), indicator(1, "2026-03-01T00:00:00.000Z")
    stored.arrives([shared, indicator(1)])
    stored.arrives([shared, indicator(2)])
    feed = stored.account("feed", may_write=True)
    feed.post([indicator(1), newer])
    feed.post([indicator(1), newer, indicator(3)])
    assert feed.all_objects("all", limit=1) == [shared, indicator(1), indicator(2)]
    assert feed.all_objects("inbox", limit=1) == [newer, indicator(3)]
    assert feed.all_objects("inbox", **{"match[version]": "first"}) == [indicator(1), indicator(3)]
    assert feed.all_objects("inbox", **{"match[id]": newer["id"], "match[version]": "all"}) == [indicator(1), newer]
    assert feed.get(f"node/collections/inbox/objects/{newer['id']}/versions/").json()["versions"] == [
        indicator(1)["modified"],
        newer["modified"],
    ]


def test_what_was_read_before_a_restart_goes_on_after_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    with a_node(url) as node:
        feed = node.account("feed", may_write=True)
        feed.post([indicator(number) for number in range(9)])
        token = feed.get("node/collections/inbox/objects/", limit=4).json()["next"]
    with a_node(url) as node:
        feed.url = node.url
        rest = feed.all_objects("inbox", next=token)
    assert rest == [indicator(number) for number in range(4, 9)]
