"""STIX 2.1: read, check, name, build. A toolkit that knows no capability.

`reading` keeps exact bytes and says what they hold; `check` says what is wrong with an object, by schema and by the
standard's MUST rules; `ids` derives ids from what things are; `extension` and the builders `things`, `places`,
`observations`, `incident_core`, `playbook`, `marking` and `bundle` write what a port has to say. Pure, but for
reading the schemas that lie beside the code.
"""
