"""Identifiers that others give to things: one module each, all of the same shape.

`normalise(text)` answers the usual spelling without judging it, `check(text)` answers that spelling or
raises `BadInput` saying what is wrong and what is expected, `is_valid(text)` answers whether `check`
would. Rules, sources and examples: docs/reference/identifiers.md.

None of these is a key of ours: flags change, plates move, ports are renamed. Objects have ids of their own
(`core.ids`); these are what people and sensors call them.
"""
