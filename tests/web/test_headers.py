"""Every answer carries the headers that browsers need to protect us, whatever the answer is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from port2port.capability import Site
from port2port.core.errors import NotFound
from port2port.testing.browser import HOST, Browser, browser
from port2port.web.static import StaticFiles

PATHS = ["/sign-in", "/health", "/nowhere", "/api/nowhere", "/api/words/nl.json", "/static/web/clock.js", "/account"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ],
)
def test_each_answer_has_the_fixed_headers(stranger: Browser, path: str, name: str, value: str) -> None:
    assert stranger.get(path).headers[name] == value


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_allows_inline_scripts_styles_or_other_hosts(stranger: Browser, path: str) -> None:
    policy = dict(part.split(" ", 1) for part in stranger.get(path).headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in " ".join(policy.values())
    sources = {source for value in policy.values() for source in value.split()}
    assert all(each in {"'none'", "'self'", "data:", "blob:"} or each.startswith("'nonce-") for each in sources)


def test_each_answer_has_a_nonce_of_its_own(stranger: Browser) -> None:
    policies = [stranger.get("/sign-in").headers["content-security-policy"] for _ in range(3)]
    nonces = {re.findall(r"'nonce-([^']+)'", policy)[0] for policy in policies}
    assert len(nonces) == 3


def test_camera_and_place_are_for_ourselves_only(stranger: Browser) -> None:
    policy = stranger.get("/sign-in").headers["permissions-policy"]
    assert "camera=(self)" in policy
    assert "geolocation=(self)" in policy
    assert "microphone=()" in policy


def test_pages_are_not_kept_by_the_browser(stranger: Browser) -> None:
    assert stranger.get("/sign-in").headers["cache-control"] == "no-store"


def test_files_are_checked_again_on_each_use(stranger: Browser) -> None:
    first = stranger.get("/static/web/clock.js")
    assert first.headers["cache-control"] == "no-cache"
    again = stranger.get("/static/web/clock.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_https_is_remembered_only_where_there_is_https(place: Site) -> None:
    with browser(place, origin=f"https://{HOST}") as it:
        assert it.get("/sign-in").headers["strict-transport-security"] == "max-age=63072000"
    with browser(place) as it:
        assert "strict-transport-security" not in it.get("/sign-in").headers


@pytest.mark.parametrize("path", ["../web/words.toml", "..%2fwords.toml", "port2port.css%00.js", "nothing.css", ""])
def test_nothing_outside_the_static_folder_is_served(stranger: Browser, path: str) -> None:
    assert stranger.get(f"/static/web/{path}").status_code in (400, 404)


@pytest.mark.parametrize("path", ["../secret.js", "/../secret.js", "link.js", "no.js", "open.exe", "\0.js", "."])
def test_only_known_kinds_inside_the_folder_are_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "static").mkdir()
    for name in ("secret.js", "static/open.js", "static/open.exe"):
        (tmp_path / name).write_text("1")
    (tmp_path / "static" / "link.js").symlink_to(tmp_path / "secret.js")
    files = StaticFiles({"owner": tmp_path})
    assert files.find("owner", "/open.js").name == "open.js"
    with pytest.raises(NotFound):
        files.find("owner", path)
    with pytest.raises(NotFound):
        files.find("other", "/open.js")


HOSTS = ["evil.example", "port.example.evil.example", "127.0.0.1.evil.example", "[::1", "::", ""]


@pytest.mark.parametrize("host", HOSTS)
def test_a_request_for_another_host_is_refused(stranger: Browser, host: str) -> None:
    assert stranger.get("/sign-in", headers={"Host": host}).status_code == 403


def test_pages_have_no_inline_script_style_or_handler(stranger: Browser, operator: Browser) -> None:
    texts = [stranger.get("/sign-in").text, operator.get("/account").text, operator.get("/system").text]
    for text in texts:
        assert not re.search(r"<script(?![^>]*\ssrc=)", text)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text)
