"""Starts the worker when a job comes, and deals with its death."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Timer
from typing import IO, Any, Generic, TypeVar

import msgspec

from port2port.core.errors import Port2PortError, Unavailable
from port2port.worker import wire

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Job(Generic[A, R]):
    """A function in the worker, named by text so that the node does not import it."""

    target: str
    """`package.module:function`; it takes one argument."""
    argument: type[A]
    result: type[R]
    timeout_s: float = 60.0


@dataclass(frozen=True)
class WorkerState:
    """For the health page: memory of workers is reported beside the node's, never hidden in it."""

    running: bool
    resident_mb: float
    jobs_done: int
    restarts: int
    last_error: str


class JobFailed(Port2PortError):
    """The worker ran the job and it raised; the worker itself is fine."""


class Supervisor:
    """One worker process, one job at a time; any thread may call."""

    def __init__(self, log: Callable[[str], None] = lambda line: None, idle_s: float = 120.0) -> None:
        self._log = log
        self._idle_s = idle_s
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = Lock()
        self._retire: Timer | None = None
        self._done = self._starts = 0
        self._last_error = ""

    def call(self, job: Job[A, R], argument: A) -> R:
        """Run one job. Raises `JobFailed` when it raised, `Unavailable` when the worker died or took too long."""
        with self._turn:
            self._cancel_retirement()
            process = self._running()
            overdue = Timer(job.timeout_s, process.kill)
            overdue.start()
            try:
                data = self._exchange(process, wire.Request(job.target, msgspec.to_builtins(argument)))
            finally:
                expired = not overdue.is_alive()
                overdue.cancel()
                overdue.join()
            if data is None:
                raise self._died(process, job, expired)
            self._done += 1
            self._plan_retirement()
        reply = msgspec.msgpack.decode(data, type=wire.Reply)
        if reply.error:
            raise JobFailed(f"{job.target} failed: {reply.error}", hint="The node goes on without this result.")
        return msgspec.convert(reply.value, type=job.result)

    def state(self) -> WorkerState:
        process = self._process
        alive = process is not None and process.poll() is None
        memory = _resident_mb(process.pid) if process is not None and alive else 0.0
        return WorkerState(alive, memory, self._done, max(0, self._starts - 1), self._last_error)

    def close(self) -> None:
        """Stop the worker; a job under way fails with `Unavailable`."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
        with self._turn:
            self._cancel_retirement()
            self._stop()

    def _exchange(self, process: subprocess.Popen[bytes], request: wire.Request) -> bytes | None:
        try:
            wire.write(_pipe(process.stdin), request)
            return wire.read(_pipe(process.stdout))
        except (BrokenPipeError, ConnectionResetError):
            return None

    def _died(self, process: subprocess.Popen[bytes], job: Job[Any, Any], expired: bool) -> Unavailable:
        process.kill()
        code = process.wait()
        _close(process)
        self._process = None
        why = f"took longer than {job.timeout_s:g} s" if expired else f"ended with code {code}"
        self._last_error = f"{job.target}: the worker {why}"
        self._log(self._last_error)
        return Unavailable(f"The worker {why} during {job.target}.", hint="Try again; it is started afresh.")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "port2port.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._starts += 1
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()  # the worker reads the end of its input, and leaves
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _close(self._process)
        self._process = None

    def _plan_retirement(self) -> None:
        self._retire = Timer(self._idle_s, self._retire_now)
        self._retire.daemon = True
        self._retire.start()

    def _retire_now(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self._stop()
            finally:
                self._turn.release()

    def _cancel_retirement(self) -> None:
        if self._retire is not None:
            self._retire.cancel()
            self._retire = None


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # what was still buffered for a dead worker has nowhere to go
            _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None, "the worker is started with both pipes"
    return pipe


def _resident_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0
