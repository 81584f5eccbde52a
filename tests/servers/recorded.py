"""A server that answers as it was told, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class AskedFor:
    verb: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Recorded:
    """What it answers, in turn, by verb and path without its query; the last one again and again."""

    url: str
    answers: dict[tuple[str, str], list[tuple[int, Any, Mapping[str, str]]]] = field(default_factory=dict)
    asked: list[AskedFor] = field(default_factory=list)

    def answer(
        self, verb: str, path: str, body: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.answers.setdefault((verb, path), []).append((status, body, headers or {}))


@contextmanager
def recorded() -> Iterator[Recorded]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            sent = self.rfile.read(length)
            found.asked.append(
                AskedFor(self.command, self.path, dict(self.headers), json.loads(sent) if sent else None)
            )
            turns = found.answers.get((self.command, self.path.partition("?")[0]), [(404, {}, {})])
            status, body, headers = turns.pop(0) if len(turns) > 1 else turns[0]
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815  # as http.server looks for them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Recorded(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
