"""`fleetcast clean --apply` in a process that is killed before or after one call; run as a program by the tests.

python -m tests.scenarios.dying_clean FLEET before|after control.ROLE|workspace.ROLE METHOD
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName
from tests.scenarios.dying_run import KillAt


def main(fleet: str, when: str, where: str, method: str) -> None:
    opened = open_fleet(Path(fleet))
    bag, _, role = where.partition(".")
    held = getattr(opened.platform, bag)
    roles: dict[str, Any] = {role: KillAt(getattr(held, role), when, method, 1, [])}
    bags: dict[str, Any] = {bag: replace(held, **roles)}
    opened = replace(opened, platform=replace(opened.platform, **bags))
    chosen = tuple(EnvironmentName)
    opened.cleaning(
        opened.fleet, opened.cleaning.plan(opened.fleet, chosen), chosen, lock_timeout=timedelta(0)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
