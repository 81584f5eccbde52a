"""Whether a value fits a Swagger 2.0 schema in a closed world: what is not declared is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tests.azure_oracle.specs import Json, Node, Shape, Specs


class Side(StrEnum):
    REQUEST = "request"
    RESPONSE = "response"


class Rule(StrEnum):
    """What can be wrong."""

    UNKNOWN = "unknown property"
    MISSING = "missing"
    TYPE = "wrong type"
    ENUM = "not one of its values"
    CASE = "in another case than its value"
    PATTERN = "does not match its pattern"
    FORMAT = "not in its format"
    RANGE = "out of range"
    NULL = "null"
    PARAMETER = "unknown parameter"
    BODY = "a body that is not declared"
    STATUS = "a status that is not declared"
    VERSION = "another api-version"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that does not fit."""

    where: str
    """In a body: its JSON pointer. Else `query:NAME`, `path:NAME` or `status`."""
    rule: Rule
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where or '/'}: {self.rule}: expected {self.expected}, found {self.found}"


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+")


def shown(value: object) -> str:
    """A value as JSON, short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def pointer(at: str, part: str | int) -> str:
    """The place of a part, as RFC 6901 writes it."""
    return f"{at}/{str(part).replace('~', '~0').replace('/', '~1')}"


def type_of(node: Node) -> str:
    """What is declared, or follows from what is."""
    declared = node.schema.get("type")
    if declared is not None:
        return str(declared)
    return "string" if "enum" in node.schema else "" if node.is_anything else "object"


@dataclass(frozen=True, slots=True)
class Schemas:
    """Checks values of one side: read-only properties are never asked of a request."""

    specs: Specs
    side: Side
    much_unsaid: bool = False
    """Azure DevOps publishes neither which child of a schema stands for it, nor what may be null in an answer."""

    def check(self, value: object, node: Node, at: str = "") -> Iterator[Wrong]:
        """All that does not fit, in the order of the value."""
        if node.is_anything:
            return
        if value is None:
            if not node.nullable and not (self.much_unsaid and self.side is Side.RESPONSE):
                yield Wrong(at, Rule.NULL, type_of(node), "null")
            return
        kind = type_of(node)
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield Wrong(at, Rule.TYPE, kind, shown(value))
        elif isinstance(value, dict):
            yield from self._check_object(value, node, at)
        elif isinstance(value, list):
            items = self.specs.node(node.document, node.schema.get("items", {}))
            yield from _check_length(len(value), node.schema, "Items", at)
            for index, each in enumerate(value):
                yield from self.check(each, items, pointer(at, index))
        else:
            yield from check_scalar(value, node.schema, at)

    def _check_object(self, value: Mapping[str, object], node: Node, at: str) -> Iterator[Wrong]:
        shape = self.specs.shape(node)
        if shape.discriminator:
            chosen = self._chosen(value, node, shape, at)
            if isinstance(chosen, Wrong):
                yield chosen
                return
            shape = self.specs.shape(chosen)
        elif self.much_unsaid:
            shapes = map(self.specs.shape, self.specs.candidates(node, value))
            yield from min((list(self._check_properties(value, each, at)) for each in shapes), key=len)
            return
        yield from self._check_properties(value, shape, at)

    def _check_properties(self, value: Mapping[str, object], shape: Shape, at: str) -> Iterator[Wrong]:
        for name, each in value.items():
            declared = shape.properties.get(name, shape.extra)
            if declared is None:
                yield Wrong(pointer(at, name), Rule.UNKNOWN, _listed(shape.properties), shown(each))
            else:
                yield from self.check(each, declared, pointer(at, name))
        for name in sorted(shape.required - value.keys()):
            declared = shape.properties.get(name)
            if declared is None or self._asks_for(declared):
                yield Wrong(pointer(at, name), Rule.MISSING, "it", _listed(value))

    def _asks_for(self, required: Node) -> bool:
        return not (required.read_only if self.side is Side.REQUEST else required.write_only)

    def _chosen(self, value: Mapping[str, object], node: Node, shape: Shape, at: str) -> Node | Wrong:
        """The schema that an object says it has."""
        where = pointer(at, shape.discriminator)
        subtypes = self.specs.subtypes(node)
        if shape.discriminator not in value:
            return Wrong(where, Rule.MISSING, _listed(subtypes), _listed(value))
        said = value[shape.discriminator]
        if said is None:
            return Wrong(where, Rule.NULL, _listed(subtypes), "null")
        if not isinstance(said, str):
            return Wrong(where, Rule.TYPE, _listed(subtypes), shown(said))
        if said in subtypes:
            return subtypes[said]
        declared = shape.properties[shape.discriminator].schema.get("enum", ())
        if said in declared and "x-ms-discriminator-value" not in node.schema:
            return node  # a value of which nothing more is published
        folded = {name.casefold() for name in subtypes}
        return Wrong(
            where, Rule.CASE if said.casefold() in folded else Rule.ENUM, _listed(subtypes), shown(said)
        )


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def check_scalar(value: object, schema: Json, at: str) -> Iterator[Wrong]:
    """Whether a text, number or truth value of the right type keeps what is said of it."""
    values = schema.get("enum")
    if values is not None and value not in values:
        folded = {str(each).casefold() for each in values}
        rule = Rule.CASE if str(value).casefold() in folded else Rule.ENUM
        yield Wrong(at, rule, ", ".join(map(str, values)), shown(value))
    if isinstance(value, str):
        yield from _check_text(value, schema, at)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _check_number(value, schema, at)


def _check_text(value: str, schema: Json, at: str) -> Iterator[Wrong]:
    yield from _check_length(len(value), schema, "Length", at)
    pattern = schema.get("pattern")
    if pattern is not None and not re.search(pattern, value):
        yield Wrong(at, Rule.PATTERN, pattern, shown(value))
    form = schema.get("format", "")
    if not _is_in_format(value, form):
        yield Wrong(at, Rule.FORMAT, form, shown(value))


def _is_in_format(value: str, form: str) -> bool:
    try:
        match form:
            case "uuid":
                UUID(value)
            case "date-time":
                # Microsoft writes seven digits of a second, one more than Python reads.
                datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", value))
            case "duration":
                return _DURATION.fullmatch(value) is not None
    except ValueError:
        return False
    return True


def _check_number(value: float, schema: Json, at: str) -> Iterator[Wrong]:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is not None and (value < lowest or (schema.get("exclusiveMinimum") and value == lowest)):
        yield Wrong(at, Rule.RANGE, f"at least {lowest}", shown(value))
    if highest is not None and (value > highest or (schema.get("exclusiveMaximum") and value == highest)):
        yield Wrong(at, Rule.RANGE, f"at most {highest}", shown(value))
    if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        yield Wrong(at, Rule.RANGE, "an int32", shown(value))


def _check_length(length: int, schema: Json, of: str, at: str) -> Iterator[Wrong]:
    if length < schema.get(f"min{of}", 0):
        yield Wrong(at, Rule.RANGE, f"{schema[f'min{of}']} or more", str(length))
    if length > schema.get(f"max{of}", length):
        yield Wrong(at, Rule.RANGE, f"{schema[f'max{of}']} or fewer", str(length))
