"""A real browser without a window: Chromium, told what to do over two pipes (its DevTools protocol)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

CHROMIUM = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
MISSING = "no chromium or google-chrome on this machine: `make chromium` installs it where apt-get may"
_PATIENCE = 60.0
_COMPLAINTS = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it was drawn."""

    text: str
    """All that it shows, without marks."""
    complaints: tuple[str, ...]
    """What the browser wrote into its console, and what it did not load."""
    loaded: Mapping[str, int]
    """The status of everything that was asked for, by address."""
    width: float
    """Of all that there is to see, in CSS pixels."""


@dataclass(slots=True)
class Chromium:
    """One tab."""

    process: subprocess.Popen[bytes]
    to_it: int
    from_it: int
    page: str = ""
    number: int = 0
    unread: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)

    def open_tab(self) -> None:
        target = self.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.page = self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def keep_cookie(self, url: str, name: str, value: str) -> None:
        assert self.ask("Network.setCookie", {"url": url, "name": name, "value": value})["success"]

    def look(self, url: str, width: int, *, scripts: bool) -> Seen:
        """Open a page in a window of this width."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", size)
        self.ask("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.events.clear()
        assert "errorText" not in self.ask("Page.navigate", {"url": url})
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        shown = self.ask("Page.getLayoutMetrics")["cssContentSize"]["width"]
        text = self.ask("Runtime.evaluate", {"expression": "document.body.innerText"})["result"]["value"]
        happened = list(self.events)
        complaints = [event for event in happened if event["method"] in _COMPLAINTS]
        failed = [event for event in happened if event["method"] == "Network.loadingFailed"]
        # What was under way for the page before is given up when the next one comes.
        complaints += [event for event in failed if not event["params"].get("canceled")]
        answers = [
            event["params"]["response"] for event in happened if event["method"] == "Network.responseReceived"
        ]
        return Seen(
            text,
            tuple(json.dumps(event["params"]) for event in complaints),
            {one["url"]: one["status"] for one in answers},
            shown,
        )

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Have it do something, and wait until it is done."""
        self.number += 1
        said: dict[str, Any] = {"id": self.number, "method": method, "params": dict(params or {})}
        if self.page:
            said["sessionId"] = self.page
        os.write(self.to_it, json.dumps(said).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer:
                self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.unread:
            ready, _, _ = select([self.from_it], [], [], _PATIENCE)
            more = os.read(self.from_it, 1 << 16) if ready else b""
            assert more, "the browser says nothing any more"
            self.unread += more
        first, _, self.unread = self.unread.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """Start it with an empty profile, and end it."""
    reads, to_it = os.pipe()
    from_it, writes = os.pipe()
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
    ]
    # It reads from 3 and writes to 4, whatever numbers the pipes have here.
    shell = ["sh", "-c", f'exec "$@" 3</dev/fd/{reads} 4>/dev/fd/{writes}', "sh", *command]
    with subprocess.Popen(shell, pass_fds=(reads, writes), stderr=subprocess.DEVNULL) as process:
        os.close(reads)
        os.close(writes)
        browser = Chromium(process, to_it, from_it)
        try:
            browser.open_tab()
            yield browser
        finally:
            os.close(to_it)
            os.close(from_it)
            process.kill()
