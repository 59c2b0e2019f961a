"""The security network of ports."""
