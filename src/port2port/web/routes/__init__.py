"""The toolkit's own routes."""

from __future__ import annotations

from typing import Any

from port2port.web.routes import account, accounts, front, set_up, sign_in, system
from port2port.web.surface import Surface


def own(surface: Surface) -> list[Any]:
    """All of them; the demonstration's sign-in only where there is a demonstration."""
    handlers = [*front.HANDLERS, *sign_in.HANDLERS, *account.HANDLERS, *set_up.HANDLERS]
    handlers += [*system.HANDLERS, *accounts.HANDLERS]
    return [*handlers, sign_in.for_demonstration] if surface.demonstration else handlers
