"""A strict GitHub of one repository, for tests: see `server.py`."""
