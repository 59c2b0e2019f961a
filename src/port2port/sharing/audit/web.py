"""The page of the audit log, for administrators and security officers."""

from __future__ import annotations

import re
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from port2port.capability import Page
from port2port.core.party import SYSTEM_ACCOUNT, Role
from port2port.sharing.audit import present, status, tables
from port2port.sharing.audit.running import AuditParts
from port2port.web import allow, page, see_other
from port2port.web.state import shared

READERS = (Role.ADMINISTRATOR, Role.SECURITY_OFFICER)
PAGE_ENTRIES = 100
AnyRequest = Request[Any, Any, Any]
Kind = Annotated[str, QueryParameter(max_length=60)]
Before = Annotated[int | None, QueryParameter(ge=0, le=2**53)]
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def pages() -> tuple[Page, ...]:
    """Our entry in the navigation."""
    return (Page(title="sharing.audit.page", path="/audit", roles=frozenset(READERS), order=85),)


def word_of(kind: str) -> str:
    """The word key of a kind of entry, e.g. `sharing.audit.kind.signed-in`."""
    return f"sharing.audit.kind.{_HUMP.sub('-', kind).lower()}"


def readable(kind: str) -> str:
    """What a kind is called when nobody gave it a word."""
    return _HUMP.sub(" ", kind).capitalize()


def routes(parts: AuditParts) -> list[Any]:
    """The route handlers, bound to one node."""
    site = parts.peers.site

    @get("/audit", guards=[allow(*READERS)], sync_to_thread=True)
    def show_audit(request: AnyRequest, kind: Kind = "", before: Before = None) -> Template:
        names = {SYSTEM_ACCOUNT: ""} | {each.id: each.name for each in shared(request).accounts.all()}
        with site.store.reading() as view:
            network = parts.peers.book.network(view)
            names |= {each.node_id: each.name for each in network.members.values()}
            found = tables.newest_leaves(view, PAGE_ENTRIES + 1, kind, before)
            now = status.read(view, site.party.node_id, len(network.others(site.party.node_id)))
            kinds = tables.kinds(view)
        return page(
            "sharing/audit.html",
            entries=[present.shown(each, names) for each in found[:PAGE_ENTRIES]],
            older=found[PAGE_ENTRIES - 1].place if len(found) > PAGE_ENTRIES else None,
            state=now,
            me=site.party.node_id,
            name_of=network.name,
            witnesses=[network.name(each) for each in now.confirmed_by],
            kind=kind,
            kinds=kinds,
            word_of=word_of,
            readable=readable,
        )

    @post("/audit/verify", guards=[allow(*READERS)], sync_to_thread=True)
    def verify_now() -> Redirect:
        parts.checking.check()
        return see_other("/audit")

    return [show_audit, verify_now]
