"""What Python does first in processes whose wall clock is shifted.

libfaketime 0.9.10 takes the moments until which Python sleeps, by the clock since the boot, for moments of the shifted
wall clock, and the system refuses them. `select` is told a length instead.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select((), (), (), float(seconds))


time.sleep = _sleep
