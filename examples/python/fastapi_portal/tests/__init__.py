"""The portal's tests: a real server, and real requests."""
