"""What do we tell other ports, and what do we believe from them?

Objects that a person offered go out as numbered, chained, signed entries, one log per audience; what others
send is verified, judged by its handling and applied together with its cursor. Who the others are follows from
signed documents, and is asked anew at every request. See docs/explanation/connections-between-nodes.md.
"""

from __future__ import annotations

from pathlib import Path

from port2port.capability import Capability
from port2port.sharing import facts
from port2port.sharing.audit.cli import audit as audit_commands
from port2port.sharing.cli import network
from port2port.sharing.misp.cli import misp as misp_commands
from port2port.sharing.running import start
from port2port.sharing.settings import SharingSettings
from port2port.sharing.taxii.cli import taxii as taxii_commands

__all__ = ["capability"]

capability = Capability(
    name="sharing",
    question="What do we tell other ports, and what do we believe from them?",
    folder=Path(__file__).parent,
    settings=SharingSettings,
    start=start,
    facts=facts.ALL,
    commands=(network, audit_commands, taxii_commands, misp_commands),
)
