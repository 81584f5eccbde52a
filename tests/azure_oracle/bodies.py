"""Bodies made from a schema, with the places in them where one thing can be made wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import cast

from hypothesis import strategies as st

from tests.azure_oracle.schemas import Rule, pointer, type_of
from tests.azure_oracle.specs import Node, Specs

Draw = Callable[[st.SearchStrategy[object]], object]
Path = tuple[str | int, ...]
DEEPEST = 6
_LONGEST = 2
_NAMES = st.text("abcdefgh", min_size=1, max_size=6)
_OTHER_TYPE: Mapping[str, object] = {
    "string": 3.5,
    "integer": "3",
    "number": "3.5",
    "boolean": "true",
    "array": "none",
    "object": "none",
}
_FORMATS: Mapping[str, st.SearchStrategy[str]] = {
    "date-time": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    "duration": st.integers(0, 99).map("PT{}M".format),
    "uuid": st.uuids().map(str),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something can be planted that breaks one rule."""

    rule: Rule
    path: Path
    value: object = None
    """What is planted; for what is to be missing: nothing."""

    @property
    def where(self) -> str:
        where = ""
        for part in self.path:
            where = pointer(where, part)
        return where


@dataclass(slots=True)
class Body:
    """A valid value, with the places in it."""

    value: object = None
    places: list[Place] = field(default_factory=list)

    def with_planted(self, place: Place) -> object:
        """The value with that one thing wrong."""
        if not place.path:
            return place.value
        changed = deepcopy(self.value)
        holder = changed
        for part in place.path[:-1]:
            holder = cast("dict[str | int, object]", holder)[part]
        last = place.path[-1]
        if place.rule is Rule.MISSING:
            del cast("dict[str | int, object]", holder)[last]
        else:
            cast("dict[str | int, object]", holder)[last] = place.value
        return changed


@dataclass(frozen=True, slots=True)
class _Writing:
    """One body as it grows."""

    specs: Specs
    draw: Draw
    body: Body

    def write(self, node: Node, path: Path) -> object:
        kind = type_of(node)
        if node.is_anything:
            return self.draw(st.sampled_from([None, 1, "any", {"a": [1]}]))
        self.body.places.append(Place(Rule.TYPE, path, _OTHER_TYPE[kind]))
        if not node.nullable:
            self.body.places.append(Place(Rule.NULL, path, None))
        if kind == "object":
            return self._object(node, path)
        if kind == "array":
            items = self.specs.node(node.document, node.schema.get("items", {}))
            fewest = node.schema.get("minItems", 0)
            most = fewest if len(path) >= DEEPEST else max(fewest, _LONGEST)
            count = cast("int", self.draw(st.integers(fewest, most)))
            return [self.write(items, (*path, index)) for index in range(count)]
        if "enum" in node.schema:
            self.body.places.append(Place(Rule.ENUM, path, _none_of(node.schema["enum"])))
        return self.draw(scalars(node))

    def _object(self, node: Node, path: Path) -> object:
        shape = self.specs.shape(node)
        written: dict[str, object] = {}
        if shape.discriminator:
            subtypes = self.specs.subtypes(node)
            said = cast("str", self.draw(st.sampled_from(sorted(subtypes))))
            shape = self.specs.shape(subtypes[said])
            written[shape.discriminator] = said
            at = (*path, shape.discriminator)
            self.body.places += [
                Place(Rule.ENUM, at, _none_of([*subtypes])),
                Place(Rule.TYPE, at, 3),
                Place(Rule.NULL, at, None),
                Place(Rule.MISSING, at),
            ]
        for name, declared in shape.properties.items():
            if name == shape.discriminator:
                continue
            required = name in shape.required
            if required and not declared.read_only:
                self.body.places.append(Place(Rule.MISSING, (*path, name)))
            elif required or len(path) >= DEEPEST or not self.draw(st.booleans()):
                continue
            written[name] = self.write(declared, (*path, name))
        if shape.extra is None:
            self.body.places.append(Place(Rule.UNKNOWN, (*path, "notDeclared"), "x"))
        elif self.draw(st.booleans()) and len(path) < DEEPEST:
            name = cast("str", self.draw(_NAMES))
            if name not in shape.properties:
                written[name] = self.write(shape.extra, (*path, name))
        return written


def _none_of(values: list[str]) -> str:
    return "_".join(["none", "of", *values])


def scalars(node: Node) -> st.SearchStrategy[object]:
    """Values of a text, a number or a truth value that keep what is said of them."""
    schema = node.schema
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = type_of(node)
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(-(2**31) if lowest is None else lowest, 2**31 - 1 if highest is None else highest)
    if kind == "number":
        return st.floats(lowest, highest, allow_nan=False, allow_infinity=False)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        matching = st.from_regex(schema["pattern"])
        return matching.filter(lambda text: shortest <= len(text) <= (longest or len(text)))
    return st.text(min_size=shortest, max_size=longest or shortest + 8)


@st.composite
def bodies(draw: Draw, specs: Specs, node: Node) -> Body:
    """Valid bodies of requests, each with all its places."""
    body = Body()
    body.value = _Writing(specs, draw, body).write(node, ())
    return body
