"""Jobs that misbehave in the ways heavy libraries do."""

from __future__ import annotations

import os
import signal
import sys
import time


def double(number: int) -> int:
    print("a library that prints must not break the conversation")
    return number * 2


def refuse(text: str) -> str:
    raise ValueError(f"cannot read {text}")


def crash(_: int) -> int:
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def hang(_: int) -> int:
    time.sleep(3600)
    return 0


def load_decimal(_: int) -> bool:
    import _pydecimal  # noqa: F401 - stands for a heavy library

    return "_pydecimal" in sys.modules


def echo(data: bytes) -> bytes:
    return data
