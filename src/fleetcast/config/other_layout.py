"""Circuits of another layout in, ours out: each value keeps the line of the source, so complaints point there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from fleetcast.config.circuit_files import CircuitFinder
from fleetcast.config.circuits import CircuitResolver
from fleetcast.config.complaints import Complaints, shown
from fleetcast.config.layout import CONVERSIONS, LIST, FieldRule, Layout, filled
from fleetcast.config.paths import one_name
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar, kind_of
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.config.yaml_writer import written
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, Complaint, InvalidFleet
from fleetcast.domain.family import FAMILIES
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.settings import DataSource
from fleetcast.domain.thresholds import Thresholds

_NUMBERLIKE = re.compile(r"[0-9][0-9.:TZ+-]*")
_MAX_STATED = 500


class NotAdopted(BadInput):
    """A source of circuits, or a mapping, with mistakes; nothing was written."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda c: (c.file, c.line or 0, c.what)))
        super().__init__("nothing was written:\n" + "\n".join(f"  {c}" for c in self.complaints))
        self.fix = "fix the lines above, in the source or in the mapping, then run the same command again"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something the source says that circuits here do not have."""

    field: str
    line: int
    """Where it is first."""
    circuits: int
    """How many say it."""


@dataclass(frozen=True, slots=True)
class OtherCircuit:
    """One circuit as it was found, in our words."""

    key: CircuitKey
    block: Block
    """Our fields, `plant_id` and `circuit_id` among them."""
    comments: tuple[str, ...]
    """Comment lines that stand right above it, with their `#`."""
    stated: Mapping[str, str]
    """What the source says that goes with its model's lineage."""
    registered_as: str
    """The name to look for its model under."""


@dataclass(frozen=True, slots=True)
class OtherFleet:
    """The circuits of another layout, valid as they will be written."""

    circuits: tuple[Circuit, ...]
    """Of the whole fleet that they come into."""
    found: tuple[OtherCircuit, ...]
    """In the order of the source."""
    header: tuple[str, ...]
    """Comment lines at the head of the file."""
    left_out: tuple[LeftOut, ...]
    assumed: Mapping[str, tuple[str, int]]
    """Constants that stand where the source says nothing: the value, and for how many circuits."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What circuits are resolved in: the fleet they come into."""

    thresholds: Thresholds
    data_sources: Mapping[str, DataSource]
    given: Mapping[str, str]
    """Fields that every adopted circuit gets: its data source, its component version."""
    now: datetime
    declared: frozenset[CircuitKey] = frozenset()
    """Circuits that the fleet has already: its declaration stands."""
    beside: Sequence[tuple[str, Node | None]] = ()
    """The circuit files of the fleet, which new circuits inherit from and must not collide with."""


def read_other_fleet(source: Path, layout: Layout, around: Surroundings) -> OtherFleet:
    """Read circuits of another layout.

    Args:
        source: A YAML file.
        layout: How it is written.
        around: The fleet that the circuits come into.

    Raises:
        NotAdopted: With every mistake, at its line in the source.
    """
    complaints = Complaints()
    reading = _Reading(source, layout, around, complaints)
    try:
        return reading.fleet()
    except InvalidFleet as invalid:
        raise NotAdopted([_told_here(each) for each in invalid.complaints]) from invalid


def _told_here(complaint: Complaint) -> Complaint:
    """What is missing can be written in the source or in a mapping; the fleet's own defaults are not there yet."""
    if not complaint.what.endswith("is not set"):
        return complaint
    return replace(complaint, fix="write it in the source, or in `constants:` of a mapping file")


@dataclass(slots=True)
class _Place:
    """A circuit in the source, and the keys on the way to it."""

    block: Block
    line: int
    keys: tuple[Scalar, ...]


