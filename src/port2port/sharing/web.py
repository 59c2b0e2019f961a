"""The page about other ports, and the same for programs."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Redirect, Template

from port2port.capability import Page
from port2port.core.party import Role
from port2port.sharing import overview, register_web, service, shared_web
from port2port.sharing.notices import notices
from port2port.sharing.overview import Neighbour
from port2port.sharing.pace import Looks
from port2port.sharing.peers import Peers
from port2port.web import Actor, FromPath, allow, page, see_other

AnyRequest = Request[Any, Any, Any]
RESUMING = (Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
"""Who may let a stopped connection be read again."""
NEXT_STEPS = frozenset({"unreachable", "silent", "refused", "not-who-we-called", "ended", "our-store-is-away"})
"""Problems that have words of their own on the page."""


def pages() -> tuple[Page, ...]:
    """Our entries in the navigation."""
    return (
        Page(title="sharing.shared.page", path="/sharing", order=55),
        Page(title="sharing.page", path="/network", order=60),
    )


def _has_register(request: AnyRequest) -> bool:
    return any(each.path == "/network/register" for each in request.app.routes)


def routes(peers: Peers) -> list[Any]:
    """The route handlers, bound to one node."""
    looks = Looks()

    def read(account: str) -> list[Neighbour]:
        site = peers.site
        with site.store.reading() as view:
            network = peers.book.network(view)
            me, now = site.party.node_id, site.clock()
            return overview.neighbours(view, network, me, now, peers.statuses, looks, account)

    @get("/network", guards=[allow()], sync_to_thread=True)
    def show_network(request: AnyRequest, actor: Actor) -> Template:
        found = read(actor.account)
        name = "sharing/network_part.html" if shared_web.is_fragment(request) else "sharing/network.html"
        return page(
            name,
            neighbours=found,
            connected=sum(each.state == "connected" for each in found),
            may_invite=peers.network().may_invite(peers.site.party.node_id),
            may_resume=actor.role in RESUMING,
            notices=notices(peers.network(), peers.site.party.node_id, peers.site.clock()),
            has_register=actor.role in register_web.READERS and _has_register(request),
            next_steps=NEXT_STEPS,
        )

    @post("/network/{node_id:str}/resume", guards=[allow(*RESUMING)], sync_to_thread=True)
    def resume(node_id: FromPath[str]) -> Redirect:
        service.resume(peers.site, peers.book, node_id)
        return see_other("/network")

    @get("/api/network", guards=[allow()], sync_to_thread=True)
    def api_network(actor: Actor) -> dict[str, Any]:
        return {"neighbours": read(actor.account)}

    return [show_network, resume, api_network, *shared_web.routes(peers)]
