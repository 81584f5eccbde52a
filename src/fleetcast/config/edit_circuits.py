"""Editing circuit files as a careful person would: the lines that must change, and no others.

Each edit is made in the text, at the position of the value. The whole edited fleet is then read and validated, and
compared circuit by circuit with what was asked for, before any file is written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from fleetcast.config.circuit_places import Place, find_places
from fleetcast.config.fleet_files import Changed, FleetFiles, unified_diff
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.wording import counted

Values = Mapping[str, str | int]
"""New values by setting, as they are written in YAML."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*")


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit changes, before or after it was written."""

    circuits: tuple[CircuitKey, ...]
    """The circuits whose resolved settings differ."""
    files: Changed

    def diff(self) -> str:
        """The change as a unified diff; empty if there is none."""
        return unified_diff(self.files)


@dataclass(frozen=True, slots=True)
class _Change:
    """Characters `start` to `end` of a file become `text`."""

    file: str
    start: int
    end: int
    text: str


class CircuitEditor:
    """Edits the circuit files of one fleet repository.

    Raises:
        InvalidFleet: The repository has mistakes before the edit; they are fixed by hand.
        BadInput: A file cannot be edited in this way; the text says which line and why.
    """

    def __init__(self, directory: Path, *, now: datetime) -> None:
        self._files = FleetFiles(directory, now=now)
        self._places = find_places(self._files.texts)

    @property
    def circuits(self) -> Sequence[Circuit]:
        """The circuits as they are declared now."""
        return self._files.reading.fleet.circuits

    def set_values(self, wanted: Mapping[CircuitKey, Values]) -> Edited:
        """Give settings of circuits new values.

        A value is changed where the circuit states it. Where it is inherited, and all that inherit it get
        the same new value, it is changed in the defaults; else the circuits state it from now on.

        Raises:
            BadInput: A value is not valid, or stands in a form that cannot be edited; nothing is written.
        """
        changes: dict[tuple[str, int], _Change] = {}
        added: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
        at: dict[int, Place] = {}
        heirs = self._heirs({setting for values in wanted.values() for setting in values})
        alike = {
            spot: len({str(wanted.get(heir, {}).get(spot[1])) for heir in keys}) == 1
            for spot, keys in heirs.items()
        }
        for key, values in wanted.items():
            for setting, value in values.items():
                holder = self._places.holder(key, setting)
                text = _rendered(value)
                own = self._places.circuits[key]
                if holder is None or (holder is not own and not alike[id(holder), setting]):
                    added[id(own)].append((setting, text))
                    at[id(own)] = own
                    continue
                change = self._replaced(holder, setting, text)
                changes[change.file, change.start] = change
        more = [self._added(at[place], pairs) for place, pairs in added.items()]
        return self._checked([*changes.values(), *more], set(wanted))

    def add(self, keys: Sequence[CircuitKey], settings: Values) -> Edited:
        """Declare circuits, each next to those of its plant and in their style.

        Raises:
            BadInput: One is declared already, or the settings are not valid; nothing is written.
        """
        for key in keys:
            if key in self._places.circuits:
                place = self._places.circuits[key]
                raise BadInput(
                    f"{key} is declared already at {place.file}:{place.line}",
                    fix="change it with `fleetcast bump`, or choose another id",
                )
        by_plant: defaultdict[str, list[CircuitKey]] = defaultdict(list)
        for key in keys:
            by_plant[key.plant].append(key)
        written = "{" + ", ".join(f"{name}: {_rendered(value)}" for name, value in settings.items()) + "}"
        held = {place.name.value for place in self._places.plants}
        changes = [
            self._declared(plant, some, settings, written)
            for plant, some in sorted(by_plant.items(), key=lambda item: item[0] not in held)
        ]
        return self._checked(_joined(changes), set(keys))

    def retire(self, keys: Sequence[CircuitKey]) -> Edited:
        """Take circuits out, with the comments above them; a plant that loses all of its circuits goes too.

        Raises:
            BadInput: No circuit would be left, or one is written on a line with others; nothing is written.
        """
        going = set(keys)
        changes = []
        for plant in self._places.plants:
            held = plant.circuits.value if plant.circuits else []
            entries = [pair for pair in held if CircuitKey(plant.name.value, pair[0].value) in going]
            elsewhere = any(
                key.plant == plant.name.value and place.file != plant.file
                for key, place in self._places.circuits.items()
                if key not in going
            )
            if entries and len(entries) == len(held) and not elsewhere:
                block = self._places.plant_blocks[plant.file]
                whole = next(value for name, value in block.value if name is plant.name)
                changes.append(self._removed(plant.file, plant.name, whole, block))
                continue
            for name, value in entries:
                assert plant.circuits is not None  # noqa: S101  # it holds the entries
                changes.append(self._removed(plant.file, name, value, plant.circuits))
        items_going = {id(self._places.circuits[key].node) for key in going}
        for file, items in self._places.lists.items():
            changes += [
                self._removed(file, item, item, items) for item in items.value if id(item) in items_going
            ]
        return self._checked(changes, going)

    def write(self, edited: Edited) -> None:
        """Write the edited files, each in one move.

        Raises:
            BadInput: A file was changed by somebody else since it was read; nothing is written.
            Unavailable: The disk is full or cannot be written.
        """
        self._files.write(edited.files)

    # ── where ──

    def _heirs(self, settings: set[str]) -> Mapping[tuple[int, str], list[CircuitKey]]:
        """The circuits that have a setting from a place."""
        found: defaultdict[tuple[int, str], list[CircuitKey]] = defaultdict(list)
        for key in self._places.circuits:
            for setting in settings:
                holder = self._places.holder(key, setting)
                if holder is not None:
                    found[id(holder), setting].append(key)
        return found

    def _replaced(self, place: Place, setting: str, text: str) -> _Change:
        node = place.value(setting)
        if not isinstance(node, ScalarNode) or node.style in ("|", ">") or _anchored(self._text(place), node):
            line = (node or place.node).start_mark.line + 1
            raise BadInput(
                f"{place.file}:{line}: `{setting}` is not written as a single value on its line",
                fix="edit this one by hand",
            )
        return _Change(place.file, node.start_mark.index, node.end_mark.index, text)

    def _added(self, place: Place, pairs: Sequence[tuple[str, str]]) -> _Change:
        """New settings in a circuit's own mapping, whatever its style."""
        node, text = place.node, self._text(place)
        flow = ", ".join(f"{setting}: {value}" for setting, value in pairs)
        if isinstance(node, ScalarNode):  # nothing is said: `CIRCUIT01:`, perhaps with `null` or `~`
            blank = "" if text[node.start_mark.index - 1 : node.start_mark.index].isspace() else " "
            return _Change(place.file, node.start_mark.index, node.end_mark.index, f"{blank}{{{flow}}}")
        if not isinstance(node, MappingNode):
            raise BadInput(
                f"{place.file}:{place.line}: not a mapping of settings", fix="edit this one by hand"
            )
        if node.flow_style:
            end = node.end_mark.index - 1
            before = text[node.start_mark.index + 1 : end].rstrip()
            cut = node.start_mark.index + 1 + len(before)
            comma = "" if not before else " " if before.endswith(",") else ", "
            return _Change(place.file, cut, cut, f"{comma}{flow}")
        key = node.value[0][0]
        last = _last_line(node, text)
        indent = " " * key.start_mark.column
        lines = "".join(f"{_newline(text)}{indent}{setting}: {value}" for setting, value in pairs)
        return _Change(place.file, last, last, lines)

    def _declared(self, plant: str, keys: Sequence[CircuitKey], settings: Values, written: str) -> _Change:
        known = [place for place in self._places.plants if place.name.value == plant and place.circuits]
        if known and known[0].circuits is not None:
            circuits, file = known[0].circuits, known[0].file
            text = self._places.texts[file]
            _refuse_flow(circuits, file)
            indent = " " * circuits.value[0][0].start_mark.column
            at = _last_line(circuits, text)
            return _Change(
                file, at, at, "".join(f"{_newline(text)}{indent}{key.circuit}: {written}" for key in keys)
            )
        for file, items in self._places.lists.items():
            return self._listed(file, items, keys, settings)
        for file, block in self._places.plant_blocks.items():
            text = self._places.texts[file]
            _refuse_flow(block, file)
            indent, newline = " " * block.value[0][0].start_mark.column, _newline(text)
            at = _last_line(block, text)
            rows = "".join(f"{newline}{indent}    {key.circuit}: {written}" for key in keys)
            return _Change(file, at, at, f"{newline}{indent}{plant}:{newline}{indent}  circuits:{rows}")
        raise BadInput("there is no circuit to write new ones next to", fix="write the first one by hand")

    def _listed(
        self, file: str, items: SequenceNode, keys: Sequence[CircuitKey], settings: Values
    ) -> _Change:
        text = self._places.texts[file]
        _refuse_flow(items, file)
        first = items.value[0]
        dash = " " * (
            text.rindex("-", 0, first.start_mark.index) - text.rfind("\n", 0, first.start_mark.index) - 1
        )
        newline = _newline(text)
        rows = []
        for key in keys:
            pairs = {"plant_id": key.plant, "circuit_id": key.circuit, **settings}
            (name, value), *rest = pairs.items()
            rows.append(f"{newline}{dash}- {name}: {_rendered(value)}")
            rows += [f"{newline}{dash}  {name}: {_rendered(value)}" for name, value in rest]
        at = _last_line(items, text)
        return _Change(file, at, at, "".join(rows))

    def _removed(self, file: str, name: Node, value: Node, parent: CollectionNode) -> _Change:
        """The lines of an entry and the comments just above it."""
        text = self._places.texts[file]
        _refuse_flow(parent, file)
        start = text.rfind("\n", 0, name.start_mark.index) + 1
        while start:
            above = text.rfind("\n", 0, start - 1) + 1
            line = text[above : start - 1]
            same_indent = len(line) - len(line.lstrip()) == len(_indent(text, name))
            if not (line.lstrip().startswith("#") and same_indent):
                break
            start = above
        end = _last_line(value if isinstance(value, CollectionNode) else name, text)
        newline = text.find("\n", end)
        return _Change(file, start, len(text) if newline < 0 else newline + 1, "")

    def _text(self, place: Place) -> str:
        return self._places.texts[place.file]

    # ── whether it is right ──

    def _checked(self, changes: Sequence[_Change], touched: set[CircuitKey]) -> Edited:
        """Read the edited fleet as a whole, and make sure that nothing else changed.

        Raises:
            InvalidFleet: The edited fleet would have mistakes.
        """
        texts = {file: _changed(text, file, changes) for file, text in self._places.texts.items()}
        files = {
            file: (before, texts[file])
            for file, before in self._places.texts.items()
            if texts[file] != before
        }
        if not files:
            return Edited((), {})
        before = {circuit.key: circuit for circuit in self.circuits}
        after = {circuit.key: circuit for circuit in self._files.read_with(files).fleet.circuits}
        differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if stray := sorted(differing - touched):
            raise BadInput(
                f"the edit would change {counted(len(stray), 'circuit')} besides those asked for: {stray[0]}",
                fix="edit by hand, or select these as well",
            )
        return Edited(tuple(sorted(differing)), files)


