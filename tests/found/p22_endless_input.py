"""A file without end, or one that unpacks to far more than it holds, ends with a sentence and in bounded memory."""

from __future__ import annotations

import gzip
import os
import resource
import socket
import sys
from pathlib import Path

from tests.found.story import Fleet, Said, Story

LONG = "it makes and unpacks files of gigabytes"
MOST_MEMORY = 1500
"""MiB, for a command that is handed one of these."""
_BOUNDED = (
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2); "
    "sys.argv = ['fleetcast', *sys.argv[1:]]; runpy.run_module('fleetcast.cli.main', run_name='__main__')"
)


def tell(story: Story) -> None:
    """A fleet that holds readings, and one command for each such file; a command that hangs ends the story."""
    fleet = story.fleet(days=2)
    held = fleet.type("data", "show", "--format", "json").out

    _refused(story, fleet, _bomb(story.folder / "bomb.csv.gz", b"7" * 2**20), "a line of more than 1 MiB")
    _refused(story, fleet, _bomb(story.folder / "rows.csv.gz", b"\n1,1" * 2**18), "up to 100,000,000")
    _refused(story, fleet, Path("/dev/zero"), "is a device")
    _refused(story, fleet, _long_line(story.folder / "line.csv"), "row 2: a line of more than 1 MiB")
    pipe = story.folder / "pipe.csv"
    os.mkfifo(pipe)
    _refused(story, fleet, pipe, "is a pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(story.folder / "socket.csv"))
        _refused(story, fleet, story.folder / "socket.csv", "is a socket")
    _refused(story, fleet, story.folder, "is a folder")
    story.expect(
        "what was stored is as it was", holds=fleet.type("data", "show", "--format", "json").out == held
    )

    for file in ("config/circuits.yaml", "fleetcast.yaml"):
        path = fleet.folder / file
        kept = path.read_bytes()
        for why, put in (("is a pipe", os.mkfifo), ("is larger than 64 MiB", _sparse)):
            path.unlink()
            put(path)
            said = _bounded(story, "validate", "--fleet", str(fleet.folder))
            right = said.code == 1 and f"{file} {why}" in said.text
            story.expect(f"of {file} it is said that it {why}", holds=right, saw=said.text)
            path.unlink()
            path.write_bytes(kept)
    planned = _bounded(story, "train", "--plan", "/dev/zero", "--fleet", str(fleet.folder))
    story.expect("a saved plan is a file", holds=planned.code == 1 and "is a device" in planned.text)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    story.expect(f"none took more than {MOST_MEMORY} MiB", holds=peak < MOST_MEMORY, saw=peak)


def _refused(story: Story, fleet: Fleet, file: Path, why: str) -> None:
    words = ("ingest", str(file), "--plant", "PLANT001", "--circuit", "CIRCUIT01", "--timezone", "UTC")
    said = _bounded(story, *words, "--fleet", str(fleet.folder))
    story.expect(f"{file.name} is refused", holds=said.code == 1, saw=said.code)
    story.says(said, why)


def _bounded(story: Story, *words: str) -> Said:
    """Type a command that may not take all the memory of the machine, nor all its time."""
    command = [sys.executable, "-c", _BOUNDED, *words]
    return story.run(command, shown=f"fleetcast {' '.join(words)}", seconds=60)


def _bomb(path: Path, piece: bytes) -> Path:
    """Two GiB and more, in two MB and less."""
    packed = gzip.compress(b"time,temperature" + piece * 64, 9)
    path.write_bytes(packed * 32)
    return path


def _long_line(path: Path) -> Path:
    """300 MB of blanks in a file that takes no more of the disk than it must."""
    with path.open("wb") as stream:
        stream.write(b"time,temperature\n2025-01-01 00:00,")
        for _ in range(300):
            stream.write(b" " * 10**6)
    return path


def _sparse(path: Path) -> None:
    """A gigabyte of zeros, which takes nothing of the disk."""
    with path.open("wb") as stream:
        stream.truncate(2**30)
