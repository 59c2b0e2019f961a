"""The shared language of a node: plain values and pure rules.

Nothing here does I/O, and nothing outside the standard library is imported. A word that only one
capability uses does not belong here: it belongs to that capability.
"""
