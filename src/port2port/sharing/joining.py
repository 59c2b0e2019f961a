"""The joiner's calls to the inviter: first to exchange a short code for a long one, then to ask to be admitted."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
import msgspec

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, Unavailable
from port2port.sharing import invitation, service, short_code, trust
from port2port.sharing.invitation import Code
from port2port.sharing.reading import at_most
from port2port.sharing.settings import SharingSettings
from port2port.sharing.short_code import ShortCode

TIMEOUT_S = 15.0
ATTEMPTS, PAUSE_S = 4, 0.4
"""The inviter's node needs a moment to learn of an invitation that a command beside it has just made."""
MAX_TITLE_CHARS = 200


async def exchange(site: Site, code: ShortCode, host: str, port: int) -> Code:
    """The long code that the short one stands for at this inviter.

    We do not know yet who answers; what is said proves itself, and nothing that is sent helps anybody to find the
    code. Raises `BadInput` when the other does not know the code, `Conflict` when it says no, `Unavailable`.
    """
    leaf = trust.issue_leaf(invitation.subject(short_code.DOORBELL), short_code.doorbell_key(), site.clock())
    joiner = short_code.Joiner(code)
    return joiner.finish(await _call(trust.knocking_context(leaf), host, port, joiner.knock()), host, port)


async def call_inviter(site: Site, settings: SharingSettings, code: Code) -> bytes:
    """Ask to be admitted; answers the inviter's bytes. May be repeated: the same node gets the same answer.

    TLS accepts the key in the code and no other before anything is sent. Raises `BadInput` when the invitation
    does not count or somebody else answers, `Conflict` when the inviter says no, `Unavailable` when it is away.
    """
    request = service.request_to_join(site, settings, code)
    leaf = trust.issue_leaf(code.subject(), code.key(), site.clock())
    context = trust.client_context(leaf, {code.inviter_id: code.inviter_key}, site.identity)
    return await _call(context, code.host, code.port, request)


async def _call(context: ssl.SSLContext, host: str, port: int, data: bytes) -> bytes:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _post(context, f"https://{_in_url(host)}:{port}/p2p/v1/join", data)
        except aiohttp.ClientConnectorCertificateError as error:
            raise BadInput(
                "Who answers there is not the one who invited you. Nothing was sent.", hint="Call the inviter."
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if attempt == ATTEMPTS:
                raise Unavailable(
                    "The inviter does not answer.",
                    hint=f"Is its node running, and can {host}:{port} be reached from here? Has it a code open?",
                ) from error
            await asyncio.sleep(PAUSE_S)
    raise AssertionError("unreachable")


async def _post(context: ssl.SSLContext, url: str, data: bytes) -> bytes:
    async with (
        aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
        session.post(url, ssl=context, data=data, allow_redirects=False) as answer,
    ):
        body = await at_most(answer.content, service.MAX_ANSWER_BYTES)
    if answer.status != 200:
        raise _refusal(answer.status, body)
    return body


def _refusal(status: int, body: bytes) -> Conflict | BadInput | Unavailable:
    if status == 429:
        return Unavailable("The inviter is asked too often.", hint="Try again in a minute.")
    if status == 409:
        return Conflict(f"The inviter refuses: {_title(body)}", hint="Ask for a new invitation.")
    return BadInput("The inviter refuses this invitation.", hint="Ask for a new one.")


class _Problem(msgspec.Struct):
    title: str = ""


def _title(body: bytes) -> str:
    """What an RFC 9457 problem says; it comes from another's node, so it is cut and stripped."""
    try:
        title = msgspec.json.decode(body, type=_Problem).title
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        title = ""
    shown = "".join(each for each in title if each.isprintable())[:MAX_TITLE_CHARS]
    return shown or "the code was used or has expired, or the name is taken."


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
