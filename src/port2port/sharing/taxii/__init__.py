"""TAXII 2.1 (OASIS Standard, 10 June 2021): what other programs read of the network, and hand in.

Every lane that a program account may read is a collection, and one collection holds them all together; what a
program hands in waits in quarantine under its name. The client polls other organisations' servers in the same way.
See docs/reference/taxii.md.
"""