def edit(
    directory: Path, change: Callable[[CircuitEditor], Edited], *, now: datetime, dry_run: bool = False
) -> Edited:
    """Open a fleet's circuit files, make one change, and write it unless told otherwise."""
    editor = CircuitEditor(directory, now=now)
    edited = change(editor)
    if edited.files and not dry_run:
        editor.write(edited)
    return edited


def _changed(text: str, file: str, changes: Sequence[_Change]) -> str:
    """A file's text with its changes made, from its end to its beginning; in one go, as there may be thousands."""
    own = [change for change in changes if change.file == file]
    parts, until = [], len(text)
    for change in sorted(own, key=lambda change: change.start, reverse=True):
        parts += [text[change.end : until], change.text]
        until = change.start
    return "".join([text[:until], *reversed(parts)])


def _rendered(value: str | int) -> str:
    """A value as YAML; text that YAML could take for something else, or break on, is quoted."""
    text = str(value)
    if isinstance(value, int) or _PLAIN.fullmatch(text) or text[:1] in "[{":
        return text
    return "'" + text.replace("'", "''") + "'"


def _joined(changes: Sequence[_Change]) -> list[_Change]:
    """One change for each position, in the order given."""
    found: dict[tuple[str, int], _Change] = {}
    for change in changes:
        before = found.get((change.file, change.start))
        text = (before.text if before else "") + change.text
        found[change.file, change.start] = _Change(change.file, change.start, change.end, text)
    return list(found.values())


def _anchored(text: str, node: Node) -> bool:
    """Whether an anchor or a tag stands before the value."""
    return text[node.start_mark.index : node.start_mark.index + 1] in ("&", "!")


def _refuse_flow(node: CollectionNode, file: str) -> None:
    if node.flow_style:
        line = node.start_mark.line + 1
        raise BadInput(
            f"{file}:{line}: these circuits are written on one line, in brackets",
            fix="give each circuit a line of its own, or edit this one by hand",
        )


def _last_line(node: Node, text: str) -> int:
    """The end of the last line that a value takes, its comment included; the line's break is not."""
    while isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last if isinstance(last, Node) else last[1]
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        end = len(text[:end].rstrip())
    newline = text.find("\n", end)
    stop = len(text) if newline < 0 else newline
    return stop - 1 if text[stop - 1 : stop] == "\r" else stop


def _indent(text: str, node: Node) -> str:
    start = text.rfind("\n", 0, node.start_mark.index) + 1
    line = text[start : node.start_mark.index]
    return line[: len(line) - len(line.lstrip())]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
