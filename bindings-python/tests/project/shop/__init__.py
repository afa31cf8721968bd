"""A host's Django project, to run the library in."""
