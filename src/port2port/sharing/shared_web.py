"""Pages about what we share, what we took back and what others share with us; and the same for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from port2port.core.errors import BadInput, NotFound
from port2port.core.party import SYSTEM_ACCOUNT, Role
from port2port.sharing import receipts_due, received_view, shared_view
from port2port.sharing.asks import Titles
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.peers import Peers
from port2port.sharing.recall import Why
from port2port.sharing.recalling import take_back
from port2port.sharing.shared_view import PAGE_OBJECTS, Place, SharedObject
from port2port.sharing.taking_back import ORDERS
from port2port.store import Reading
from port2port.web import Actor, Form, FromPath, JSONBody, accounts_of, allow, page, see_other

TAKING_BACK = (Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
"""Who may take back."""
MAX_FORM_BYTES = 4 * 1024
MAX_PENDING = 100
SEQUENCER = "sharing.sequence"

AnyRequest = Request[Any, Any, Any]
After = Annotated[str, QueryParameter(max_length=240)]


class Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a program posts to take an object back."""

    op: Literal["withdraw", "erase"]
    reason: Why


class SharedPages:
    """What the handlers show, for one node."""

    def __init__(self, peers: Peers) -> None:
        self._peers, self._site = peers, peers.site
        self._me = peers.site.party.node_id
        self._titles = peers.site.others.ask("titles", Titles)  # type: ignore[type-abstract]

    def titles(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[str, str]]:
        """Title and path of what somebody at this node can name."""
        known = self._titles()
        return known.titles(list(keys)) if known else {}

    def listed(self, after: str) -> dict[str, Any]:
        """One page of the list."""
        place, now = place_from(after), self._site.clock()
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            found = shared_view.newest(view, network, self._me, now, place, PAGE_OBJECTS + 1)
            withheld = [] if place else shared_view.withheld(view)
        shown, more = found[:PAGE_OBJECTS], len(found) > PAGE_OBJECTS
        return {
            "objects": shown,
            "withheld": withheld,
            "titles": self.titles((each.kind, each.object_id) for each in shown),
            "older": text_of(shared_view.place_of(shown[-1])) if more else "",
            "first": place is None,
            "partners": len(network.others(self._me)) if network.is_member(self._me) else 0,
        }

    def one(self, object_id: str) -> dict[str, Any]:
        """One object, who may read it, who has it, and what came of taking it back."""
        now = self._site.clock()
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            known = shared_view.find(view, network, self._me, now, object_id)
            if known is None:
                raise NotFound("sharing.error.not-shared", hint="sharing.error.not-shared.hint")
            return {
                "object": known,
                "readers": shared_view.readers(view, known, network, self._me, now, self._peers.statuses),
                "asked": shared_view.asked(view, known, network, self._me, now),
                "recalls": receipts_due.taken_back(
                    view, network, self._peers.statuses, object_id, receipts_due.MAX_RECALLS
                ),
                "pending": [each for each in self._pending(view) if object_id in each.object_ids],
                "titles": self.titles([(known.kind, object_id)]),
            }

    def changed(self, request: AnyRequest, object_id: str) -> Template:
        """The part of an object's page that changes by itself; the object may have been erased meanwhile."""
        try:
            return page("sharing/object_part.html", **self.one(object_id), **self.helpers(request))
        except NotFound:
            return page("sharing/object_gone.html")

    def recalls(self) -> dict[str, Any]:
        """What we took back, with what is outstanding first."""
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            found = receipts_due.taken_back(view, network, self._peers.statuses)
            pending = self._pending(view)
        keys = {(each.object_kind, each.object_id) for each in found if each.object_id}
        return {"recalls": found, "pending": pending, "titles": self.titles(sorted(keys))}

    def received(self, account: str) -> dict[str, Any]:
        """What others share with us, for the eyes of one account."""
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            return {"partners": received_view.from_partners(view, network, self._me, account)}

    def take_back(self, object_id: str, op: str, reason: str, account: str) -> None:
        """Order it. Raises `BadInput` when the form is not complete, `NotFound` when there is nothing to take back."""
        if op not in ORDERS or reason not in set(Why):
            raise BadInput("sharing.error.take-back", hint="sharing.error.take-back.hint")
        try:
            take_back(self._site, [object_id], op, Why(reason), account)
        except NotFound as error:
            raise NotFound("sharing.error.not-shared", hint="sharing.error.not-shared.hint") from error

    def helpers(self, request: AnyRequest) -> dict[str, Any]:
        """What templates need beside."""
        names = {each.id: each.name for each in accounts_of(request.app).all()} | {SYSTEM_ACCOUNT: ""}
        now = self._site.clock()
        return {"who": lambda account: names.get(account, account), "stopwatch": lambda at: stopwatch(at, now)}

    def _pending(self, view: Reading) -> list[RecallOrdered]:
        """Orders that are not yet on their way."""
        found = self._site.store.read(view.cursor(SEQUENCER), MAX_PENDING, {RecallOrdered.kind()})
        return [each.fact for each in found if isinstance(each.fact, RecallOrdered)]


