"""`make chaos`: kill runs, releases on their way, `fleetcast up`, or let Azure fail; compare with what peace leaves."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.chaos import azure, releases, up
from tests.chaos.ordeal import Ordeal, Wrong, cutting, differences, state_of
from tests.scenarios.repository import write_fleet
from tests.servers.postgres import MISSING, PostgresServer, binaries, postgres_server

EACH = 10
"""Kills that one fleet goes through."""
_MOST_FLEETS = 20


def main() -> int:
    """Go through all ordeals."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("runs", "releases", "azure", "up"),
        default="runs",
        help="what is killed, or fails; default runs",
    )
    parser.add_argument("--sqlite", type=int, default=200, help="kills with the database in a file")
    parser.add_argument("--postgres", type=int, default=60, help="kills with the database on a server")
    parser.add_argument("--cut", type=int, default=20, help="connections to the server that are cut")
    parser.add_argument("--circuits", type=int, default=20, help="of each fleet")
    parser.add_argument("--seed", type=int, default=None, help="the same seed kills at the same moments")
    parser.add_argument("--short", action="store_true", help="with azure: three cases; with up: one day")
    chosen = parser.parse_args()
    if chosen.what == "azure":
        return _told_of(azure.main(short=chosen.short), "cases")
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)  # noqa: S311  # moments, not secrets
    if chosen.what == "releases":
        return _told_of(releases.main(seed), "kills")
    if chosen.what == "up":
        return _told_of(up.main(seed, 1 if chosen.short else 3), "things")
    if (chosen.postgres or chosen.cut) and binaries() is None:
        print(MISSING, file=sys.stderr)
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        wrong = 0
        if chosen.sqlite:
            wrong += _kill(folder / "sqlite", None, chosen.circuits, chosen.sqlite, chance)
        if chosen.postgres or chosen.cut:
            server = stack.enter_context(postgres_server())
            wrong += _kill(folder / "postgres", server, chosen.circuits, chosen.postgres, chance, chosen.cut)
    return _told_of(wrong, "fleets")


def _told_of(wrong: int, what: str) -> int:
    print(f"\n━━ {wrong} {what} did not end as in peace" if wrong else "\n━━ All as expected")
    return 1 if wrong else 0


def _kill(
    folder: Path,
    server: PostgresServer | None,
    circuits: int,
    kills: int,
    chance: random.Random,
    cut: int = 0,
) -> int:
    """Go through the kills over one kind of database; gives how many fleets did not end well, or were not killed."""
    where = "PostgreSQL" if server else "SQLite"
    folder.mkdir()
    declared = write_fleet(folder / "declared", server, circuits=circuits, family="seasonal_naive")
    peace = declared.copy_to(folder / "peace")
    began = time.monotonic()
    Ordeal(peace, chance, 0).go(0.0)
    seconds = (time.monotonic() - began) / 2.5
    clean = state_of(peace)
    print(f"\n━━ {where}: {circuits} circuits, {seconds:.1f} s for each train in peace", flush=True)
    wrong = killed = number = 0
    while killed < kills and number < max(_MOST_FLEETS, 2 * kills // EACH):
        number += 1
        fleet = declared.copy_to(folder / f"killed-{number}")
        ordeal = Ordeal(fleet, chance, min(EACH, kills - killed))
        wrong += _told(f"{where} fleet {number}", ordeal, clean, partial(ordeal.go, seconds))
        killed += ordeal.killed
        shutil.rmtree(fleet.folder, ignore_errors=True)
    print(f"   {killed} commands were killed", flush=True)
    if killed < kills:
        print(f"✗ {kills - killed} of {kills} commands were not killed: they were faster", flush=True)
        wrong += 1
    number = 0
    while server and cut > 0 and number < _MOST_FLEETS:
        number += 1
        fleet = declared.copy_to(folder / f"cut-{number}")
        ordeal = Ordeal(fleet, chance, 0, tries=8)
        ended = 0

        def under_cuts(ordeal: Ordeal = ordeal, database: str = fleet.database, count: int = cut) -> None:
            nonlocal ended
            with cutting(server, database, chance, count) as counted:
                try:
                    ordeal.go(seconds)
                finally:
                    ended = counted()

        wrong += _told(f"{where} fleet {number} with cut connections", ordeal, clean, under_cuts)
        print(f"   {ended} of the server's processes were ended", flush=True)
        cut -= ended
    if cut > 0 and server:
        print(f"✗ {cut} connections were not cut: the fleets were faster", flush=True)
        wrong += 1
    return wrong


def _told(name: str, ordeal: Ordeal, clean: dict[str, object], go: Callable[[], None]) -> int:
    try:
        go()
        amiss = differences(clean, state_of(ordeal.fleet))
        if ordeal.type_in_peace(["plan", "--detailed-exitcode"]):
            amiss.append("a plan finds something to do")
        if ordeal.type_in_peace(["audit", "verify"]):
            amiss.append("the audit log does not verify")
    except Wrong as error:
        amiss = [str(error)]
    print(f"{'✗' if amiss else '✓'} {name}: {ordeal.killed} killed, {ordeal.typed} commands", flush=True)
    for one in amiss:
        print(f"    {one[:3000]}", flush=True)
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
