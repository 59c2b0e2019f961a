"""The routes of TAXII 2.1. No cookie, no form: every request brings its own credentials (HTTP Basic).

A browser cannot be made to call these for somebody: what changes something needs a media type or method that a page
of another origin may not send without asking, and we never say yes.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Request, Response, Router, delete, get, post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from port2port.core import errors
from port2port.sharing.peers import Peers
from port2port.sharing.taxii import media, resources
from port2port.sharing.taxii.accounts import Gate, WrongCredentials
from port2port.sharing.taxii.limits import MAX_CONTENT_BYTES, MAX_QUERY_CHARS
from port2port.sharing.taxii.model import Account
from port2port.sharing.taxii.service import Read, Service
from port2port.web.access import OWN_SIGN_IN, PUBLIC
from port2port.web.limits import TooOften
from port2port.web.origin import UnknownHost, is_https, origin_of
from port2port.web.passwords import Passwords
from port2port.web.state import shared

AnyRequest = Request[Any, Any, Any]
Answer = Response[bytes]
_OPT = {PUBLIC: True, OWN_SIGN_IN: True}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="TAXII", charset="UTF-8"'}
_STATUS: tuple[tuple[type[errors.Port2PortError], int], ...] = (
    (TooOften, 429),
    (errors.BadInput, 400),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Unavailable, 503),
)


@dataclass(frozen=True)
class Refusal(Exception):
    """An answer that HTTP has a status for, and we have no error."""

    status: int
    title: str
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Response(body, status_code=status, media_type=media.TAXII, headers=dict(headers or {}))


class Front:
    """What the routes of one node share."""

    def __init__(self, peers: Peers, service: Service) -> None:
        self.service, self.name = service, peers.site.party.name
        self._site = peers.site
        self._gate = Gate(peers.site.counters)
        self._passwords: Passwords | None = None

    def enter(self, request: AnyRequest) -> Account:
        """Who asks. Raises `Refusal` when it is nobody, the line is open to listeners, or TAXII is not wanted."""
        at = shared(request)
        if not is_https(request.scope, at.settings) and not _is_loopback(request):
            raise Refusal(403, "Passwords travel over TLS only.")
        self._passwords = self._passwords or Passwords(at.settings)
        said = request.headers.get("authorization", "")
        try:
            with self._site.store.reading() as view:
                account = self._gate.enter(view, said, self._site.clock(), self._passwords)
        except WrongCredentials:
            raise Refusal(401, "Sign in as a program of this node.", _CHALLENGE) from None
        if not media.accepts_taxii(request.headers.get("accept", "")):
            raise Refusal(406, f"The answer is {media.TAXII}.")
        if len(request.url.query) > MAX_QUERY_CHARS:
            raise Refusal(400, "The query is too long.")
        return account

    def refuse(self, request: AnyRequest, error: Exception) -> Answer:
        """Section 3.6: every error is an error message resource."""
        if isinstance(error, Refusal):
            return answer(resources.error(error.status, error.title), error.status, error.headers)
        if isinstance(error, UnknownHost):
            return answer(resources.error(403, "This node answers under other names."), 403)
        if isinstance(error, errors.Port2PortError):
            status = next(status for kind, status in _STATUS if isinstance(error, kind))
            headers = {"Retry-After": str(getattr(error, "retry_after_s", 5))} if status in (429, 503) else {}
            title = "Too many attempts." if status == 429 else error.message
            return answer(resources.error(status, title, "" if status == 429 else error.hint), status, headers)
        if isinstance(error, HTTPException):
            return _http(error)
        raise error


def _http(error: HTTPException) -> Answer:
    title = {413: f"A body has at most {MAX_CONTENT_BYTES} bytes.", 404: "There is nothing at this address."}
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    said = title.get(error.status_code, "This request cannot be answered.")
    return answer(resources.error(error.status_code, said), error.status_code, headers)


def _is_loopback(request: AnyRequest) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _query(request: AnyRequest) -> dict[str, list[str]]:
    return {name: request.query_params.getall(name) for name in request.query_params}


def _page(read: Read, body: bytes) -> Answer:
    return answer(body, headers=resources.date_headers(read.page.rows))


def routes(peers: Peers, service: Service) -> list[Any]:
    """The route handlers, bound to one node."""
    at = Front(peers, service)

    @get("/", opt=_OPT, sync_to_thread=True)
    def discovery(request: AnyRequest) -> Answer:
        at.enter(request)
        return answer(resources.discovery(at.name, origin_of(request.scope, shared(request).settings)))

    @get("/node/", opt=_OPT, sync_to_thread=True)
    def api_root(request: AnyRequest) -> Answer:
        at.enter(request)
        return answer(resources.api_root(at.name))

    @get("/node/status/{status_id:str}/", opt=_OPT, sync_to_thread=True)
    def status(request: AnyRequest, status_id: FromPath[str]) -> Answer:
        return answer(service.status(at.enter(request), status_id))

    @get("/node/collections/", opt=_OPT, sync_to_thread=True)
    def collections(request: AnyRequest) -> Answer:
        return answer(resources.collections(service.offers(at.enter(request))))

    @get("/node/collections/{name:str}/", opt=_OPT, sync_to_thread=True)
    def collection(request: AnyRequest, name: FromPath[str]) -> Answer:
        return answer(resources.collection(service.offer(at.enter(request), name)))

    @get("/node/collections/{name:str}/manifest/", opt=_OPT, sync_to_thread=True)
    def manifest(request: AnyRequest, name: FromPath[str]) -> Answer:
        read = service.read(at.enter(request), name, _query(request), contents=False)
        return _page(read, resources.manifest(read.page.rows, read.next))

    @get("/node/collections/{name:str}/objects/", opt=_OPT, sync_to_thread=True)
    def objects(request: AnyRequest, name: FromPath[str]) -> Answer:
        read = service.read(at.enter(request), name, _query(request))
        return _page(read, resources.envelope(read.pieces, read.next))

    @get("/node/collections/{name:str}/objects/{object_id:str}/", opt=_OPT, sync_to_thread=True)
    def one_object(request: AnyRequest, name: FromPath[str], object_id: FromPath[str]) -> Answer:
        read = service.read(at.enter(request), name, _query(request), object_id=object_id)
        return _page(read, resources.envelope(read.pieces, read.next))

    @get("/node/collections/{name:str}/objects/{object_id:str}/versions/", opt=_OPT, sync_to_thread=True)
    def versions(request: AnyRequest, name: FromPath[str], object_id: FromPath[str]) -> Answer:
        read = service.read(
            at.enter(request), name, _query(request), object_id=object_id, contents=False, versions=True
        )
        return _page(read, resources.versions(read.page.rows, read.next))

    @post("/node/collections/{name:str}/objects/", opt=_OPT, request_max_body_size=MAX_CONTENT_BYTES)
    async def hand_in(request: AnyRequest, name: FromPath[str]) -> Answer:
        account = await asyncio.to_thread(at.enter, request)
        if not media.is_taxii(request.headers.get("content-type", "")):
            raise Refusal(415, f"Send {media.TAXII}.")
        body = await request.body()
        return answer(await asyncio.to_thread(service.hand_in, account, name, body), 202)

    @delete("/node/collections/{name:str}/objects/{object_id:str}/", opt=_OPT, status_code=405, sync_to_thread=True)
    def delete_object(request: AnyRequest, name: FromPath[str], object_id: FromPath[str]) -> Answer:
        offer = service.offer(at.enter(request), name)
        if not (offer.can_read and offer.can_write):
            raise errors.NotAllowed("This account can delete nothing here.")
        raise Refusal(405, "What was handed in is taken out by a person at this node.", {"Allow": "GET"})

    @route("/{rest:path}", http_method=["GET", "POST", "PUT", "PATCH", "DELETE"], opt=_OPT, sync_to_thread=True)
    def nothing(request: AnyRequest, rest: FromPath[str]) -> Answer:
        at.enter(request)
        raise errors.NotFound("There is nothing at this address.")

    handlers = [
        discovery, api_root, status, collections, collection, manifest, objects, one_object, versions, hand_in,
        delete_object, nothing,
    ]  # fmt: skip

    def refuse(request: AnyRequest, error: Exception) -> Answer:
        return at.refuse(request, error)

    kinds: tuple[type[Exception], ...] = (Refusal, errors.Port2PortError, HTTPException)
    return [Router("/taxii2", route_handlers=handlers, exception_handlers=dict.fromkeys(kinds, refuse))]
