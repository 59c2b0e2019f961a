"""Heavy libraries run in a process of their own, started when needed and supervised.

A node must stay small and must not die of a decoder. A `Job` names a function by text; only the worker
imports it. The node sends its argument and waits; a worker that crashes, hangs or grows fails that one
call and is started afresh for the next.
"""

from port2port.worker.supervisor import Job, Supervisor, WorkerState

HEAVY_MODULES = frozenset(
    {"av", "duckdb", "ibis", "onnxruntime", "pandas", "pyarrow", "rapidocr", "scipy", "statsmodels", "typst"}
)
"""Never imported by the node process; a test looks at `sys.modules`."""

__all__ = ["HEAVY_MODULES", "Job", "Supervisor", "WorkerState"]
