"""What a power cut leaves: every change of a folder is recorded by strace, and the folder is built again from what
had been synced at one moment.

Strict, as POSIX is: a file holds what its last fsync found, and a name is there if its folder was synced after it got
that name. File systems keep more than that; none has to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STRACE = shutil.which("strace")
MISSING = "strace is not installed or may not trace here: as root, run `apt-get install strace`"
_CALLS = (
    "openat,creat,open,write,pwrite64,writev,pwritev,pwritev2,rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,ftruncate,truncate,fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,copy_file_range,"
    "sendfile,splice,symlink,symlinkat"
)
_LINE = re.compile(r"^(\d+) +(.*)$", re.DOTALL)
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>")
_PART = re.compile(r'"((?:\\x[0-9a-f]{2})*)"|(-?\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>|([^,\[\]{}" ]+)')
_ROOT_SHM = "-shm"
"""Shared memory of SQLite: never synced, and made anew from the log."""


def can_trace() -> bool:
    """Whether strace is here and may trace a process."""
    return (
        STRACE is not None and subprocess.run([STRACE, "-o", os.devnull, "true"], check=False).returncode == 0
    )


@dataclass
class File:
    """A file's content now, and on the disk."""

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


@dataclass
class Folder:
    """The names in a folder now, and on the disk."""

    names: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One system call that succeeded: its name, its strings and numbers in order, and what it gave."""

    call: str
    parts: tuple[bytes | tuple[str, str] | str, ...]
    """Bytes: a string; a pair: a descriptor with the path it stands for; a string: anything else."""
    gave: int

    @property
    def paths(self) -> Iterator[str]:
        """The paths that it names, taken from the folder that stands before each."""
        folder = os.getcwd()  # noqa: PTH109  # only joined with
        for part in self.parts:
            if isinstance(part, tuple):
                folder = part[1]
            elif isinstance(part, bytes):
                yield os.path.normpath(os.path.join(folder, os.fsdecode(part)))  # noqa: PTH118

    @property
    def descriptor(self) -> str:
        """The path of the file that it works on."""
        return next(part[1] for part in self.parts if isinstance(part, tuple))

    @property
    def content(self) -> bytes:
        """What it writes."""
        return b"".join(part for part in self.parts if isinstance(part, bytes))


class Disk:
    """A folder as its files' users see it, and as a power cut would leave it."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._top = _read(root)
        self._positions: dict[str, int] = {}
        self.synced: list[str] = []
        """What was synced, in order, by its path below the root."""

    def apply(self, event: Event) -> None:
        """Let one system call change it."""
        match event.call:
            case "openat" | "open" | "creat":
                self._open(event)
            case "write" | "writev":
                self._write(event, self._positions.get(event.descriptor))
            case "pwrite64":
                self._write(event, int(str(event.parts[-1])))
            case "mkdir" | "mkdirat":
                self._name(next(event.paths), Folder())
            case "rename" | "renameat" | "renameat2" | "link" | "linkat":
                self._move(event)
            case "unlink" | "unlinkat" | "rmdir":
                self._forget(next(event.paths))
            case "ftruncate":
                self._cut(event)
            case "fsync" | "fdatasync":
                self._sync(event.descriptor)
            case _:
                if any(map(self._inside, [*event.paths, *_descriptors(event)])):
                    raise NotImplementedError(f"{event.call} changes files in a way that is not recorded")

    def rebuild(self, folder: Path) -> None:
        """Write what a power cut would leave into a new folder."""
        _write_out(self._top, folder)

    def _inside(self, path: str) -> bool:
        return path.startswith(self._root + "/") and not path.endswith((_ROOT_SHM, " (deleted)"))

    def _at(self, path: str) -> File | Folder | None:
        found: File | Folder | None = self._top
        for name in path[len(self._root) :].strip("/").split("/"):
            if name:
                found = found.names.get(name) if isinstance(found, Folder) else None
        return found

    def _parent(self, path: str) -> dict[str, File | Folder]:
        folder = self._at(os.path.dirname(path))  # noqa: PTH120
        assert isinstance(folder, Folder), path
        return folder.names

    def _open(self, event: Event) -> None:
        path = next(event.paths)
        if not self._inside(path):
            return
        flags = next((part for part in event.parts if isinstance(part, str) and part.startswith("O_")), "")
        found = self._at(path)
        if found is None and "O_CREAT" in flags:
            found = self._parent(path)[os.path.basename(path)] = File()  # noqa: PTH119
        if isinstance(found, File):
            if "O_TRUNC" in flags:
                found.data.clear()
            self._positions[path] = len(found.data) if "O_APPEND" in flags else 0

    def _write(self, event: Event, position: int | None) -> None:
        found = self._at(event.descriptor) if self._inside(event.descriptor) else None
        if not isinstance(found, File):
            return
        content = event.content[: event.gave]
        start = position or 0
        found.data.extend(b"\0" * (start + len(content) - len(found.data)))
        found.data[start : start + len(content)] = content
        if position is not None and event.call != "pwrite64":
            self._positions[event.descriptor] = start + len(content)

    def _name(self, path: str, new: File | Folder) -> None:
        if self._inside(path):
            self._parent(path)[os.path.basename(path)] = new  # noqa: PTH119

    def _move(self, event: Event) -> None:
        source, target = event.paths
        if not (self._inside(source) or self._inside(target)):
            return
        moved = self._at(source)
        assert moved is not None, f"{source} was brought in from outside"
        if not event.call.startswith("link"):
            self._forget(source)
            self._positions[target] = self._positions.pop(source, 0)
        self._name(target, moved)

    def _forget(self, path: str) -> None:
        if self._inside(path):
            self._parent(path).pop(os.path.basename(path), None)  # noqa: PTH119

    def _cut(self, event: Event) -> None:
        found = self._at(event.descriptor) if self._inside(event.descriptor) else None
        if isinstance(found, File):
            size = int(str(event.parts[-1]))
            del found.data[size:]
            found.data.extend(b"\0" * (size - len(found.data)))

    def _sync(self, path: str) -> None:
        if path != self._root and not self._inside(path):
            return
        found = self._at(path)
        if isinstance(found, File):
            found.synced = bytes(found.data)
        elif isinstance(found, Folder):
            found.synced = dict(found.names)
        self.synced.append(path[len(self._root) :].strip("/") or ".")