def stopwatch(since: datetime, now: datetime) -> str:
    """`00:14`, `12:03`, `3:00:12`, `49:00:00`: minutes and seconds, with hours when there are any."""
    minutes, seconds = divmod(max(0, int((now - since).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def text_of(place: Place) -> str:
    return f"{place.at_us}.{place.object_id}"


def place_from(text: str) -> Place | None:
    """Where a page begins; None at the start. Raises `BadInput`."""
    if not text:
        return None
    moment, separator, object_id = text.partition(".")
    if not separator or not moment.isascii() or not moment.isdigit() or len(moment) > 17 or not object_id:
        raise BadInput("web.error.form", hint="web.error.form.hint")
    return Place(int(moment), object_id)


def is_fragment(request: AnyRequest) -> bool:
    """Whether the page itself asks for what changed."""
    return request.headers.get("hx-request") == "true"


def routes(peers: Peers) -> list[Any]:
    """The route handlers, bound to one node."""
    at = SharedPages(peers)
    taking: dict[str, Any] = {
        "guards": [allow(*TAKING_BACK)],
        "sync_to_thread": True,
        "request_max_body_size": MAX_FORM_BYTES,
    }

    @get("/sharing", guards=[allow()], sync_to_thread=True)
    def show_shared(request: AnyRequest, after: After = "") -> Template:
        return page("sharing/shared.html", **at.listed(after), **at.helpers(request))

    @get("/sharing/recalls", guards=[allow()], sync_to_thread=True)
    def show_recalls(request: AnyRequest) -> Template:
        name = "sharing/recalls_part.html" if is_fragment(request) else "sharing/recalls.html"
        return page(name, **at.recalls(), **at.helpers(request))

    @get("/sharing/received", guards=[allow()], sync_to_thread=True)
    def show_received(actor: Actor) -> Template:
        return page("sharing/received.html", **at.received(actor.account))

    @get("/sharing/{object_id:str}", guards=[allow()], sync_to_thread=True)
    def show_object(request: AnyRequest, actor: Actor, object_id: FromPath[str]) -> Template:
        if is_fragment(request):
            return at.changed(request, object_id)
        may_take_back = actor.role in TAKING_BACK
        more = {**at.one(object_id), **at.helpers(request)}
        return page("sharing/object.html", reasons=list(Why), may_take_back=may_take_back, **more)

    @post("/sharing/{object_id:str}/take-back", **taking)
    def take_back_by_form(actor: Actor, object_id: FromPath[str], data: Form) -> Redirect:
        if data.get("sure") != "on":
            raise BadInput("sharing.error.take-back", hint="sharing.error.take-back.hint")
        op = data.get("op", "")
        at.take_back(object_id, op, data.get("reason", ""), actor.account)
        return see_other("/sharing/recalls" if op == "erase" else f"/sharing/{object_id}#taken-back")

    @get("/api/sharing", guards=[allow()], sync_to_thread=True)
    def api_shared(after: After = "") -> dict[str, Any]:
        found = at.listed(after)
        return {
            "objects": [_object_json(each, found["titles"]) for each in found["objects"]],
            "withheld": found["withheld"],
            "next": found["older"],
        }

    @get("/api/sharing/recalls", guards=[allow()], sync_to_thread=True)
    def api_recalls() -> dict[str, Any]:
        found = at.recalls()
        return {"recalls": found["recalls"], "pending": found["pending"]}

    @get("/api/sharing/received", guards=[allow()], sync_to_thread=True)
    def api_received(actor: Actor) -> dict[str, Any]:
        return at.received(actor.account)

    @get("/api/sharing/{object_id:str}", guards=[allow()], sync_to_thread=True)
    def api_object(object_id: FromPath[str]) -> dict[str, Any]:
        found = at.one(object_id)
        rest = {key: found[key] for key in ("readers", "asked", "recalls", "pending")}
        return {**_object_json(found["object"], found["titles"]), **rest}

    @post("/api/sharing/{object_id:str}/take-back", status_code=202, **taking)
    def api_take_back(actor: Actor, object_id: FromPath[str], data: JSONBody[Order]) -> dict[str, Any]:
        at.take_back(object_id, data.op, data.reason, actor.account)
        return {"object_id": object_id, "op": data.op, "reason": data.reason}

    return [
        show_shared, show_recalls, show_received, show_object, take_back_by_form,
        api_shared, api_recalls, api_received, api_object, api_take_back,
    ]  # fmt: skip


def _object_json(known: SharedObject, titles: Mapping[tuple[str, str], tuple[str, str]]) -> dict[str, Any]:
    """For programs: without the numbers of connections."""
    title, path = titles.get((known.kind, known.object_id), ("", ""))
    return {
        "object_id": known.object_id,
        "kind": known.kind,
        "title": title,
        "path": path,
        "version": known.version,
        "at": known.at,
        "label": asdict(known.label) if known.label else None,
        "versions": [{"version": each.version, "at": each.at} for each in known.versions],
        "confirmed": known.confirmed,
        "readers_now": known.readers,
    }
