"""Public test kit: what a capability's or a sensor's author needs to test without a whole node."""

from port2port.testing.site import FakeOthers, site

__all__ = ["FakeOthers", "site"]
