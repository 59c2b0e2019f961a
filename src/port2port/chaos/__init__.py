"""Does the network lose or leak anything? Seeded faults, an independent oracle, and planted bugs that it must catch.

Two ways to break things: `simulation`, nine nodes in one process under a simulated clock and network, where one
seed is one history; and `lab`, real node processes in network namespaces with cuts, kill -9 and a full disk.
What each node may hold is said by `oracle.py`, which imports nothing of port2port.
"""
