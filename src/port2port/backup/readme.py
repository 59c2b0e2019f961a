"""What an export says of itself to whoever opens it without us."""

from __future__ import annotations

README = """# All data of {name}

Written on {at:%Y-%m-%d %H:%M} UTC by Port2Port. Each `.jsonl` file holds one JSON value a line (UTF-8).

- `objects.jsonl`: what was shared by this organisation and with it. `bundle` is STIX 2.1 and stands alone
  (`jq -c .bundle objects.jsonl`); `handling` says who may have it, for what, and until when; `received` tells another's
  object from an own one; `sha256` is that of the bundle's bytes as they were sent.
- `tables/`: every table of the database. Whole numbers that are moments (`at`, `…_at`, `retain_until`, `expires`) count
  microseconds since 1970-01-01 UTC; bytes are hexadecimal.
- `journal.jsonl`: everything that happened, in order.
- `files/`: settings, zones and other files of the node's folder.
- `unexamined.jsonl`: only when asked for: what foreign programs handed in and nobody has read.
- `manifest.json`: SHA-256 of every file. To check them all:
  `jq -r '.sha256 | to_entries[] | "\\(.value)  \\(.key)"' manifest.json | sha256sum -c`

Left out: keys, passwords and open invitations; what may no longer be kept; what was erased or taken back; and, unless
`named_readers_included` in `manifest.json` is true, what is for named readers (TLP:RED).

The labels bind whoever holds this: keep nothing beyond its `retain_until`, and hand nothing on to others than it says.
"""
