"""A demonstration network as data: a folder with `network.toml` and GeoJSON beside it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from port2port.core.errors import BadInput
from port2port.core.party import AuthorityRole, Compartment

BELGIUM = Path(__file__).parent / "belgium"


class DemoNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One organisation of the network."""

    key: str
    name: str
    short_name: str
    compartment: Compartment
    hears: tuple[str, ...]
    """AIS stations whose traffic it receives; `*` is all of them, empty is none."""
    view: tuple[float, float, float]
    """Where its map opens: longitude and latitude in degrees, zoom."""
    locode: str = ""
    roles: tuple[AuthorityRole, ...] = ()


class DemoGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sharing group, by the keys of its members."""

    id: str
    name: str
    owner: str
    members: tuple[str, ...]


class DemoAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cooperation agreement that all nodes of the network have signed."""

    id: str
    title: str
    days: int


class DemoNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole network."""

    title: str
    first_web_port: int
    first_peer_port: int
    first_ais_port: int
    opens_at: str
    agreement: DemoAgreement
    groups: tuple[DemoGroup, ...]
    nodes: tuple[DemoNode, ...]

    def node(self, key: str) -> DemoNode:
        return next(each for each in self.nodes if each.key == key)


def load_network(folder: Path) -> DemoNetwork:
    """Read a network's folder. Raises `BadInput` naming what is wrong in it."""
    path = folder / "network.toml"
    try:
        network = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), DemoNetwork)
    except FileNotFoundError as error:
        raise BadInput(f"{folder} has no network.toml.", hint="The shipped one is `belgium`.") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"{path}: {error}.") from error
    keys = {each.key for each in network.nodes}
    named = {network.opens_at, *(key for group in network.groups for key in (group.owner, *group.members))}
    if unknown := sorted(named - keys):
        raise BadInput(f"{path} names nodes that it does not describe: {', '.join(unknown)}.")
    return network
