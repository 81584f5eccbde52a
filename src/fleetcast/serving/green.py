"""The green of one plant as the server sees it: a process that is started, asked, watched and ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fleetcast.domain.identity import Digest
from fleetcast.serving import frames
from fleetcast.serving.deployment import READY
from fleetcast.serving.engine import Reply

CONNECTIONS = 8
"""Requests that green is working on at the same time."""
MORE_MEMORY_BYTES = 512 * 2**20
"""By so much may it grow after it was ready; a process that takes more leaks."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
Command = Callable[[Digest, Path], Sequence[str]]
"""How the process of a release is started that is to listen at a socket."""


class NoGreen(Exception):
    """Green does not answer."""


@dataclass(slots=True)
class Green:
    """One process. Any thread may look at it; only the server's event loop asks it."""

    release: Digest
    socket: Path
    process: subprocess.Popen[str]
    seconds: Callable[[], float]
    began: float
    ready: bool = False
    says: str = ""
    _ready_bytes: int | None = None
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))

    @classmethod
    def start(cls, release: Digest, folder: Path, command: Command, seconds: Callable[[], float]) -> Green:
        """Start the process of a release.

        Args:
            release: Which.
            folder: Of this user alone; sockets are made there.
            command: How.
            seconds: A clock that only goes forward.
        """
        socket = folder / f"{release.short}.sock"
        socket.unlink(missing_ok=True)
        process = subprocess.Popen(  # noqa: S603  # a command of ours
            list(command(release, socket)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        green = cls(release, socket, process, seconds, seconds())
        threading.Thread(target=green._listen, daemon=True).start()
        threading.Thread(target=green._hear_complaints, daemon=True).start()
        return green

    @property
    def waited(self) -> timedelta:
        """How long ago it was started."""
        return timedelta(seconds=self.seconds() - self.began)

    @property
    def stopped(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def end_if_it_leaks(self) -> None:
        """End it if it takes much more memory than when it was ready."""
        taken = _memory_of(self.process.pid)
        if not self.ready or taken is None:
            return
        if self._ready_bytes is None:
            self._ready_bytes = taken
        elif taken > self._ready_bytes + MORE_MEMORY_BYTES:
            self.says = (
                f"it took {taken // 2**20:,} MiB of memory, {self._ready_bytes // 2**20:,} when it was ready"
            )
            self.process.kill()

    async def ask(self, body: bytes) -> Reply:
        """Have it answer a request.

        Raises:
            NoGreen: It is not ready, or ended before it answered.
        """
        if not self.ready:
            raise NoGreen
        async with self._room:
            try:
                if self._idle:
                    reader, writer = self._idle.pop()
                else:
                    reader, writer = await asyncio.open_unix_connection(self.socket)
            except OSError as error:
                raise NoGreen from error
            done = False
            try:
                writer.write(frames.request(body))
                await writer.drain()
                answer = await frames.read_reply(reader)
                done = True
            except (frames.Ended, OSError) as error:
                raise NoGreen from error
            finally:
                if done:
                    self._idle.append((reader, writer))
                else:  # a caller that gave up leaves an answer behind that the next must not read
                    writer.close()
        return answer

    def end(self) -> None:
        """Have it end; what it is working on is given up after a moment."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        threading.Thread(target=self._see_it_end, daemon=True).start()

    def _see_it_end(self) -> None:
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.socket.unlink(missing_ok=True)

    def _listen(self) -> None:
        assert self.process.stdout is not None  # noqa: S101  # a pipe was asked for
        with self.process.stdout as lines:
            for line in lines:
                if line.strip() == READY:
                    self.ready = True

    def _hear_complaints(self) -> None:
        assert self.process.stderr is not None  # noqa: S101  # the same
        with self.process.stderr as lines:
            for line in lines:
                if line.strip() and not self.says:
                    self.says = line.strip()[:500]


def _memory_of(pid: int) -> int | None:
    """What a process holds in memory, in bytes; None where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None
