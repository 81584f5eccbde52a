"""Which published operation an exchange is: by method, path and api-version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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


def segments_of(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


@dataclass(slots=True)
class Operations:
    """All operations of one set of specs."""

    specs: Specs
    _found: dict[tuple[str, str, int], list[Operation]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for operation in self.read():
            key = (operation.version, operation.method, len(segments_of(operation.template)))
            self._found.setdefault(key, []).append(operation)

    @property
    def versions(self) -> frozenset[str]:
        return frozenset(version for version, _, _ in self._found)

    def __iter__(self) -> Iterator[Operation]:
        for operations in self._found.values():
            yield from operations

    def find(self, method: str, path: str, version: str) -> Match | None:
        """The operation of this version; where two fit, the one with more of its path written out."""
        sent = segments_of(path)
        fitting = [
            Match(operation, values)
            for operation in self._found.get((version, method, len(sent)), ())
            if (values := values_in(operation.template, sent)) is not None
        ]
        return min(fitting, key=lambda match: len(match.values), default=None)

    def read(self) -> Iterator[Operation]:
        for path in self.specs.files():
            document = self.specs.document(path)
            templates = dict(document.get("paths", {}))
            for template, item in document.get("x-ms-paths", {}).items():
                # Azure DevOps declares the same path again for each set of query parameters.
                templates.setdefault(template.partition("?")[0], item)
            for template, item in templates.items():
                yield from self._of_item(path, str(document["info"]["version"]), template, item)

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


def values_in(template: str, sent: tuple[str, ...]) -> dict[str, str] | None:
    """What the template's parameters are in a path of as many segments; None: it is another path."""
    values = {}
    for declared, given in zip(segments_of(template), sent, strict=True):
        if declared.startswith("{") and declared.endswith("}"):
            if not given:
                return None
            values[declared[1:-1]] = given
        elif declared.casefold() != given.casefold():
            return None
    return values