@dataclass(slots=True)
class _Reading:
    source: Path
    layout: Layout
    around: Surroundings
    complaints: Complaints
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    assumed: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return str(self.source)

    def fleet(self) -> OtherFleet:
        if not self.source.exists():
            raise BadInput(
                f"there is no file {self.source}", fix="name the YAML file that holds the circuits"
            )
        root = read_yaml(self.source, self.file, self.complaints)
        self.complaints.raise_any()
        lines = self.source.read_text(encoding="utf-8-sig").splitlines()
        places = self._places(root)
        found = tuple(circuit for place in places if (circuit := self._circuit(place, lines)))
        circuits = self._resolved([one.block for one in found if one.key not in self.around.declared])
        header = tuple(_header(lines))
        if found and found[0].comments == header:
            header = ()  # of a file that is a list: it is the first circuit's comment already
        return OtherFleet(circuits, found, header, tuple(self.left_out.values()), self.assumed)

    def _places(self, root: Node | None) -> list[_Place]:
        if root is None:
            self.complaints.add(self.file, None, "is empty", "name the YAML file that holds the circuits")
            self.complaints.raise_any()
            return []
        way = () if isinstance(root, Items) and len(self.layout.circuits) == 1 else self.layout.circuits
        places = list(self._walk(root, way, (), root.line))
        if not places and not self.complaints:
            way_shown = ".".join(way) or "."
            self.complaints.add(self.file, root.line, f"there are no circuits at {way_shown!r}", self._hint())
        self.complaints.raise_any()
        return places

    def _hint(self) -> str:
        return (
            "say in a mapping file where the list is: `circuits: key.of.the.list`, and give it with --mapping"
        )

    def _walk(
        self, node: Node, way: tuple[str, ...], keys: tuple[Scalar, ...], line: int
    ) -> Iterator[_Place]:
        if not way:
            yield from self._members(node, keys, line)
        elif way[0] == "*" and len(way) > 1 and isinstance(node, Block | Items):
            yield from self._each(node, way[1:], keys)
        elif way[0] == "*" and isinstance(node, Block):
            for key, value in node.items():
                at = node.line_of(key)
                name = Scalar(key, at, plain=True)
                if isinstance(value, Block):
                    yield _Place(value, at, (*keys, name))
                else:
                    self.complaints.add(
                        self.file, at, f"circuit {shown(key)} must be a mapping, not {kind_of(value)}"
                    )
        elif way[0] == "*":
            yield from self._members(node, keys, line)
        elif isinstance(node, Block) and way[0] in node:
            yield from self._walk(node[way[0]], way[1:], keys, node.line_of(way[0]))
        else:
            known = (
                f"there is {', '.join(list(node)[:8])}"
                if isinstance(node, Block)
                else f"it is {kind_of(node)}"
            )
            self.complaints.add(self.file, line, f"there is no {shown(way[0])} here; {known}", self._hint())

    def _each(self, node: Block | Items, way: tuple[str, ...], keys: tuple[Scalar, ...]) -> Iterator[_Place]:
        if isinstance(node, Items):
            for value in node:
                yield from self._walk(value, way, keys, value.line)
            return
        for key, value in node.items():
            at = node.line_of(key)
            yield from self._walk(value, way, (*keys, Scalar(key, at, plain=True)), at)

    def _members(self, node: Node, keys: tuple[Scalar, ...], line: int) -> Iterator[_Place]:
        if not isinstance(node, Items):
            what = f"the circuits must be a list, not {kind_of(node)}"
            self.complaints.add(
                self.file, line, what, "end the way with `*` where circuits are keys of a mapping"
            )
            return
        for item in node:
            if isinstance(item, Block):
                yield _Place(item, min([item.line, *item.key_lines.values()]), keys)
            else:
                self.complaints.add(self.file, item.line, f"a circuit must be a mapping, not {kind_of(item)}")

    def _circuit(self, place: _Place, lines: Sequence[str]) -> OtherCircuit | None:
        block = Block(place.line)
        for ours, rule in self.layout.fields.items():
            self._take(ours, rule, place, block)
        for name, value in self.layout.constants.items():
            if name not in block:
                self._set(block, name, _at(value, place.line), place.line)
                self.assumed[name] = (written(value), self.assumed.get(name, ("", 0))[1] + 1)
        for name, text in self.around.given.items():
            self._set(block, name, Scalar(text, place.line, plain=True), place.line)
        self._keep_known_hyperparameters(block)
        self._count_unmapped(place)
        texts = _texts(place.block) | _texts(block)
        self._name(block, self.layout.model_name, "model_name", texts, place.line)
        key = self._key(block, place.line)
        if key is None:
            return None
        holder = Block(place.line)
        template = self.layout.registered_as or "{model_name}"
        texts = {"model_name": f"{key.plant}-{key.circuit}".lower()} | _texts(place.block) | _texts(block)
        self._name(holder, template, "registered_as", texts, place.line)
        return OtherCircuit(
            key,
            block,
            _comments_above(lines, place.line),
            self._stated(place.block),
            self._registered_as(holder, place.line),
        )

    def _registered_as(self, holder: Block, line: int) -> str:
        """The name that a source of models is asked for: for a folder of models, that of a folder in it."""
        registered = holder.get("registered_as")
        name = registered.text if isinstance(registered, Scalar) else ""
        try:
            return one_name(name) if name else ""
        except BadInput as error:
            self.complaints.add(self.file, line, f"`registered_as`: {error}", error.fix)
            return ""

    def _take(self, ours: str, rule: FieldRule, place: _Place, block: Block) -> None:
        node: Node | None
        if rule.level is not None:
            node = place.keys[rule.level - 1] if rule.level <= len(place.keys) else None
            line = node.line if node else place.line
        else:
            node, line = place.block, place.line
            for key in rule.path:
                if not isinstance(node, Block) or key not in node:
                    return
                line, node = node.line_of(key), node[key]
        if node is None or (isinstance(node, Scalar) and node.empty):
            return
        if rule.conversion:
            node = self._converted(ours, node, rule.conversion, line)
        if isinstance(node, Scalar) and _NUMBERLIKE.fullmatch(node.text):
            node = Scalar(node.text, node.line, plain=True)
        if node is not None:
            self._set(block, ours, node, line)

    def _converted(self, ours: str, node: Node, conversion: str, line: int) -> Node | None:
        if conversion == LIST and isinstance(node, Items):
            return node
        if not isinstance(node, Scalar):
            what = f"`{ours}` is {kind_of(node)} and cannot be read as {conversion}"
            self.complaints.add(self.file, line, what, "take `as` out of the mapping")
            return None
        if conversion == LIST:
            items = Items(line)
            items.extend(
                Scalar(part.strip(), line, plain=True) for part in node.text.split(",") if part.strip()
            )
            return items
        try:
            return Scalar(CONVERSIONS[conversion](node.text), node.line, plain=True)
        except BadInput as error:
            self.complaints.add(self.file, line, f"`{ours}`: {error}", error.fix)
            return None

    def _name(self, block: Block, template: str, field: str, texts: Mapping[str, str], line: int) -> None:
        if not template or field in block:
            return
        try:
            self._set(block, field, Scalar(filled(template, texts), line, plain=True), line)
        except BadInput as error:
            self.complaints.add(self.file, line, f"`{field}`: {error}", error.fix)

    def _key(self, block: Block, line: int) -> CircuitKey | None:
        ids = [block.get("plant_id"), block.get("circuit_id")]
        plant, circuit = (node.text if isinstance(node, Scalar) else "" for node in ids)
        for name, text in (("plant_id", plant), ("circuit_id", circuit)):
            if not text:
                theirs = ".".join(self.layout.fields[name].path) if name in self.layout.fields else "nothing"
                what = f"the circuit here has no `{name}`, which is read from {theirs}"
                self.complaints.add(self.file, line, what, "write it, or say in a mapping file where it is")
        try:
            return CircuitKey(plant, circuit) if plant and circuit else None
        except BadInput as error:
            self.complaints.add(self.file, line, str(error), f"{error.fix}; or convert it with `as: id`")
            return None

    def _set(self, block: Block, name: str, value: Node, line: int) -> None:
        block[name] = value
        block.key_lines[name] = line

    def _keep_known_hyperparameters(self, block: Block) -> None:
        values, family = block.get("hyperparameters"), block.get("model")
        known = FAMILIES.get(family.text, ()) if isinstance(family, Scalar) else ()
        if not isinstance(values, Block):
            return
        names = {parameter.name for parameter in known}
        for name in values:
            if name not in names:
                self._leave_out(f"hyperparameters.{name}", values.line_of(name))
        kept = values.without(frozenset(values) - names)
        if kept:
            block["hyperparameters"] = kept
        else:
            del block["hyperparameters"]

    def _count_unmapped(self, place: _Place) -> None:
        mapped = {rule.path[0] for rule in self.layout.fields.values() if rule.path}
        for name in place.block:
            if name not in mapped | self.layout.ignore | set(self.layout.stated):
                self._leave_out(name, place.block.line_of(name))

    def _leave_out(self, name: str, line: int) -> None:
        known = self.left_out.get(name, LeftOut(name, line, 0))
        self.left_out[name] = LeftOut(name, known.line, known.circuits + 1)

    def _stated(self, block: Block) -> dict[str, str]:
        said = {}
        for name in self.layout.stated:
            value: Node | None = block
            for key in name.split("."):
                value = value.get(key) if isinstance(value, Block) else None
            if value is not None and not (isinstance(value, Scalar) and value.empty):
                said[name] = (value.text if isinstance(value, Scalar) else written(value))[:_MAX_STATED]
        return said

    def _resolved(self, blocks: Sequence[Block]) -> tuple[Circuit, ...]:
        root, items = Block(1), Items(1)
        items.extend(blocks)
        self._set(root, "circuits", items, 1)
        finder = CircuitFinder(self.complaints)
        for file, node in self.around.beside:
            finder.read(file, node)
        finder.read(self.file, root)
        resolver = CircuitResolver(
            self.complaints,
            base=self.around.thresholds,
            data_sources=self.around.data_sources,
            now=self.around.now,
        )
        circuits, _chains = resolver.resolve(finder)
        self.complaints.raise_any()
        return circuits


def _at(node: Node, line: int) -> Node:
    """The same value, as if it stood at a line of another file."""
    if isinstance(node, Scalar):
        return Scalar(node.text, line, plain=node.plain)
    if isinstance(node, Items):
        items = Items(line)
        items.extend(_at(value, line) for value in node)
        return items
    block = Block(line)
    block.update({key: _at(value, line) for key, value in node.items()})
    block.key_lines = dict.fromkeys(node, line)
    return block


def _texts(block: Block) -> dict[str, str]:
    return {key: value.text for key, value in block.items() if isinstance(value, Scalar)}


def _comments_above(lines: Sequence[str], line: int) -> tuple[str, ...]:
    """The comment lines right above a line, without a gap."""
    above: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.strip().startswith("#"):
            break
        above.insert(0, text.strip())
    return tuple(above)


def _header(lines: Sequence[str]) -> Iterator[str]:
    """The comment lines before anything else."""
    for text in lines:
        if not text.strip().startswith("#"):
            return
        yield text.strip()
