"""The worker process: reads a request, imports what it names, answers. Ends when the node goes away."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from typing import Any

import msgspec

from port2port.worker import wire


def main() -> None:
    """Serve requests from standard input until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the node's to handle; it closes our pipe
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library's print must not end up between two replies
    while (data := wire.read(requests)) is not None:
        wire.write(replies, _answer(msgspec.msgpack.decode(data, type=wire.Request)))


def _answer(request: wire.Request) -> wire.Reply:
    try:
        return wire.Reply(value=_function(request.target)(request.argument))
    except Exception as error:  # whatever a heavy library raises must reach the caller as a sentence
        traceback.print_exc()
        return wire.Reply(error=f"{type(error).__name__}: {error}"[:1000])


def _function(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main()
