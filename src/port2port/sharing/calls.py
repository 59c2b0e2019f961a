"""Requests and answers between nodes, apart from the streams: what a part of sharing answers, and how it calls.

Such a part declares its routes as values; the listener has checked who calls before one of them runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from port2port.core.errors import DecodeError
from port2port.sharing.documents import Member
from port2port.sharing.reading import at_most
from port2port.sharing.settings import host_and_port

if TYPE_CHECKING:  # peers hold the routes, routes are answered by parts that hold the peers
    from port2port.sharing.peers import Peers

CALL_TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class PeerRequest:
    """What a member asks."""

    path_values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class PeerAnswer:
    """What it gets."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True)
class PeerRoute:
    """One call that members may make. `handle(peer, request)` runs in a thread; `DecodeError` answers 400."""

    method: str
    path: str
    handle: Callable[[str, PeerRequest], PeerAnswer]
    at_any_time: bool = False
    """Counts whatever the sender's clock says: a wrong clock must not keep a receipt from coming."""


class CallFailed(Exception):
    """A member could not be asked, for a countable reason: `unreachable`, `not-who-we-called`, or a refusal's own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def base_url(member: Member) -> str:
    """Where a member's listener is."""
    host, port = host_and_port(member.address)
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


async def call(
    peers: Peers, member: Member, method: str, path: str, body: bytes = b"", *, most: int = MAX_ANSWER_BYTES
) -> PeerAnswer:
    """Ask one member. Raises `CallFailed`; a status other than 200 is an answer like any other."""
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
    url = base_url(member) + path
    try:
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session,
            session.request(
                method,
                url,
                ssl=peers.credentials.client(member.node_id, *peers.network().last_keys(member.node_id)),
                data=body or None,
                headers=peers.signed(method, url, body),
                allow_redirects=False,
            ) as answer,
        ):
            return PeerAnswer(answer.status, await at_most(answer.content, most), answer.content_type)
    except aiohttp.ClientConnectorCertificateError as error:
        raise CallFailed("not-who-we-called") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise CallFailed("unreachable") from error
    except DecodeError as error:
        raise CallFailed(error.reason) from error
