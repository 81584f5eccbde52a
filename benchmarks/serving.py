"""The scoring server with 200 models, one worker, 16 connections, next to MLServer and BentoML in the same run.

    python benchmarks/serving.py [--without-peers] [--folder FOLDER]

A request is 336 steps of one sensor of one circuit, an answer 168 steps with two intervals. Rounds alternate, medians
are compared. MLServer is asked as it is installed, with its one worker process, and tuned, without any. Then fleetcast
alone: two servers at the same time, first answer after a start, memory, a hundred swaps under 500 requests a second,
and how long a rolled back release still answers. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from load import write_requests
from peer_servers import PEERS, serving
from served_fleet import SENSOR, ServedFleet, Server, ask, http_post, new_fleet
from serving_bodies import histories

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint

PLANTS, CIRCUITS = 4, 50
ROUNDS, SECONDS = 3, 5.0
SWAPS, SWAP_RATE = 100, 500
TEST = EnvironmentName.TEST
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without-peers", action="store_true", help="measure fleetcast alone")
    parser.add_argument("--folder", type=Path, help="keep the fleet there, or take the one that is there")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet, keys = _fleet(folder / "fleet")
        result: dict[str, Any] = {"benchmark": "serving", "models": PLANTS * CIRCUITS}
        result |= _side_by_side(fleet, keys, () if asked.without_peers else PEERS)
        result |= _alone(fleet, keys)
        print(json.dumps(result))


def _fleet(folder: Path) -> tuple[ServedFleet, dict[str, str]]:
    """200 circuits with a release that serves and one before it, and the keys of their plants."""
    fleet = ServedFleet(folder, PLANTS, CIRCUITS)
    if not folder.exists():
        print("a fleet of 200 circuits, trained twice …", flush=True)
        new_fleet(folder, PLANTS, CIRCUITS)
        with fleet.server():
            fleet.promote()
            fleet.deploy()
            fleet.edit("config/circuits.yaml", "  training_days: 110", "  training_days: 109")
            fleet.promote()
            fleet.deploy()
    keys = {}
    for number in range(1, PLANTS + 1):
        plant = f"PLANT{number:03d}"
        keys[plant] = fleet.type("endpoints", "key", f"test/{plant}").strip()
    return fleet, keys


def _requests(fleet: ServedFleet, keys: dict[str, str]) -> list[bytes]:
    end = datetime(2025, 4, 30, tzinfo=UTC).isoformat()
    return [
        http_post(
            f"/endpoints/{plant}/score",
            json.dumps(
                {"circuit_id": circuit, "history": {"end_at": end, "sensors": {SENSOR: history}}}
            ).encode(),
            [("Authorization", f"Bearer {keys[plant]}")],
        )
        for (plant, circuit), history in zip(fleet.keys, histories(len(fleet.keys)), strict=True)
    ]


def _side_by_side(fleet: ServedFleet, keys: dict[str, str], peers: Sequence[Any]) -> dict[str, Any]:
    requests = _requests(fleet, keys)
    found: dict[str, list[dict[str, Any]]] = {}
    print(f"{'':<15}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}", flush=True)
    for _ in range(ROUNDS):
        with fleet.server() as server:
            _first_answer(server, requests[0])
            load(server.port, requests, 1.0)
            found.setdefault("fleetcast", []).append(_told("fleetcast", load(server.port, requests, SECONDS)))
        for peer in peers:
            with tempfile.TemporaryDirectory() as scratch, serving(peer, Path(scratch)) as (port, asked):
                load(port, asked, 1.0)
                found.setdefault(peer.name, []).append(_told(peer.name, load(port, asked, SECONDS)))
    result: dict[str, Any] = {}
    for name, rounds in found.items():
        result[f"{name}_per_second"] = round(statistics.median(one["per_second"] for one in rounds), 1)
        result[f"{name}_p99_ms"] = round(statistics.median(one["p99_ms"] for one in rounds), 2)
        result[f"{name}_errors"] = sum(one["errors"] for one in rounds)
    for name in found:
        if name != "fleetcast":
            result[f"ratio_{name}"] = round(result["fleetcast_per_second"] / result[f"{name}_per_second"], 2)
    return result


def _told(name: str, one: dict[str, Any]) -> dict[str, Any]:
    print(
        f"{name:<15}{one['per_second']:12.0f}{one['p50_ms']:10.2f}{one['p99_ms']:10.2f}{one['errors']:8}",
        flush=True,
    )
    return one


def load(
    port: int,
    requests: Sequence[bytes],
    seconds: float,
    *,
    connections: int = 16,
    rate: float = 0.0,
    tell: str = "",
) -> dict[str, Any]:
    """Ask from a process of its own; see load.py."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        write_requests(file, list(requests))
        words = [sys.executable, str(HERE / "load.py"), str(file), str(port), str(seconds)]
        words += ["--connections", str(connections), "--rate", str(rate), "--tell", tell]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _alone(fleet: ServedFleet, keys: dict[str, str]) -> dict[str, Any]:
    requests = _requests(fleet, keys)
    result: dict[str, Any] = {"two_per_second": _two_workers(fleet, requests)}
    firsts = []
    for _ in range(ROUNDS):
        with fleet.server() as server:
            firsts.append(_first_answer(server, requests[0]))
    result["first_answer_s"] = round(statistics.median(firsts), 2)
    print(f"first answer after {result['first_answer_s']} s", flush=True)
    with fleet.server() as server:
        for request in requests:
            ask(server.port, request)
        result["mib_with_200"] = round(server.mib, 1)
        print(f"{result['mib_with_200']} MiB with 200 models", flush=True)
        result |= _swapped(fleet, server, requests)
    with fleet.server() as server:
        for request in requests:
            ask(server.port, request)
        one = [requests[0]]
        plant, circuit = fleet.keys[0]
        result["rollback_circuit_s"] = _rolled_back(fleet, server, one, "test", f"{plant}/{circuit}")
        rest = requests[1:]
        result["rollback_fleet_s"] = _rolled_back(fleet, server, rest, "test", "--all")
        print(
            f"last answer of a rolled back circuit after {result['rollback_circuit_s']} s, "
            f"of a fleet of 200 after {result['rollback_fleet_s']} s",
            flush=True,
        )
    return result


