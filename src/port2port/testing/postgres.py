"""A PostgreSQL server of one's own: started in a temporary folder on a free port, stopped and removed at the end.

Needs the server programs of the system (Debian: package `postgresql`). They refuse to run as root, so
then the server runs as user `postgres` or `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

START_S = 30
"""How long the server may take to start or stop."""


class NoServer(Exception):
    """The server programs are not installed."""


class PostgresServer:
    """A running server. Kill and start it again to see what the store makes of it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self.port = _free_port()

    @property
    def url(self) -> str:
        return f"postgresql://port2port@127.0.0.1:{self.port}/postgres"

    def database(self, name: str) -> str:
        """Make an empty database; answers its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql://port2port@127.0.0.1:{self.port}/{name}"

    def emptied(self) -> str:
        """The URL of one database that is empty again: much faster than a new one for each test."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url

    def initialise(self) -> None:
        self._run("initdb", "-D", "data", "-U", "port2port", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run("pg_ctl", "-D", "data", "-w", "-t", str(START_S), "-l", "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is what a crash looks like to the data: no checkpoint, recovery at the next start."""
        self._run("pg_ctl", "-D", "data", "-w", "-t", str(START_S), "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        account = _account()
        if account is not None:
            command = ["setpriv", f"--reuid={account}", "--regid", _group_of(account), "--clear-groups", *command]
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=2 * START_S,
        )  # fmt: skip
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{program} failed: {done.stdout}\n{log.read_text() if log.exists() else ''}")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the length of a `with` block. Raises `NoServer`."""
    programs = find_programs()
    folder = Path(mkdtemp(prefix="port2port-postgres-"))
    server = PostgresServer(programs, folder)
    try:
        account = _account()
        if account is not None:
            os.chown(folder, pwd.getpwnam(account).pw_uid, int(_group_of(account)))
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def find_programs() -> Path:
    """The folder that holds `initdb` and `pg_ctl`: on the PATH, or the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        raise NoServer("PostgreSQL's server programs are not installed (Debian: apt install postgresql)")
    return found[-1].parent


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group_of(account: str) -> str:
    return str(pwd.getpwnam(account).pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
