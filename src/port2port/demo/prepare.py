"""Turns a network's data into folders of real nodes: keys, settings, signed membership. Twice changes nothing."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Party
from port2port.demo.network import DemoNetwork, DemoNode
from port2port.sharing.bootstrap import make_agreement, make_group, make_statement, write_bootstrap
from port2port.sharing.documents import Document
from port2port.store.identity import load_or_create, public_bytes

PORTS_TRIED = 200


class Ports(msgspec.Struct, frozen=True):
    """The ports of one node, kept so that the second start has the same addresses."""

    web: int
    peer: int
    ais: int


@dataclass(frozen=True)
class PreparedNode:
    """A node's folder, ready for `port2port serve`."""

    node: DemoNode
    folder: Path
    ports: Ports
    key: Ed25519PrivateKey

    @property
    def node_id(self) -> str:
        return node_id(public_bytes(self.key))

    def party(self) -> Party:
        return Party(
            node_id=self.node_id,
            name=self.node.name,
            short_name=self.node.short_name,
            compartment=self.node.compartment,
            locode=self.node.locode,
            roles=frozenset(self.node.roles),
        )


@dataclass(frozen=True)
class Prepared:
    """A whole network, ready to start."""

    network: DemoNetwork
    data: Path
    """The folder that describes the network."""
    folder: Path
    nodes: tuple[PreparedNode, ...]

    def at(self, key: str) -> PreparedNode:
        return next(each for each in self.nodes if each.node.key == key)


def prepare(data: Path, network: DemoNetwork, folder: Path) -> Prepared:
    """Make (or find again) a folder per node under `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = _ports(network, folder / "ports.json")
    nodes = tuple(
        PreparedNode(each, folder / each.key, ports[each.key], load_or_create(folder / each.key))
        for each in network.nodes
    )
    prepared = Prepared(network, data, folder, nodes)
    members = folder / "members.json"
    if not members.exists():
        write_bootstrap(members, _documents(prepared))
    for each in nodes:
        (each.folder / "port2port.toml").write_text(_settings(prepared, each), encoding="utf-8")
    return prepared


def reset(folder: Path) -> None:
    """Forget a network's data. Only what `prepare` made is removed."""
    if (folder / "members.json").exists():
        shutil.rmtree(folder)


def _documents(prepared: Prepared) -> Iterator[Document]:
    now = datetime.now(UTC).replace(microsecond=0)
    sponsor = next(each for each in prepared.nodes if AuthorityRole.INVITES in each.node.roles)
    for each in prepared.nodes:
        address = f"127.0.0.1:{each.ports.peer}"
        yield make_statement(each.party(), public_bytes(each.key), address, now, sponsor.key)
    yield make_agreement(_agreement(prepared, now), *(each.key for each in prepared.nodes), open_to_all=True)
    for group in prepared.network.groups:
        owner = prepared.at(group.owner)
        members = frozenset(prepared.at(key).node_id for key in group.members)
        yield make_group(Group(id=group.id, name=group.name, owner=owner.node_id, members=members), now, owner.key)


def _agreement(prepared: Prepared, now: datetime) -> Agreement:
    described = prepared.network.agreement
    return Agreement(
        id=described.id,
        title=described.title,
        parties=frozenset(each.node_id for each in prepared.nodes),
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now - timedelta(days=1),
        ends=now + timedelta(days=described.days),
    )


def _settings(prepared: Prepared, each: PreparedNode) -> str:
    node, ports = each.node, each.ports
    zones = prepared.data / "zones" / f"{node.key}.geojson"
    longitude_deg, latitude_deg, zoom = node.view
    lines = [
        "# Made by `port2port demo`; made again at its next start.",
        "[node]",
        f"name = {_text(node.name)}",
        f"short_name = {_text(node.short_name)}",
        f"compartment = {_text(node.compartment)}",
        f"locode = {_text(node.locode)}",
        f"roles = [{', '.join(map(_text, node.roles))}]",
        "demonstration = true",
        "[web]",
        f"port = {ports.web}",
        f'base_url = "http://localhost:{ports.web}"',
        "[sharing]",
        f'listen = "127.0.0.1:{ports.peer}"',
        f"bootstrap = {_text(str(prepared.folder / 'members.json'))}",
        "[picture]",
        f"longitude_deg = {longitude_deg}",
        f"latitude_deg = {latitude_deg}",
        f"zoom = {zoom}",
        "[vessels]",
        f"zones_file = {_text(str(zones) if zones.exists() else '')}",
    ]
    if node.hears:
        lines += ["[[vessels.sources]]", 'name = "ais"', 'kind = "udp"', f'address = "127.0.0.1:{ports.ais}"']
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()  # a JSON string is a TOML basic string


def _ports(network: DemoNetwork, kept: Path) -> dict[str, Ports]:
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=dict[str, Ports])
    web, peer = _free(network.first_web_port), _free(network.first_peer_port)
    ais = _free(network.first_ais_port, datagram=True)
    ports = {each.key: Ports(next(web), next(peer), next(ais)) for each in network.nodes}
    kept.write_bytes(msgspec.json.encode(ports))
    return ports


def _free(first: int, datagram: bool = False) -> Iterator[int]:
    """Free ports from `first` on: another demonstration may already run here."""
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    for port in range(first, first + PORTS_TRIED):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port
