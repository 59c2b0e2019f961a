"""MISP: what we may tell it as a feed directory, and what we hear from its feeds.

A feed directory is a folder of JSON files that any MISP reads from a disk or a web server. Out goes what a
choice allows (`choice.py`); in comes into quarantine under the feed's name, and is never shared on by itself.
`to_misp.py` and `from_misp.py` translate, both pure. Left out: the REST API of a MISP instance, galaxies,
sightings, event reports.

Source: MISP core format (draft-dulaunoy-misp-core-format), MISP object template format.
"""
