"""Pages: Jinja templates of all owners, and what every template gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar.connection import Request
from litestar.enums import MediaType
from litestar.params import URLEncodedBody
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template import TemplateConfig
from markupsafe import Markup

from port2port.web import times
from port2port.web.csrf import FIELD, token_for
from port2port.web.model import LANGUAGES, THEMES
from port2port.web.state import Shared, Visit, shared, visit_of
from port2port.web.surface import FOLDER, OWN_ENTRIES, Entry, Surface
from port2port.web.words import Words, preferred

Form = URLEncodedBody[dict[str, str]]
"""Annotation of a handler's `data`: a form's fields, each at most once."""

MAX_NEXT_CHARS = 500
_BUILT = FOLDER / "static" / "build"


class Page(Template):
    """A template rendered with the base context."""

    def create_template_context(self, request: Request[Any, Any, Any]) -> dict[str, Any]:
        return {**base_context(request), **self.context}


def page(template: str, /, status_code: int = 200, **context: Any) -> Template:
    """Answer a template, e.g. `page("incidents/list.html", incidents=...)`."""
    return Page(template, context=context, media_type=MediaType.HTML, status_code=status_code)


def see_other(path: str) -> Redirect:
    """Answer 303: what was posted is done, look there. Only paths of this node."""
    assert is_local(path), f"{path!r} leads away from this node"
    return Redirect(path, status_code=303)


def is_local(path: str) -> bool:
    """Whether a path stays on this node: no scheme, no host, nothing a browser could read as one."""
    if not path.startswith("/") or path.startswith("//") or len(path) > MAX_NEXT_CHARS:
        return False
    if "\\" in path or any(ord(char) <= 32 or ord(char) == 127 for char in path):
        return False
    split = urlsplit(path)
    return not split.scheme and not split.netloc


def local_or(path: str, default: str = "/") -> str:
    """`path` when it stays on this node, else `default`: for `next` parameters."""
    return path if is_local(path) else default


def language_of(request: Request[Any, Any, Any]) -> str:
    """The account's language, else the browser's, else the node's."""
    visit = visit_of(request.scope)
    if visit.visitor:
        return visit.visitor.account.language
    return preferred(request.headers.get("accept-language", ""), shared(request).settings.language)


def base_context(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What every template gets beside its own context."""
    at, visit, language = shared(request), visit_of(request.scope), language_of(request)
    visitor, surface = visit.visitor, at.surface
    return {
        "t": partial(surface.words.say, language),
        "word_or": partial(_word_or, surface.words, language),
        "language": language,
        "languages": LANGUAGES,
        "theme": visitor.account.theme if visitor else "day",
        "themes": THEMES,
        "party": surface.party,
        "actor": visitor.actor if visitor else None,
        "account": visitor.account if visitor else None,
        "pages": navigation(surface, visit),
        "here": request.scope["path"],
        "back": back_to(request),
        "nonce": visit.nonce,
        "csrf": _LazyToken(visit, as_field=True),
        "csrf_token": _LazyToken(visit, as_field=False),
        "demonstration": surface.demonstration,
        "exercise": surface.exercise(),
        "timezone": at.settings.timezone,
        "now": surface.clock(),
        "built": _BUILT.is_dir(),
        "request": request,
    }


def _word_or(words: Words, language: str, key: str, otherwise: str) -> str:
    """The word `key` when there is one, else a name made readable."""
    return words.say(language, key) if words.has(key) else otherwise.replace("_", " ")


def back_to(request: Request[Any, Any, Any]) -> str:
    """This very page, for a form that only changes how it looks. Not from `request.url`: a Host may be malformed."""
    if request.method != "GET":
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"], safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")


def navigation(surface: Surface, visit: Visit) -> list[Entry]:
    """The entries of the navigation that the visitor's role may open."""
    if visit.visitor is None or visit.visitor.is_restricted:
        return []
    role = visit.visitor.account.role
    entries: list[Entry] = [*surface.pages, *OWN_ENTRIES]
    return sorted((each for each in entries if role in each.roles), key=lambda each: (each.order, each.path))


class _LazyToken:
    """The form token; once it is rendered, the browser is given the cookie it is bound to."""

    def __init__(self, visit: Visit, *, as_field: bool) -> None:
        self._visit, self._as_field = visit, as_field

    def __html__(self) -> str:
        self._visit.form_shown = True
        token = token_for(self._visit.token)
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token) if self._as_field else token

    __str__ = __html__


def template_config(folders: Mapping[str, Path], at: Shared) -> TemplateConfig[JinjaTemplateEngine]:
    """The engine: `incidents/list.html` is `list.html` in the templates of `incidents`."""
    loaders = {owner: FileSystemLoader(folder / "templates") for owner, folder in folders.items()}
    environment = Environment(
        loader=PrefixLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(_filters(at))
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def _filters(at: Shared) -> dict[str, Any]:
    @pass_context
    def local_time(context: Context, moment: datetime | None) -> str:
        if moment is None:
            return "–"
        return times.local_time(moment, at.surface.clock(), at.settings.timezone, context["language"])

    @pass_context
    def age(context: Context, moment: datetime | None) -> str:
        if moment is None:
            return "–"
        key, values = times.age(moment, at.surface.clock())
        return at.surface.words.say(context["language"], key, **values)

    def utc(moment: datetime | None) -> str:
        return times.utc(moment) if moment else "–"

    return {"local_time": local_time, "age": age, "utc": utc}
