"""10,000 circuits behind one server that is given less memory than all of their models take.

    python benchmarks/many_served.py [CIRCUITS] [--folder FOLDER]

One model of one sensor is trained, and written down for each circuit as its own. Each circuit is asked once with a
history of 336 steps, which opens its model, and then some of them again. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from served_fleet import SENSOR, ServedFleet, ask, http_post
from serving_bodies import histories
from written_fleet import PER_PLANT, written_fleet

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName

TEST = EnvironmentName.TEST
MEMORY_MIB = 1_536
"""For models; the rest of 2 GiB is the interpreter's, and what 10,000 circuits are declared as."""
CLIENTS, HISTORIES, AGAIN = 8, 50, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("circuits", nargs="?", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="keep the fleet there, or take the one that is there")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = (asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))) / "fleet"
        if not folder.exists():
            print(f"a fleet of {asked.circuits:,} circuits …", flush=True)
            _write(folder, asked.circuits)
        requests = _requests(folder)
        fleet = ServedFleet(folder, len(requests) // PER_PLANT, PER_PLANT)
        server = stack.enter_context(fleet.server("--memory", str(MEMORY_MIB)))
        opening = _answered(server.port, requests)
        after = server.mib
        chance = random.Random(5)  # noqa: S311  # which circuits, not secrets
        again = _answered(server.port, chance.choices(requests, k=AGAIN))
        result = {
            "benchmark": "many_served",
            "circuits": len(requests),
            "opening_per_second": round(len(requests) / opening),
            "again_per_second": round(AGAIN / again),
            "mib": round(after),
            "peak_mib": round(server.peak_mib),
        }
    print(
        f"{len(requests):,} circuits answered in {opening:.0f} s, then {AGAIN:,} of them by chance at "
        f"{result['again_per_second']} a second; at most {result['peak_mib']:,} MiB"
    )
    print(json.dumps(result))


def _write(folder: Path, count: int) -> None:
    opened, releases = written_fleet(folder, count, (SENSOR,), TEST)
    endpoints = opened.platform.workspace.endpoints
    for one in releases:
        endpoints.serve(one.release.endpoint, one.release.digest)


def _requests(folder: Path) -> Sequence[bytes]:
    """One for each circuit, with a key of its endpoint that is made now."""
    opened = open_fleet(folder)
    live = opened.platform.control.releases.live(TEST)
    keys = {plant: opened.making_key(one.release.endpoint, "primary") for plant, one in live.items()}
    some = list(histories(HISTORIES))
    end = datetime(2025, 11, 30, tzinfo=UTC).isoformat()
    found = []
    for number, circuit in enumerate(opened.fleet.circuits):
        plant = circuit.key.plant
        history = {"end_at": end, "sensors": {SENSOR: some[number % HISTORIES]}}
        body = json.dumps({"circuit_id": circuit.key.circuit, "history": history}).encode()
        key = ("Authorization", f"Bearer {keys[plant]}")
        found.append(http_post(f"/endpoints/{plant}/score", body, [key]))
    return found


def _answered(port: int, requests: Sequence[bytes]) -> float:
    """Seconds until all are answered; one that is no 200 ends the benchmark."""
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in clients.map(partial(ask, port), requests):
            pass
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
