"""The section `[sharing]` of a node's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from port2port.core.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class SharingSettings:
    """Where other ports reach us, and what we ask of them."""

    listen: Annotated[str, Meta(description="Address and port for other ports, e.g. 0.0.0.0:8201. Port 0: any.")] = (
        "127.0.0.1:8201"
    )
    announce: Annotated[
        str, Meta(description="Host and port by which others reach us, e.g. p2p.port.example:8201. Empty: as `listen`.")
    ] = ""
    bootstrap: Annotated[
        str, Meta(description="File of signed members, groups and agreements to begin with. Empty: none.")
    ] = ""
    heartbeat_s: Annotated[float, Meta(gt=0, le=60, description="Seconds between signs of life on a connection.")] = 5.0
    longest_pause_s: Annotated[
        float, Meta(gt=0, le=600, description="Longest pause in seconds before a lost partner is called again.")
    ] = 15.0
    lost_after_s: Annotated[
        float, Meta(gt=0, le=3600, description="A partner that was away this many seconds is reported as lost.")
    ] = 30.0
    witness_s: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds between two comparisons of what partners saw of third ones.")
    ] = 60.0
    start_check_s: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="How long a starting node asks partners whether it was restored from an older backup, in "
            "seconds, before it sends anything new.",
        ),
    ] = 3.0
    hand_on: Annotated[
        bool, Meta(description="Read a partner that cannot be reached from another member, and hand on what we read.")
    ] = True
    hand_on_after_s: Annotated[
        float, Meta(gt=0, le=3600, description="A partner that was away this many seconds is read from another member.")
    ] = 60.0
    backups_kept_days: Annotated[
        int, Meta(ge=0, le=3650, description="How long backups of this node are kept, in days: receipts say so.")
    ] = 30
    requests_per_second: Annotated[
        float, Meta(gt=0, le=10_000, description="How many requests a second one partner may make, on average.")
    ] = 50.0
    quarantine_days: Annotated[
        int, Meta(ge=1, le=3650, description="How long what foreign programs and servers brought is kept unexamined.")
    ] = 90
    taxii_sources: Annotated[
        tuple[str, ...],
        Meta(description="Collections of other organisations' TAXII 2.1 servers to read, by their URL."),
    ] = ()
    taxii_poll_minutes: Annotated[
        float, Meta(gt=0, le=10_080, description="Minutes between two readings of these collections.")
    ] = 15.0
    taxii_passwords: Annotated[
        str, Meta(description="File with names and passwords for them, in netrc form; relative to the node's folder.")
    ] = "taxii.netrc"


def host_and_port(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` taken apart. Raises `BadInput`."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or len(host) > 253 or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadInput(f"{text!r} is not host:port.", hint="Write it like p2p.port.example:8201.")
    return host, int(port)
