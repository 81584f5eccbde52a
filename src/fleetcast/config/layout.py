"""How circuits are written elsewhere: mapping files, and the layouts that are built in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator

from fleetcast.config import scalars
from fleetcast.config.complaints import Complaints, nearest, shown
from fleetcast.config.paths import one_name
from fleetcast.config.scalars import Refused
from fleetcast.config.schema import CircuitWritten, DefaultsWritten, FlatCircuitWritten
from fleetcast.config.validation import validated
from fleetcast.config.written import Text, Written
from fleetcast.config.yaml_nodes import Block, Node, kind_of
from fleetcast.config.yaml_reader import parse_yaml, read_yaml
from fleetcast.domain.errors import BadInput

LAYOUTS = ("predecessor",)
"""Built in, by the name that a mapping file may start from."""
OUR_FIELDS = tuple(FlatCircuitWritten.model_fields)
_KEY = re.compile(r"\$([1-9])")
_GAP = re.compile(r"\{([^{}.]*)(?:\.(\w+))?\}")
_CASES: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper}


def _number_with(unit: str, seconds: int) -> Callable[[str], str]:
    def convert(text: str) -> str:
        try:
            length = float(text) * seconds
        except ValueError:
            raise BadInput(f"{shown(text)} is not a number of {unit}", fix="write a number") from None
        if not 0 < length < 1e10 or length != int(length):
            raise BadInput(f"{shown(text)} {unit} is not a whole number of seconds", fix="write more of them")
        return f"{int(length)}s" if int(length) % 86_400 else f"{int(length) // 86_400}d"

    return convert


def _day(text: str) -> str:
    match = re.match(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?!\d)", text.strip())
    if not match:
        raise BadInput(f"{shown(text)} does not start with a day", fix="write 2025-11-30")
    return "-".join(match.groups())


def _id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text.strip()).strip("-_")


CONVERSIONS: Mapping[str, Callable[[str], str]] = {
    "seconds": _number_with("seconds", 1),
    "minutes": _number_with("minutes", 60),
    "hours": _number_with("hours", 3_600),
    "days": _number_with("days", 86_400),
    "day": _day,
    "id": _id,
    "lower": str.lower,
    "upper": str.upper,
}
"""What may be done to a single value, by the word in a mapping file."""
LIST = "list"
"""The conversion of a text with commas to a list."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where a field of ours is found in a circuit of the other layout, and how its value is converted."""

    path: tuple[str, ...] = ()
    """Keys, from the circuit down."""
    level: int | None = None
    """Instead: which `*` of the way to the circuits holds it as a key, counted from 1."""
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read circuits of another layout."""

    circuits: tuple[str, ...]
    """The way to the list; empty: the whole file."""
    fields: Mapping[str, FieldRule]
    constants: Block = field(default_factory=lambda: Block(0))
    ignore: frozenset[str] = frozenset()
    stated: tuple[str, ...] = ()
    model_name: str = ""
    registered_as: str = ""
    data_sources: Block | None = None
    file: str = ""
    """The mapping file; empty for a layout as it is built in."""


class FieldWritten(Written):
    """One entry of `fields:`, written out."""

    source: Annotated[str, PlainValidator(scalars.text), Field(alias="from")]
    conversion: Annotated[
        str | None, PlainValidator(scalars.one_of(*CONVERSIONS, LIST)), Field(alias="as")
    ] = None


def _rule(value: object) -> FieldRule:
    conversion = ""
    if isinstance(value, Block):
        stray = [key for key in value if key not in ("from", "as")]
        if stray or "from" not in value:
            raise Refused(
                f"unknown key {shown(stray[0])}" if stray else "says not what it comes `from`",
                "write {from: their_field, as: conversion}",
            )
        if "as" in value:
            conversion = scalars.one_of(*CONVERSIONS, LIST)(value["as"])
        value = value["from"]
    source = scalars.text(value)
    if match := _KEY.fullmatch(source):
        return FieldRule(level=int(match[1]), conversion=conversion)
    path = tuple(source.split("."))
    if not all(path):
        raise Refused(f"{shown(source)} is not a field", "write a name, or names with dots between them")
    return FieldRule(path, conversion=conversion)


def _way(value: object) -> tuple[str, ...]:
    text = scalars.text(value).strip()
    way = tuple(text.split(".")) if text not in (".", "") else ()
    if not all(way):
        raise Refused(f"{shown(text)} is not a way to circuits", "write keys with dots between them, or `.`")
    return way


def _any_block(value: object) -> Block:
    if not isinstance(value, Block):
        raise Refused(f"must be a mapping, not {kind_of(value)}")
    return value


class MappingWritten(Written):
    """A mapping file."""

    layout: Annotated[str, PlainValidator(scalars.one_of(*LAYOUTS))] | None = None
    circuits: Annotated[tuple[str, ...], PlainValidator(_way)] | None = None
    fields: dict[str, Annotated[FieldRule, PlainValidator(_rule)]] | None = None
    constants: Annotated[Block, PlainValidator(_any_block)] | None = None
    ignore: list[Text] | None = None
    stated: list[Text] | None = None
    model_name: Text | None = None
    registered_as: Text | None = None
    data_sources: Annotated[Block, PlainValidator(_any_block)] | None = None


def built_in(name: str = LAYOUTS[0]) -> Layout:
    """A layout that comes with fleetcast."""
    file = f"{name}.yaml"
    complaints = Complaints()
    content = files("fleetcast.config").joinpath("layouts", file).read_bytes()
    layout = _layout(parse_yaml(content, file, complaints), file, complaints)
    complaints.raise_any()
    return Layout(layout.circuits, layout.fields, layout.constants, layout.ignore, layout.stated)


def read_layout(path: Path) -> Layout:
    """Read a mapping file.

    Raises:
        InvalidFleet: With every mistake in it.
    """
    complaints = Complaints()
    root = read_yaml(path, str(path), complaints)
    complaints.raise_any()
    layout = _layout(root, str(path), complaints)
    complaints.raise_any()
    return layout


def _layout(root: Node | None, file: str, complaints: Complaints) -> Layout:
    if not isinstance(root, Block):
        line = None if root is None else root.line
        complaints.add(file, line, f"the file must be a mapping, not {kind_of(root) if root else 'nothing'}")
        return Layout((), {})
    written, _refused = validated(MappingWritten, root, file, complaints)
    written = written or MappingWritten()
    base = built_in(written.layout) if written.layout else Layout((), {})
    rules = dict(written.fields or {})
    _check_fields(
        root, rules, len([step for step in written.circuits or () if step == "*"]), file, complaints
    )
    constants = written.constants or Block(root.line)
    validated(CircuitWritten, constants, file, complaints)
    for template, key in ((written.model_name, "model_name"), (written.registered_as, "registered_as")):
        _check_template(template or "", root.line_of(key), file, complaints)
    if written.registered_as is not None and not _GAP.search(written.registered_as):
        _check_name(written.registered_as, root.line_of("registered_as"), file, complaints)
    return Layout(
        circuits=base.circuits if written.circuits is None else written.circuits,
        fields={**base.fields, **rules},
        constants=_over(constants, base.constants),
        ignore=base.ignore | frozenset(written.ignore or ()),
        stated=(*base.stated, *(written.stated or ())),
        model_name=written.model_name or "",
        registered_as=written.registered_as or "",
        data_sources=written.data_sources,
        file=file,
    )


def _check_fields(
    root: Block, rules: Mapping[str, FieldRule], levels: int, file: str, complaints: Complaints
) -> None:
    written = root.get("fields")
    for ours, rule in rules.items():
        line = written.line_of(ours) if isinstance(written, Block) else root.line
        if ours not in OUR_FIELDS:
            complaints.add(file, line, f"{shown(ours)} is no field of a circuit", nearest(ours, OUR_FIELDS))
        if rule.level is not None and rule.level > levels:
            what = f"${rule.level} names a key that the way to the circuits does not pass"
            complaints.add(file, line, what, f"`circuits:` has {levels} `*`")


def _check_template(template: str, line: int, file: str, complaints: Complaints) -> None:
    for _name, case in _GAP.findall(template):
        if case and case not in _CASES:
            complaints.add(file, line, f"unknown spelling .{case}", f"known are {', '.join(_CASES)}")


def _check_name(name: str, line: int, file: str, complaints: Complaints) -> None:
    try:
        one_name(name)
    except BadInput as error:
        complaints.add(file, line, f"`registered_as`: {error}", error.fix)


def _over(near: Block, far: Block) -> Block:
    both = Block(near.line or far.line)
    both.update({**far, **near})
    both.key_lines = {**far.key_lines, **near.key_lines}
    return both


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template such as `{plant_id.lower}-{circuit_id}` with its gaps filled.

    Raises:
        BadInput: A gap names a field that the circuit does not have.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BadInput(
                f"{template!r} wants a field {match[1]!r} that the circuit does not have",
                fix=nearest(match[1], values),
            )
        return _CASES[match[2]](values[match[1]]) if match[2] else values[match[1]]

    return _GAP.sub(fill, template)


DEFAULTED = tuple(DefaultsWritten.model_fields)
"""Fields that may stand in `defaults:`."""


def read_sources(path: Path) -> Block:
    """Read a file of data sources: their settings by name, below `data_sources:` or as the whole file.

    Raises:
        InvalidFleet: It cannot be read, or holds no data source.
    """
    complaints = Complaints()
    root = read_yaml(path, str(path), complaints)
    complaints.raise_any()
    sources = root.get("data_sources") if isinstance(root, Block) and "data_sources" in root else root
    if not isinstance(sources, Block) or not sources:
        line = None if root is None else root.line
        complaints.add(str(path), line, "holds no data source", "write `historian: {kind: …, path: …}`")
        complaints.raise_any()
        return Block(0)
    return sources