def _two_workers(fleet: ServedFleet, requests: Sequence[bytes]) -> float:
    """Requests a second of two servers together, each of a copy of the fleet, with eight connections each.

    The clients take their part of the same cores.
    """
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        copy = shutil.copytree(fleet.folder, Path(scratch) / "fleet", symlinks=True)
        second = ServedFleet(copy, fleet.plants, fleet.circuits)
        ports = [stack.enter_context(one.server()).port for one in (fleet, second)]
        for port in ports:
            load(port, requests, 1.0)
        with ThreadPoolExecutor(len(ports)) as clients:
            asked = partial(load, requests=requests, seconds=SECONDS, connections=8)
            found = list(clients.map(asked, ports))
    together = round(sum(float(one["per_second"]) for one in found), 1)
    slowest, errors = max(one["p99_ms"] for one in found), sum(one["errors"] for one in found)
    print(f"two workers: {together:.0f} requests/s, p99 {slowest:.2f} ms, {errors} errors", flush=True)
    return together


def _first_answer(server: Server, request: bytes) -> float:
    """Seconds from the start of its process to the first answer."""
    ask(server.port, request)
    return time.perf_counter() - server.began


def _swapped(fleet: ServedFleet, server: Server, requests: Sequence[bytes]) -> dict[str, Any]:
    """A hundred swaps of one plant's release under load: no failed request, and each version gives its own numbers."""
    opened = open_fleet(fleet.folder)
    releases, endpoints = opened.platform.control.releases, opened.platform.workspace.endpoints
    endpoint = Endpoint(TEST, fleet.keys[0][0])
    newest, before = [one.release.digest for one in releases.history(endpoint, 2)]
    over = threading.Event()
    count = 0

    def swap() -> None:
        nonlocal count
        while not over.is_set() and count < SWAPS:
            endpoints.serve(endpoint, before if count % 2 == 0 else newest)
            count += 1
            time.sleep(0.25)  # as long as a server takes to see it, so that each is one

    seen: dict[str, Any] = {}
    thread = threading.Thread(target=swap)
    thread.start()
    while thread.is_alive():
        part = load(server.port, requests[:1], 5.0, rate=SWAP_RATE, tell="version,sensors")
        seen["answers"] = seen.get("answers", 0) + part["answers"]
        seen["errors"] = seen.get("errors", 0) + part["errors"]
        for *what, _times in part["told"]:
            seen.setdefault("told", set()).add(tuple(what))
    thread.join()
    endpoints.serve(endpoint, newest)
    versions = [version for version, _ in seen["told"]]
    print(
        f"{count} swaps: {seen['answers']} answers, {seen['errors']} failed, versions {sorted(versions)}",
        flush=True,
    )
    return {
        "swaps": count,
        "swap_answers": seen["answers"],
        "swap_errors": seen["errors"],
        "swap_mixed": len(versions) - len(set(versions)),
        "swap_versions": len(set(versions)),
    }


def _rolled_back(fleet: ServedFleet, server: Server, requests: Sequence[bytes], *words: str) -> float:
    """Seconds from typing the command to the last answer of what is rolled back."""
    bad = {number: ask(server.port, request)["version"] for number, request in enumerate(requests)}
    left = dict(bad)
    with ThreadPoolExecutor(1) as operator:
        last = began = time.perf_counter()
        typed = operator.submit(fleet.type, "rollback", *words, "--reason", "off")
        while left and time.perf_counter() - began < 60:
            for number in list(left):
                if ask(server.port, requests[number])["version"] == left[number]:
                    last = time.perf_counter()
                else:
                    del left[number]
        typed.result()
    if left:
        raise SystemExit(f"{len(left)} circuits were not rolled back")
    return round(last - began, 2)


if __name__ == "__main__":
    main()
