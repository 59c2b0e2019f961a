"""How batches travel inside one node: a bounded in-process log with dense numbers.

Telemetry goes this way (sentences from a source to their capability); facts never do, they are in the
journal. The same six verbs fit a broker when sensors and workers run on several machines.
"""

from port2port.transport.log import Log

__all__ = ["Log"]
