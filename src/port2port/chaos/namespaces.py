"""A private network of this machine: one namespace per node, a bridge in a namespace of its own, faults by nftables.

Nothing outside is touched: addresses are of 10.213.0.0/24 inside the namespaces only, and all of it is gone with
`close`. Needs root, `ip` (Debian: iproute2) and `nft` (Debian: nftables).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from port2port.core.errors import Unavailable

NETWORK = "10.213.0"
_CLONE_NEWNET = 0x40000000
_COMMAND_S = 20.0


def require_lab() -> None:
    """Raises `Unavailable`, with what is missing, when this machine cannot have such a network."""
    missing = [program for program in ("ip", "nft") if shutil.which(program) is None]
    if missing:
        raise Unavailable(
            f"These programs are missing: {', '.join(missing)}.",
            hint="On Debian: apt-get install iproute2 nftables",
        )
    if os.geteuid() != 0:
        raise Unavailable("Network namespaces need root.", hint="Run it as root, or use: port2port chaos simulate")
    probe = f"p2p-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, timeout=_COMMAND_S)
    if made.returncode:
        raise Unavailable(f"No network namespace can be made here: {made.stderr.strip()}.")
    _run("ip", "netns", "del", probe)


class Lab:
    """So many hosts on one switch. Hosts are numbered from 0."""

    def __init__(self, hosts: int) -> None:
        self._prefix = f"p2p{os.getpid()}"
        self.hosts = range(hosts)
        self._threads: dict[int, ThreadPoolExecutor] = {}

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, host: int) -> str:
        return f"{NETWORK}.{host + 1}"

    def name(self, host: int) -> str:
        return f"{self._prefix}-{host}"

    def inside(self, host: int, *command: str) -> list[str]:
        """The command line that runs `command` on a host."""
        # not `ip netns exec`: that copies all mounts, and whoever wants to unmount one meanwhile finds it busy
        return ["nsenter", f"--net=/var/run/netns/{self.name(host)}", *command]

    def socket_on(self, host: int) -> socket.socket:
        """A TCP socket that belongs to a host, to be connected from here."""
        thread = self._threads.get(host)
        if thread is None:
            thread = self._threads[host] = ThreadPoolExecutor(1, initializer=_enter, initargs=(self.name(host),))
        return thread.submit(_new_socket).result(_COMMAND_S)

    def cut(self, sender: int, receivers: Sequence[int]) -> None:
        """What `sender` sends no longer reaches `receivers`."""
        for receiver in receivers:
            self._rule(receiver, f"ip saddr {self.address(sender)} drop")

    def part(self, half: Sequence[int]) -> None:
        """Two halves that do not hear each other."""
        rest = [each for each in self.hosts if each not in half]
        for one in half:
            self.cut(one, rest)
        for other in rest:
            self.cut(other, half)

    def lose(self, host: int, percent: int) -> None:
        """So many of the packets that reach `host` from outside are lost."""
        self._rule(host, f"ip saddr {NETWORK}.0/24 numgen random mod 100 < {percent} drop")

    def mend(self) -> None:
        """No rule is left."""
        for host in self.hosts:
            _run(*self.inside(host, "nft", "flush", "chain", "inet", "chaos", "input"))

    def close(self) -> None:
        """Take everything down; what was never built is passed over."""
        for thread in self._threads.values():
            thread.shutdown()
        self._threads.clear()
        for name in (*(self.name(host) for host in self.hosts), f"{self._prefix}-switch"):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=_COMMAND_S)

    def _rule(self, host: int, rule: str) -> None:
        _run(*self.inside(host, "nft", "add", "rule", "inet", "chaos", "input", *rule.split()))

    def _build(self) -> None:
        switch = f"{self._prefix}-switch"
        _run("ip", "netns", "add", switch)
        _run("ip", "-n", switch, "link", "add", "bridge", "type", "bridge")
        _run("ip", "-n", switch, "link", "set", "bridge", "up")
        for host in self.hosts:
            name, far = self.name(host), f"host{host}"
            _run("ip", "netns", "add", name)
            _run("ip", "-n", switch, "link", "add", far, "type", "veth", "peer", "name", "eth0", "netns", name)
            _run("ip", "-n", switch, "link", "set", far, "master", "bridge", "up")
            _run("ip", "-n", name, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
            _run("ip", "-n", name, "link", "set", "lo", "up")
            _run(*self.inside(host, "nft", "add", "table", "inet", "chaos"))
            chain = "add chain inet chaos input { type filter hook input priority 0 ; }"
            _run(*self.inside(host, "nft", *chain.split()))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_S)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)} failed: {done.stderr.strip()}.")


def _enter(name: str) -> None:
    """This thread belongs to the namespace from now on; sockets stay where they were made."""
    handle = os.open(f"/var/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the namespace {name} cannot be entered")
    finally:
        os.close(handle)


def _new_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made
