"""Signed requests: what counts, and what does not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageVerifier
from http_message_signatures.algorithms import ED25519
from http_message_signatures.resolvers import MappingKeyResolver
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.sharing import message_signatures
from port2port.sharing.message_signatures import REMEMBERED, Refusal, Seen, sign, verify
from port2port.store.identity import public_bytes

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY, NEXT, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
NODE, URL, BODY = "ab" * 32, "https://p2p.port.example:8201/p2p/v1/acks?x=1", b'{"acks":[]}'


def _check(
    headers: dict[str, str],
    *,
    method: str = "POST",
    url: str = URL,
    body: bytes = BODY,
    peer: str = NODE,
    keys: tuple[Ed25519PrivateKey, ...] = (KEY,),
    now: datetime = NOW,
    seen: Seen | None = None,
) -> str:
    found = verify(method, url, headers, body, peer, [public_bytes(key) for key in keys], now, seen or Seen())
    return found.reason if found else ""


def _signed(now: datetime = NOW, key: Ed25519PrivateKey = KEY) -> dict[str, str]:
    return sign("POST", URL, BODY, key, NODE, now)


def test_a_signed_request_is_accepted_once() -> None:
    headers, seen = _signed(), Seen()
    assert headers.keys() == {"Content-Digest", "Signature-Input", "Signature"}
    assert _check(headers, seen=seen) == ""
    assert _check(headers, seen=seen) == "replayed"
    assert _check(_signed(), seen=seen) == ""


def test_names_of_headers_in_any_case_of_letters() -> None:
    assert _check({name.lower(): text for name, text in _signed().items()}) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "DELETE"},
        {"url": URL.replace("acks", "receipts")},
        {"url": URL.replace("x=1", "x=2")},
        {"url": URL.replace("p2p.port", "p2p.other")},
        {"url": URL.replace("8201", "8202")},
        {"body": BODY + b" "},
        {"body": b""},
        {"peer": "cd" * 32},
        {"keys": (OTHER,)},
        {"keys": ()},
    ],
)
def test_another_target_body_or_sender_does_not_count(changes: dict[str, object]) -> None:
    assert _check(_signed(), **changes) == "bad-signature"  # type: ignore[arg-type]


def test_a_request_without_a_signature_is_told_apart() -> None:
    assert _check({}) == "no-signature"
    assert _check({"Signature": "p2p=:AAAA:"}) == "bad-signature"


def test_both_keys_count_while_a_member_changes_its_key() -> None:
    assert _check(_signed(), keys=(NEXT, KEY)) == ""
    assert _check(_signed(key=NEXT), keys=(NEXT, KEY)) == ""


@pytest.mark.parametrize("off_s", [-61, 61, -86_400])
def test_a_clock_that_is_off_is_named_with_how_much(off_s: int) -> None:
    headers = _signed(NOW + timedelta(seconds=off_s))
    found = verify("POST", URL, headers, BODY, NODE, [public_bytes(KEY)], NOW, Seen())
    assert found == Refusal("clock-off", f"The sender's clock is off by {off_s:+d} s.")


def test_a_confirmation_passes_whatever_the_clock_says_but_once() -> None:
    headers, seen = _signed(NOW - timedelta(days=1)), Seen()
    arguments = ("POST", URL, headers, BODY, NODE, [public_bytes(KEY)], NOW, seen)
    assert verify(*arguments, within=None) is None
    assert verify(*arguments, within=None) == Refusal("replayed", "This request was sent before.")


@pytest.mark.parametrize("off_s", [-60, 0, 60])
def test_a_minute_either_way_is_forgiven(off_s: int) -> None:
    assert _check(_signed(NOW + timedelta(seconds=off_s))) == ""


def test_what_a_stranger_writes_as_time_or_nonce_is_not_looked_at() -> None:
    seen = Seen()
    forged = {**_signed(), "Signature": "p2p=:" + base64.b64encode(bytes(64)).decode() + ":"}
    assert _check(forged, seen=seen) == "bad-signature"
    assert not seen._by_sender


def test_fewer_covered_parts_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_signatures, "COVERED", ("@method", "@target-uri", "content-digest"))
    headers = _signed()
    monkeypatch.undo()
    assert _check(headers) == "bad-signature"


def test_nonces_are_forgotten_after_three_minutes_and_never_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_signatures, "MAX_NONCES", 3)
    seen = Seen()
    assert [seen.add(NODE, str(n), NOW) for n in range(4)] == ["", "", "", "too-many-nonces"]
    assert seen.add("cd" * 32, "0", NOW) == "", "one sender never fills another's"
    later = NOW + REMEMBERED + timedelta(seconds=1)
    assert seen.add(NODE, "0", later) == ""


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["Signature", "Signature-Input", "Content-Digest"]), st.text(max_size=80)))
def test_any_headers_are_refused_or_accepted_never_an_error(headers: dict[str, str]) -> None:
    assert _check(headers) in ("no-signature", "bad-signature")


class _Request:
    """The request of RFC 9421, appendix B.2."""

    method = "POST"
    url = "https://example.com/foo?param=Value&Pet=dog"

    def __init__(self) -> None:
        self.headers = {
            "Host": "example.com",
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaP"
            "m+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
            "Content-Length": "18",
            "Signature-Input": (
                'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");'
                'created=1618884473;keyid="test-key-ed25519"'
            ),
            "Signature": (
                "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
            ),
        }


RFC_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""


def test_the_library_agrees_with_the_test_vector_of_rfc_9421_b_2_6() -> None:
    key = load_pem_private_key(RFC_KEY, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    verifier = HTTPMessageVerifier(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(public_keys={"test-key-ed25519": key.public_key()}, private_keys={}),
    )
    (found,) = verifier.verify(_Request(), max_age=None)
    assert found.parameters["keyid"] == "test-key-ed25519"
