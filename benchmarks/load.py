"""A load generator: connections that each ask again as soon as they are answered, or at a given rate.

    python benchmarks/load.py REQUESTS PORT SECONDS [--connections 16] [--rate 500] [--tell version,point]

REQUESTS is a file with whole HTTP/1.1 requests, one after the other, each after a line with its length. They are
asked in turn. The last line is JSON: answers, those that were no 200, requests a second, and latencies in milliseconds.
With `--tell`, of each JSON answer some parts are looked at: how often each combination came.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Connection:
    socket: socket.socket
    began: float = 0.0
    due: float = 0.0
    """When it asks next; 0: at once."""
    waits: bool = False
    """For an answer."""
    got: bytearray = field(default_factory=bytearray)

    def answer(self) -> bytes | None:
        """The whole answer once it is there."""
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = _LENGTH.search(self.got, 0, end + 2)
        length = int(found[1]) if found else 0
        return bytes(self.got) if len(self.got) >= end + 4 + length else None


@dataclass(slots=True)
class Seen:
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    told: Counter[tuple[str, ...]] = field(default_factory=Counter)


def load(
    requests: list[bytes], port: int, seconds: float, connections: int, rate: float, tell: list[str]
) -> dict[str, object]:
    selector, seen = selectors.DefaultSelector(), Seen()
    held = [Connection(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
    for number, one in enumerate(held):
        one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.due = number / rate if rate else 0.0
        selector.register(one.socket, selectors.EVENT_READ, one)
    coming = cycle(requests)
    begin = time.perf_counter()
    end = begin + seconds
    while (now := time.perf_counter()) < end:
        for one in held:
            if not one.waits and now - begin >= one.due:
                one.socket.sendall(next(coming))
                one.began, one.waits = now, True
        for key, _ in selector.select(0.001 if rate else 0.05):
            _read(key.data, seen, begin, connections / rate if rate else 0.0, tell)
    taken = time.perf_counter() - begin
    lacking = sum(one.waits for one in held)
    deadline = time.perf_counter() + 10
    while any(one.waits for one in held) and time.perf_counter() < deadline:
        for key, _ in selector.select(0.05):
            _read(key.data, seen, begin, 1e9, tell)
    unanswered = sum(one.waits for one in held)
    for one in held:
        one.socket.close()
    in_time = len(seen.latencies) - (lacking - unanswered)
    ordered = sorted(seen.latencies) or [float("nan")]
    return {
        "answers": len(seen.latencies),
        "errors": seen.errors + unanswered,
        "per_second": in_time / taken,
        "p50_ms": 1_000 * statistics.median(ordered),
        "p99_ms": 1_000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "told": [[*what, times] for what, times in seen.told.items()],
    }


def _read(one: Connection, seen: Seen, begin: float, pause: float, tell: list[str]) -> None:
    got = one.socket.recv(1 << 20)
    if not got:
        raise SystemExit("the server closed a connection")
    one.got += got
    answer = one.answer()
    if answer is None:
        return
    now = time.perf_counter()
    seen.latencies.append(now - one.began)
    one.waits, one.got = False, bytearray()
    one.due = max(one.due + pause, now - begin) if pause else 0.0
    if not answer.startswith(b"HTTP/1.1 200"):
        seen.errors += 1
    elif tell:
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
        seen.told[tuple(_part(said, name) for name in tell)] += 1


def _part(said: dict[str, object], name: str) -> str:
    value = said.get(name)
    if isinstance(value, dict | list):
        return sha256(json.dumps(value).encode()).hexdigest()[:16]
    return str(value)


def write_requests(path: Path, requests: list[bytes]) -> None:
    path.write_bytes(b"".join(b"%d\n%s" % (len(one), one) for one in requests))


def _requests(path: Path) -> list[bytes]:
    content, found = path.read_bytes(), []
    while content:
        length, _, content = content.partition(b"\n")
        found.append(content[: int(length)])
        content = content[int(length) :]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("requests", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as many as can be")
    parser.add_argument("--tell", default="", help="keys of the JSON answers, with commas")
    asked = parser.parse_args()
    told = [name for name in asked.tell.split(",") if name]
    print(
        json.dumps(
            load(_requests(asked.requests), asked.port, asked.seconds, asked.connections, asked.rate, told)
        )
    )


if __name__ == "__main__":
    main()
