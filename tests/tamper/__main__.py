"""Tamper in every way with real fleets, by real processes; exits 1 where one is not named, or moves a model."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.scenarios.repository import Repository, write_fleet
from tests.tamper import telling
from tests.tamper.cases import APPROVED, PROMOTED, WAITING, Tampering

STATES: Sequence[tuple[Callable[[Repository, telling.Type], None], Sequence[Tampering]]] = (
    (telling.waiting, WAITING),
    (telling.approved, APPROVED),
    (telling.promoted, PROMOTED),
)


def main() -> int:
    """Go through all states and cases."""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="tamper-") as scratch:
        folder = Path(scratch).resolve()
        os.environ["XDG_STATE_HOME"] = str(folder / "user-state")
        trained = write_fleet(folder / "trained", None)
        assert trained.spawn("train").code == 3
        for state, cases in STATES:
            print(f"\n━━ {(state.__doc__ or '').splitlines()[0]}", flush=True)
            for number, case in enumerate(cases, start=1):
                fleet = trained.copy_to(folder / f"{state.__name__}-{number}")
                state(fleet, fleet.spawn)
                print(f"\n{case.name}", flush=True)
                found = list(telling.wrong(fleet, case, fleet.spawn, lambda text: print(text, flush=True)))
                bad += bool(found)
                print("   ✗ " + "; ".join(found) if found else "   ✓ named, and no model moved", flush=True)
    print(f"\n━━ {bad} did not end as they should" if bad else "\n━━ All were named, and none moved a model")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