@dataclass(frozen=True)
class Traced:
    """A command that was traced to its end."""

    code: int
    said: str
    events: Sequence[Event]

    def until_said(self, words: str) -> Sequence[Event]:
        """What happened before it first said this to whoever reads its output."""
        for number, event in enumerate(self.events):
            to_reader = event.call == "write" and event.parts[0][0] in ("1", "2")
            if to_reader and words.encode() in event.content:
                return self.events[:number]
        raise AssertionError(f"it never said {words!r}: {self.said}")


def trace(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Traced:
    """Run a command, with every call that changes files recorded."""
    assert STRACE is not None
    options = ["-f", "-y", "-xx", "-s", str(2**26), "--seccomp-bpf", "-o", str(log), "-e", f"trace={_CALLS}"]
    done = subprocess.run(
        [STRACE, *options, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Traced(done.returncode, done.stdout + done.stderr, list(_events(log)))


def _events(log: Path) -> Iterator[Event]:
    begun: dict[str, str] = {}
    with log.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            matched = _LINE.match(line.rstrip("\n"))
            if matched is None:
                continue
            process, said = matched.groups()
            if said.endswith(_UNFINISHED):
                begun[process] = said.removesuffix(_UNFINISHED)
                continue
            if _RESUMED.match(said):
                said = begun.pop(process, "") + _RESUMED.sub("", said, count=1)
            call = _CALL.match(said)
            if call and int(call[3]) >= 0:
                yield Event(call[1], tuple(_part(part) for part in _PART.finditer(call[2])), int(call[3]))


def _part(found: re.Match[str]) -> bytes | tuple[str, str] | str:
    text, number, path, other = found.groups()
    if text is not None:
        return _decoded(text)
    return (number, os.fsdecode(_decoded(path))) if number is not None else other


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _descriptors(event: Event) -> Iterator[str]:
    return (part[1] for part in event.parts if isinstance(part, tuple))


def _read(path: Path) -> Folder:
    folder = Folder()
    for entry in path.iterdir():
        if entry.name.endswith(_ROOT_SHM):
            continue
        content = b"" if entry.is_dir() else entry.read_bytes()
        folder.names[entry.name] = _read(entry) if entry.is_dir() else File(bytearray(content), content)
    folder.synced = dict(folder.names)
    return folder


def _write_out(folder: Folder, path: Path) -> None:
    path.mkdir()
    for name, held in folder.synced.items():
        if isinstance(held, Folder):
            _write_out(held, path / name)
        else:
            (path / name).write_bytes(held.synced)
