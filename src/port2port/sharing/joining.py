"""The joiner's call to the inviter: one connection, to one key, with the invitation as its certificate."""

from __future__ import annotations

import asyncio

import aiohttp

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, Unavailable
from port2port.core.ids import node_id
from port2port.sharing import service, trust
from port2port.sharing.invitation import Code
from port2port.sharing.reading import at_most
from port2port.sharing.settings import SharingSettings

TIMEOUT_S = 15.0
ATTEMPTS, PAUSE_S = 4, 0.4
"""The inviter's node needs a moment to learn of an invitation that a command beside it has just made."""


async def call_inviter(site: Site, settings: SharingSettings, code: Code) -> bytes:
    """Ask to be admitted; answers the inviter's bytes.

    TLS accepts the key in the code and no other before anything is sent. Raises `BadInput` when the invitation
    does not count or somebody else answers, `Conflict` when the inviter says no, `Unavailable` when it is away.
    """
    request = service.request_to_join(site, settings, code)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _post(site, code, request)
        except aiohttp.ClientConnectorCertificateError as error:
            raise BadInput(
                "Who answers there is not the one who invited you. Nothing was sent.", hint="Call the inviter."
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if attempt == ATTEMPTS:
                raise Unavailable(
                    "The inviter does not answer, or the invitation is used or over.",
                    hint=f"Check that {code.host}:{code.port} can be reached from here, or ask for a new invitation.",
                ) from error
            await asyncio.sleep(PAUSE_S)
    raise AssertionError("unreachable")


async def _post(site: Site, code: Code, request: bytes) -> bytes:
    leaf = trust.issue_leaf(code.subject(), code.key(), site.clock())
    context = trust.client_context(leaf, {node_id(code.inviter_key): code.inviter_key}, site.identity)
    url = f"https://{_in_url(code.host)}:{code.port}/p2p/v1/join"
    async with (
        aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
        session.post(url, ssl=context, data=request, allow_redirects=False) as answer,
    ):
        data = await at_most(answer.content, service.MAX_ANSWER_BYTES)
    _check(answer.status, data)
    return data


def _check(status: int, data: bytes) -> None:
    if status == 409:
        raise Conflict("The inviter refuses: used, over, or the name is taken.", hint="Ask for a new invitation.")
    if status != 200:
        raise BadInput("The inviter refuses this invitation.", hint="Ask for a new one.")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
