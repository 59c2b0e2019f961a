"""The page about other ports, and the same for programs."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Template

from port2port.capability import Page
from port2port.sharing import overview
from port2port.sharing.overview import Neighbour
from port2port.sharing.peers import Peers
from port2port.web.pages import page


def pages() -> tuple[Page, ...]:
    """Our entry in the navigation."""
    return (Page(title="sharing.page", path="/network", order=60),)


def routes(peers: Peers) -> list[Any]:
    """The route handlers, bound to one node."""

    def read() -> list[Neighbour]:
        site = peers.site
        with site.store.reading() as view:
            network = peers.book.network(view)
            return overview.neighbours(view, network, site.party.node_id, site.clock(), peers.statuses)

    @get("/network", sync_to_thread=True)
    def show_network() -> Template:
        found = read()
        connected = sum(each.state == "connected" for each in found)
        may_invite = peers.network().may_invite(peers.site.party.node_id)
        return page("sharing/network.html", neighbours=found, connected=connected, may_invite=may_invite)

    @get("/api/network", sync_to_thread=True)
    def api_network() -> dict[str, Any]:
        return {"neighbours": read()}

    return [show_network, api_network]
