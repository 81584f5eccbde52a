"""A strict Azure DevOps of one organisation and one project, for tests: see `server.py`."""
