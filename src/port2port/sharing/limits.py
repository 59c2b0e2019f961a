"""What we accept from a stranger, by name. A page that is larger than this is cut off, never read to its end."""

from __future__ import annotations

MAX_BODY_BYTES = 128 * 1024
"""One entry's body: the envelope with its object."""

MAX_LINE_BYTES = 256 * 1024
"""One line of the stream, which is one page."""

MAX_PAGE_ENTRIES = 256
"""Entries in one page."""

PAGE_BODY_BYTES = 150 * 1024
"""Bodies in a page that we make, before base64: headers still fit below `MAX_LINE_BYTES`, and one body always does."""

MAX_LANES = 1024
"""Connections of one origin and class that a receiver follows."""

MAX_STREAMS = 6
"""Open streams of one peer: three classes, and as many that the peer has lost but we have not noticed yet."""

MAX_POST_BYTES = 64 * 1024
"""What a peer may post: confirmations, a request to join."""

MAX_DOCUMENT_BYTES = 64 * 1024
"""One signed statement, group or agreement with its signatures."""

MAX_DOCUMENTS = 20_000
"""Signed documents that a node keeps."""

MAX_BOOTSTRAP_BYTES = 16 * 1024 * 1024
"""The file of signed documents that a network begins with, and the answer to a request to join."""

MAX_QUERY_BYTES = 160 * 1024
"""A request line with all cursors in it."""

MAX_UNCONFIRMED_PAGES = 4
"""Pages of one stream that are on their way: who does not confirm gets no more, and costs us a number."""

MAX_HEADS = 1_000
"""Heads of one origin's connections, told by others, that lie beyond what we have read."""

MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024
"""A live set for a new member."""

MAX_WAIT_S = 25.0
"""A long poll is answered after this time, with or without entries."""

MAX_QUARANTINED = 1_000
"""Entries of one origin that wait until we know the group or agreement they cite."""
