"""Being the only one who works on a fleet."""

from __future__ import annotations

import os
import socket
from contextlib import AbstractContextManager
from datetime import timedelta

from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control


def alone(control: Control, clock: Clock, timeout: timedelta) -> AbstractContextManager[None]:
    """Be the only one for the length of a `with` block, under a name that tells others who it is.

    Raises:
        RunInProgress: Another process works on this fleet, and did not end in time.
    """
    return control.runs.exclusive(holder(control, clock), timeout)


def holder(control: Control, clock: Clock) -> str:
    """Who works, as others are told who have to wait."""
    now = clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{control.actor} on {socket.gethostname()}, process {os.getpid()}, since {now}"
