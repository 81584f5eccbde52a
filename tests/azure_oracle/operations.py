"""Which published operation an exchange is: by method, path and api-version."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from tests.azure_oracle.specs import Json, Specs

METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One declared parameter, wherever it is sent."""

    name: str
    place: str
    """`query`, `path`, `header` or `body`."""
    required: bool
    schema: Json
    """Of the body: its schema; else the parameter itself, which says its type as a schema does."""
    reference: str = ""
    """The name of its shared declaration."""
    document: Path = Path()
    """Where its schema's references begin."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One method of one path in one file."""

    id: str
    method: str
    template: str
    version: str
    document: Path
    content: Json
    parameters: tuple[Parameter, ...]

    @property
    def body(self) -> Parameter | None:
        return next((each for each in self.parameters if each.place == "body"), None)

    def sent_in(self, place: str) -> dict[str, Parameter]:
        return {each.name: each for each in self.parameters if each.place == place}


@dataclass(frozen=True, slots=True)
class Match:
    """An operation, with what its path's parameters are."""

    operation: Operation
    values: Mapping[str, str]
    unlike: int = 0
    """How many of the query's parameters it does not declare, or asks for in vain."""

    @property
    def rank(self) -> tuple[int, int]:
        """The least is what was meant: more of the path is written out, then more of the query is declared."""
        return len(self.values), self.unlike


def segments_of(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


@dataclass(slots=True)
class Operations:
    """All operations of one set of specs."""

    specs: Specs
    _all: list[Operation] = field(default_factory=list)
    _found: dict[tuple[str, str, int], list[tuple[tuple[str, ...], Operation]]] = field(default_factory=dict)
    """By version, method and how many parts a path has: those parts, and the operation."""

    def __post_init__(self) -> None:
        self._all.extend(self.read())
        for operation in self._all:
            for segments in _paths_of(operation):
                key = (operation.version, operation.method, len(segments))
                self._found.setdefault(key, []).append((segments, operation))

    @property
    def versions(self) -> frozenset[str]:
        return frozenset(version for version, _, _ in self._found)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def find(self, method: str, path: str, version: str, query: Collection[str] = ()) -> Match | None:
        """The operation of this version that fits best."""
        sent = segments_of(path)
        fitting = (
            Match(operation, values, _unlike(operation, query))
            for declared, operation in self._found.get((version, method, len(sent)), ())
            if (values := values_in(declared, sent)) is not None
        )
        return min(fitting, key=lambda match: match.rank, default=None)

    def read(self) -> Iterator[Operation]:
        for path in self.specs.files():
            document = self.specs.document(path)
            # Azure DevOps declares some paths again, with a question mark, for each set of query parameters.
            for paths in ("paths", "x-ms-paths"):
                for template, item in document.get(paths, {}).items():
                    version = str(document["info"]["version"])
                    yield from self._of_item(path, version, template.partition("?")[0], item)

    def _of_item(self, document: Path, version: str, template: str, item: Json) -> Iterator[Operation]:
        shared = item.get("parameters", ())
        for method in METHODS:
            if method in item:
                content = item[method]
                declared = (*shared, *content.get("parameters", ()))
                yield Operation(
                    content["operationId"],
                    method.upper(),
                    template,
                    version,
                    document,
                    content,
                    tuple(self._parameter(document, each) for each in declared),
                )

    def _parameter(self, document: Path, declared: Json) -> Parameter:
        reference = ""
        while "$ref" in declared:
            document, reference, declared = self.specs.target(document, declared["$ref"])
        place = declared["in"]
        return Parameter(
            name=declared["name"],
            place=place,
            # Swagger says of a body that it is required where Azure DevOps' own remark says that it is not.
            required=declared.get("x-ms-required", declared.get("required", False)),
            schema=declared["schema"] if place == "body" else declared,
            reference=reference,
            document=document,
        )


def _paths_of(operation: Operation) -> Iterator[tuple[str, ...]]:
    """The template's parts, with and without those that may be left out."""
    # Some templates write a parameter in another case than it is declared.
    declared = {f"{{{name}}}".casefold(): each for name, each in operation.sent_in("path").items()}
    known = [declared.get(segment.casefold()) for segment in segments_of(operation.template)]
    segments = [
        f"{{{parameter.name}}}" if parameter else segment
        for parameter, segment in zip(known, segments_of(operation.template), strict=True)
    ]
    optional = [index for index, parameter in enumerate(known) if parameter and not parameter.required]
    for count in range(len(optional) + 1):
        for left_out in combinations(optional, count):
            yield tuple(each for index, each in enumerate(segments) if index not in left_out)


def _unlike(operation: Operation, query: Collection[str]) -> int:
    declared = operation.sent_in("query")
    required = {name for name, parameter in declared.items() if parameter.required}
    return len(set(query) - declared.keys()) + len(required - set(query))


def values_in(declared: tuple[str, ...], sent: tuple[str, ...]) -> dict[str, str] | None:
    """What the parameters of a path are in another of as many parts; None: it is another path."""
    values = {}
    for part, given in zip(declared, sent, strict=True):
        if part.startswith("{") and part.endswith("}"):
            if not given:
                return None
            values[part[1:-1]] = given
        elif part.casefold() != given.casefold():
            return None
    return values
