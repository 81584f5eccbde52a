"""Who acts."""

from __future__ import annotations

import getpass

from fleetcast.domain.audit import Actor


def whoami() -> Actor:
    """The operating system's user: an asserted identity."""
    try:
        return Actor(getpass.getuser())
    except (OSError, KeyError):
        return Actor("unknown")
