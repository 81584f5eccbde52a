"""YAML in, nodes with lines out; nothing in a file can run code, grow without bound or hide a second value.

Reads the event stream of libyaml (or of PyYAML's own parser where libyaml is missing) rather than
finished Python values: those have lost their lines, their spelling and all but the last of equal keys.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from fleetcast.config.complaints import Complaints, shown
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.stored.named_file import NotAFile, TooLarge, read_named

MAX_BYTES = 64 * 1024 * 1024
_TOO_LARGE = f"is larger than {MAX_BYTES // 2**20} MiB"
MAX_DEPTH = 20
MAX_REPEATED_NODES = 100_000
"""How many values aliases may add to those that are written out."""

_Events = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, file: str, complaints: Complaints) -> Node | None:
    """Read one file; None if it is empty or cannot be read, which is then complained of.

    Args:
        path: Where the file is.
        file: What to call it in complaints.
        complaints: Where to note what is wrong.
    """
    try:
        content = read_named(path, MAX_BYTES)
    except NotAFile as error:
        complaints.add(file, None, f"is {error.kind}", error.fix)
        return None
    except TooLarge:
        complaints.add(file, None, _TOO_LARGE, "split it into config/circuits/*.yaml")
        return None
    except OSError as error:
        complaints.add(file, None, f"cannot be read: {error.strerror}", "check the file and its permissions")
        return None
    return parse_yaml(content, file, complaints)


def parse_yaml(content: bytes, file: str, complaints: Complaints) -> Node | None:
    """Read the content of one file; None if it is empty or not readable as a whole."""
    if len(content) > MAX_BYTES:
        complaints.add(file, None, _TOO_LARGE, "split it into config/circuits/*.yaml")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        complaints.add(file, line, "is not UTF-8", "save the file as UTF-8")
        return None
    try:
        return _Builder(file, complaints).build(text)
    except _Stopped:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be understood"
        complaints.add(file, mark.line + 1 if mark else None, f"YAML: {problem}", _syntax_fix(text, mark))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        complaints.add(file, line, f"YAML: {error.reason}", "remove the character")
    return None


def _syntax_fix(text: str, mark: yaml.error.Mark | None) -> str:
    lines = text.split("\n", mark.line + 1) if mark else []
    near = lines[max(0, mark.line - 1) : mark.line + 1] if mark else []
    if any("\t" in line[: len(line) - len(line.lstrip())] for line in near):
        return "indent with spaces, never with tabs"
    return "check indentation, quotes and brackets there and just above"


class _Stopped(Exception):
    """The rest of the file is not read; the reason has been noted."""


class _Builder:
    """Turns events into nodes, with every limit checked as they arrive."""

    def __init__(self, file: str, complaints: Complaints) -> None:
        self._file = file
        self._complaints = complaints
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._repeated = 0
        self._root: Node | None = None
        self._open: list[Block | Items] = []
        self._keys: list[Scalar | None] = []
        self._opened: list[tuple[str | None, int]] = []
        self._count = 0

    def build(self, text: str) -> Node | None:
        """Read the only document of a text."""
        events = _Events(text)
        try:
            take: dict[type[yaml.Event], Callable[[Any], None]] = {
                yaml.ScalarEvent: self._scalar,
                yaml.MappingStartEvent: self._start,
                yaml.SequenceStartEvent: self._start,
                yaml.MappingEndEvent: self._end,
                yaml.SequenceEndEvent: self._end,
                yaml.AliasEvent: self._alias,
                yaml.DocumentStartEvent: self._document,
                yaml.StreamStartEvent: _pass,
                yaml.DocumentEndEvent: _pass,
            }
            following = events.get_event
            event = following()
            while event.__class__ is not yaml.StreamEndEvent:
                take[event.__class__](event)
                event = following()
        finally:
            events.dispose()
        root = self._root
        return None if isinstance(root, Scalar) and root.empty else root

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = _line(event)
        if event.tag is not None:
            self._refuse_tag(event.tag, line)
        value = event.value
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            self._stop(line, "contains half a character", "write it as UTF-8 text")
        node = Scalar(value, line, plain=event.implicit[0])
        self._count += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1)
        if self._open and self._open[-1].__class__ is Block and self._keys[-1] is None:
            self._keys[-1] = node
        else:
            self._place(node)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        line = _line(event)
        if event.tag is not None:
            self._refuse_tag(event.tag, line)
        if len(self._open) >= MAX_DEPTH:
            self._stop(line, f"is nested deeper than {MAX_DEPTH} levels", "write it flatter")
        if self._open and self._open[-1].__class__ is Block and self._keys[-1] is None:
            self._stop(line, "a key must be a single value", "put quotes around keys that start with [ or {")
        node: Block | Items = Block(line) if event.__class__ is yaml.MappingStartEvent else Items(line)
        self._open.append(node)
        self._keys.append(None)
        self._opened.append((event.anchor, self._count))
        self._count += 1

    def _end(self, _event: yaml.Event) -> None:
        node = self._open.pop()
        self._keys.pop()
        anchor, before = self._opened.pop()
        if anchor is not None:
            self._anchors[anchor] = (node, self._count - before)
        self._place(node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line = _line(event)
        anchor = event.anchor or ""
        if anchor not in self._anchors:
            self._stop(line, f"*{anchor} names no anchor before it", f"define &{anchor} first")
        node, size = self._anchors[anchor]
        self._count += size
        self._repeated += size
        if self._repeated > MAX_REPEATED_NODES:
            self._stop(
                line, f"aliases repeat more than {MAX_REPEATED_NODES} values", "write `defaults:` instead"
            )
        if self._open and self._open[-1].__class__ is Block and self._keys[-1] is None:
            if not isinstance(node, Scalar):
                self._stop(line, "a key must be a single value", "write the key out")
            else:
                self._keys[-1] = Scalar(node.text, line, plain=node.plain)
        else:
            self._place(node)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        if self._root is not None:
            line = _line(event)
            self._stop(line, "a second document starts here", "keep one document per file: remove the `---`")

    def _place(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Items):
            parent.append(node)
            return
        key = self._keys[-1]
        self._keys[-1] = None
        if key is None:
            return
        name = key.text
        if name in parent:
            self._complaints.add(
                self._file,
                key.line,
                f"key {shown(name)} is written twice, first at line {parent.key_lines[name]}",
                "remove one of the two",
            )
        elif name == "<<" and key.plain:
            self._complaints.add(
                self._file,
                key.line,
                "merge keys (<<) are not read",
                "use `defaults:` of the fleet or the plant",
            )
        else:
            parent[name] = node
            parent.key_lines[name] = key.line

    def _refuse_tag(self, tag: str, line: int) -> None:
        self._complaints.add(
            self._file, line, f"tag {shown(tag)} is not read", "remove the tag; quote the value if it is text"
        )

    def _stop(self, line: int, what: str, fix: str) -> NoReturn:
        self._complaints.add(self._file, line, what, fix)
        raise _Stopped


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _pass(_event: yaml.Event) -> None:
    """Nothing to build from this event."""
