"""The worker process may crash, hang or swell; the node goes on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from port2port.core.errors import DecodeError, Unavailable
from port2port.worker import Job, Supervisor, wire
from port2port.worker.supervisor import JobFailed

HERE = Path(__file__).parent


def job(name: str, argument: type = int, result: type = int, timeout_s: float = 30) -> Job:
    return Job(target=f"jobs:{name}", argument=argument, result=result, timeout_s=timeout_s)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setenv("PYTHONPATH", str(HERE) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    running = Supervisor()
    yield running
    running.close()
    assert not running.state().running


def test_a_worker_starts_with_its_first_job_and_is_kept_for_the_next(supervisor: Supervisor) -> None:
    assert not supervisor.state().running
    assert supervisor.call(job("double"), 21) == 42
    assert supervisor.call(job("double"), 4) == 8
    state = supervisor.state()
    assert (state.running, state.jobs_done, state.restarts) == (True, 2, 0)
    assert state.resident_mb > 5


def test_a_job_that_raises_fails_alone(supervisor: Supervisor) -> None:
    with pytest.raises(JobFailed, match="cannot read paper"):
        supervisor.call(job("refuse", str, str), "paper")
    assert supervisor.call(job("double"), 1) == 2
    assert supervisor.state().restarts == 0


def test_a_worker_that_crashes_is_started_afresh(supervisor: Supervisor) -> None:
    with pytest.raises(Unavailable, match="ended with code -11"):
        supervisor.call(job("crash"), 1)
    assert supervisor.call(job("double"), 1) == 2
    assert supervisor.state().restarts == 1
    assert "jobs:crash" in supervisor.state().last_error


def test_a_worker_that_hangs_is_stopped_after_its_time(supervisor: Supervisor) -> None:
    with pytest.raises(Unavailable, match=r"took longer than 0\.2 s"):
        supervisor.call(job("hang", timeout_s=0.2), 1)
    assert supervisor.call(job("double"), 1) == 2


def test_heavy_libraries_are_loaded_in_the_worker_only(supervisor: Supervisor) -> None:
    sys.modules.pop("_pydecimal", None)
    assert supervisor.call(job("load_decimal", int, bool), 0) is True
    assert "_pydecimal" not in sys.modules


def test_many_threads_take_turns(supervisor: Supervisor) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: supervisor.call(job("double"), n), range(40))) == [n * 2 for n in range(40)]


def test_a_large_argument_arrives_whole(supervisor: Supervisor) -> None:
    data = os.urandom(3_000_000)
    assert supervisor.call(job("echo", bytes, bytes), data) == data


def test_an_idle_worker_gives_its_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    supervisor = Supervisor(idle_s=0.05)
    supervisor.call(job("double"), 1)
    process = psutil.Process(supervisor._process.pid)  # type: ignore[union-attr]
    psutil.wait_procs([process], timeout=10)
    assert not process.is_running()
    assert supervisor.call(job("double"), 1) == 2
    supervisor.close()


@given(st.binary(max_size=200))
def test_any_bytes_on_the_pipe_are_a_message_or_refused(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        message = wire.read(stream)
    except DecodeError:
        assert int.from_bytes(data[:4], "big") > wire.MAX_MESSAGE_BYTES
    else:
        assert message is None or message == data[4 : 4 + int.from_bytes(data[:4], "big")]
