"""The demonstration: a whole network on one machine, with invented traffic and a scene that plays."""
