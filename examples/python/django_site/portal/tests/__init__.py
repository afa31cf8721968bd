"""The site's tests: a real server, and real requests."""
