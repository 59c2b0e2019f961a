"""How much of a stranger's STIX we are ready to read. Every number is a limit, none is a tuning knob."""

from __future__ import annotations

MAX_OBJECT_BYTES = 1 << 20
"""One object, as sent."""
MAX_BUNDLE_BYTES = 64 << 20
MAX_BUNDLE_OBJECTS = 100_000
MAX_BUNDLE_MARKS = 2_000_000
"""Brackets, commas and texts in a bundle that must be cut apart by hand, because one of its objects is no JSON."""
MAX_DEPTH = 32
"""Lists and dictionaries inside each other. The standard's own objects need seven."""
MAX_PROBLEMS = 20
"""Named per object; whatever else is wrong with it is not looked for."""
MAX_DESCRIBED_VALUES = 1_000
"""Of a larger object that breaks its schema, the first fault is named and no other."""
MAX_SENTENCE_CHARS = 300
MAX_PATTERN_CHARS = 100_000
MAX_PATTERN_DEPTH = 64
"""Brackets inside each other in one pattern."""
MAX_PLAYBOOK_BYTES = 512 << 10
"""A CACAO playbook before base64."""
