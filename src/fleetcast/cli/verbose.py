"""`--verbose`: what a command reads, opens and asks, line by line on standard error while it does so."""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetcast import __version__

VARIABLE = "FLEETCAST_VERBOSE"
"""With 1, every command speaks, and the commands that it starts."""

STEPS = "fleetcast.steps"
"""Logger of what is done; nothing secret is told to it."""


@contextmanager
def speaking(command: str) -> Iterator[None]:
    """Have the steps of a command said on standard error as long as it runs.

    Args:
        command: Its words; what is given to it is not said, as it may be anything.
    """
    os.environ[VARIABLE] = "1"
    log, handler = logging.getLogger(STEPS), logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    began = time.monotonic()
    log.debug("%s, version %s, Python %s, in %s", command, __version__, platform.python_version(), Path.cwd())
    try:
        yield
    finally:
        log.debug("%s ends after %.2f s", command, time.monotonic() - began)
        log.removeHandler(handler)
        log.setLevel(level)
