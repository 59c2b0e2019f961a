"""Who may call a route. Signed in is the rule; `opt={"public": True}` the exception; `allow` narrows to roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from litestar.connection import Request
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from port2port.core import party
from port2port.core.errors import NotAllowed
from port2port.core.party import Role
from port2port.web.model import Visitor
from port2port.web.state import Connection, visit_of

PUBLIC = "public"
"""Route option: no sign-in needed."""
OWN_SIGN_IN = "own_sign_in"
"""Route option beside `PUBLIC`: for programs that bring credentials with every request. No session, no form token."""
BEFORE_PASSKEY = "before_passkey"
"""Route option: also for an administrator who has yet to register a passkey."""

Actor: TypeAlias = NamedDependency[party.Actor]
"""Annotation of a handler's parameter `actor`: who calls (`core.party.Actor`)."""
CurrentVisitor: TypeAlias = NamedDependency[Visitor]
"""Annotation of a handler's parameter `visitor`: the account with its session."""
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


class PasskeyNeeded(NotAllowed):
    """An administrator signed in by password alone: first a passkey."""


def allow(*roles: Role) -> Guard:
    """A guard: only these roles. `allow()` alone is everyone who is signed in."""
    allowed = frozenset(roles) or frozenset(Role)

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if visitor_of(connection).account.role not in allowed:
            raise NotAllowed("web.error.role", hint="web.error.role.hint")

    guard.roles = allowed  # type: ignore[attr-defined]
    return guard


async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of the whole app."""
    if handler.opt.get(PUBLIC):
        return
    if visitor_of(connection).is_restricted and not handler.opt.get(BEFORE_PASSKEY):
        raise PasskeyNeeded("web.error.passkey-needed", hint="web.error.passkey-needed.hint")


def visitor_of(connection: Connection) -> Visitor:
    """Who is signed in. Raises `NotAuthorizedException` when nobody is."""
    visitor = visit_of(connection.scope).visitor
    if visitor is None:
        raise NotAuthorizedException
    return visitor


def roles_of(handler: BaseRouteHandler) -> frozenset[Role] | None:
    """The roles that may call a route; None: public. For tests of the whole table of routes."""
    if handler.opt.get(PUBLIC):
        return None
    allowed = frozenset(Role)
    for guard in handler.resolve_guards():
        allowed &= getattr(guard, "roles", allowed)
    return allowed


async def provide_actor(request: Request[Any, Any, Any]) -> party.Actor:
    """The dependency `actor`."""
    return visitor_of(request).actor


async def provide_visitor(request: Request[Any, Any, Any]) -> Visitor:
    """The dependency `visitor`: the account with its session, for the account's own pages."""
    return visitor_of(request)
