"""Clients of one plant, over HTTP: a few at all times, and a burst of them in every window of a rollout.

    clients.py SITE PLANT COUNT WINDOW

COUNT is how many requests a burst has, WINDOW how many seconds a window takes. The plant's key is in the environment
variable KEY. A burst begins once nothing has moved for a third of a window, so that it lies within one window and one
share. When it is asked to end, it says what the clients saw.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

CLIENTS = 4
"""That ask at the same moment."""
LOOKS_EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
CIRCUIT = "CIRCUIT01"
State = tuple[float, ...]


class Client:
    """One of them, with a connection that stays open."""

    def __init__(self, site: str, plant: str) -> None:
        self._host = urlsplit(site).netloc
        self._path = f"/endpoints/{plant}/score"
        self._body = json.dumps({"circuit_id": CIRCUIT})
        self._headers = {"Authorization": f"Bearer {os.environ['KEY']}", "Content-Type": "application/json"}
        self._connection = HTTPConnection(self._host, timeout=PATIENCE_SECONDS)

    def ask(self) -> tuple[int, int | None]:
        """What it was answered: the status, and the version of the model; status 0 is no answer."""
        try:
            self._connection.request("POST", self._path, self._body, self._headers)
            answer = self._connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            self._connection.close()
            return 0, None
        return answer.status, said.get("version")

    def rollout(self, plant: str) -> State:
        """Whether the new release of the plant is ready, its share and its window; nothing if there is none."""
        self._connection.request("GET", "/metrics")
        text = self._connection.getresponse().read().decode()
        names = ("ready", "share_percent", "window")
        found = [
            re.search(rf'^fleetcast_green_{name}{{plant="{plant}"}} (\S+)', text, re.MULTILINE)
            for name in names
        ]
        return tuple(float(one[1]) for one in found if one is not None)


class Crowd:
    """Asks, and counts what it was answered."""

    def __init__(self, site: str, plant: str) -> None:
        self.plant = plant
        self.looking = Client(site, plant)
        self.asking = [Client(site, plant) for _ in range(CLIENTS)]
        self.seen: Counter[tuple[int, int | None]] = Counter()

    def burst(self, count: int) -> Counter[tuple[int, int | None]]:
        """Ask so often, all at once."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            shares = [count // CLIENTS] * CLIENTS
            parts = pool.map(lambda one, many: [one.ask() for _ in range(many)], self.asking, shares)
        found = Counter(answer for part in parts for answer in part)
        self.seen += found
        return found


def main(site: str, plant: str, count: str, window: str) -> None:
    """Ask until it is asked to end."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    crowd = Crowd(site, plant)
    while not ended.wait(LOOKS_EVERY_SECONDS) and crowd.looking.ask()[0] != 200:
        pass  # a server sees a new key within a moment
    before: State = ()
    since, asked = time.monotonic(), False
    while not ended.wait(LOOKS_EVERY_SECONDS):
        with suppress(OSError, HTTPException):
            state = crowd.looking.rollout(plant)
            if state != before:
                before, since, asked = state, time.monotonic(), False
        if not before:
            crowd.burst(CLIENTS)
        elif before[0] and not asked and time.monotonic() - since >= float(window) / 3:
            asked = True
            found = crowd.burst(int(count))
            errors = sum(many for (status, _), many in found.items() if status != 200)
            print(f"green has {before[1]:.0f} %: {found.total()} answers, {errors} errors", flush=True)
    errors = sum(many for (status, _), many in crowd.seen.items() if status != 200)
    versions = sorted({version for status, version in crowd.seen if status == 200 and version is not None})
    print(f"in all {crowd.seen.total()} answers, {errors} errors, from versions {versions}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
