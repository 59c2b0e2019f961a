"""Toolkit of the browser side: sign-in, pages, problems, words, the live stream. Knows no capability.

A capability's routes are plain functions with the guard `allow(...)`; they answer `page(...)` or
`see_other(...)` and let errors of `core.errors` fly. The node puts a `Surface` together and calls `build_app`.
"""

from __future__ import annotations

from litestar.params import FromPath, FromQuery, JSONBody

from port2port.core.party import Role
from port2port.web.access import Actor, CurrentVisitor, allow
from port2port.web.accounts import administrator_link, first_administrator_link
from port2port.web.app import accounts_of, build_app, hub_of
from port2port.web.facts import FACTS
from port2port.web.pages import Form, is_local, local_or, page, see_other
from port2port.web.settings import WebSettings
from port2port.web.stream import Event, event_stream
from port2port.web.surface import Surface, load_words
from port2port.web.words import Words

__all__ = [
    "FACTS",
    "Actor",
    "CurrentVisitor",
    "Event",
    "Form",
    "FromPath",
    "FromQuery",
    "JSONBody",
    "Role",
    "Surface",
    "WebSettings",
    "Words",
    "accounts_of",
    "administrator_link",
    "allow",
    "build_app",
    "event_stream",
    "first_administrator_link",
    "hub_of",
    "is_local",
    "load_words",
    "local_or",
    "page",
    "see_other",
]
