"""Microsoft's Swagger files, read where they lie, with their references followed only when asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Json = Mapping[str, Any]

VARIABLE = "FLEETCAST_AZURE_SPECS"
_GIVEN = Path(os.environ.get(VARIABLE) or Path(__file__).parents[3] / "shared" / "azure")
FOLDER = _GIVEN / "openapi" if (_GIVEN / "openapi").is_dir() else _GIVEN
"""The variable names the folder of all Azure schemas, or `openapi` in it."""

MACHINE_LEARNING = FOLDER / (
    "Azure__azure-rest-api-specs/specification/machinelearningservices"
    "/resource-manager/Microsoft.MachineLearningServices"
)
DEVOPS = FOLDER / "MicrosoftDocs__vsts-rest-api-specs/specification"

MISSING = f"Microsoft's Swagger files are not in {FOLDER}: set {VARIABLE} to their folder"
FOUND = MACHINE_LEARNING.is_dir() and DEVOPS.is_dir()
NEEDS_SPECS = pytest.mark.skipif(not FOUND, reason=MISSING)

ANYTHING: Json = {}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One schema, with what its place says of it: a reference's neighbours count too."""

    document: Path
    schema: Json
    name: str = ""
    """Of its definition; empty: it has none."""
    nullable: bool = False
    read_only: bool = False
    write_only: bool = False

    @property
    def is_anything(self) -> bool:
        """Whether nothing at all is said of the value."""
        return not {"type", "properties", "allOf", "enum", "additionalProperties"} & set(self.schema)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object may hold, with all that it is `allOf`."""

    properties: Mapping[str, Node]
    required: frozenset[str]
    extra: Node | None
    """What other properties hold; None: there are none."""
    discriminator: str = ""


@dataclass(slots=True)
class Specs:
    """All that is read of one folder of Swagger files, kept for the process."""

    folder: Path
    written_otherwise: Mapping[str, Json] = field(default_factory=dict)
    """Definitions that go over the wire in another shape than is published, by name."""
    told_by: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    """What tells a child where no discriminator does: by its name a property, one within it, and its value."""
    _documents: dict[Path, Json] = field(default_factory=dict)
    _shapes: dict[int, tuple[Json, Shape]] = field(default_factory=dict)
    """By the identity of the schema, which is kept so that no other ever gets it."""
    _children: dict[Path, dict[tuple[Path, str], list[Node]]] = field(default_factory=dict)

    def files(self) -> Iterator[Path]:
        """The Swagger files themselves, without examples."""
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{self.folder} is not there: set {VARIABLE} to the folder of the specs")
        for path in sorted(self.folder.rglob("*.json")):
            if not {"examples", "httpExamples"} & set(path.parts):
                yield path

    def document(self, path: Path) -> Json:
        if path not in self._documents:
            # Azure DevOps' files begin with a mark of their byte order.
            self._documents[path] = json.loads(path.read_text(encoding="utf-8-sig"))
        return self._documents[path]

    def target(self, document: Path, reference: str) -> tuple[Path, str, Json]:
        """What a reference names: the file, the last part of the name, and what stands there."""
        file, _, pointer = reference.partition("#")
        path = Path(os.path.normpath(document.parent / file)) if file else document
        found: Any = self.document(path)
        part = ""
        for raw in pointer.strip("/").split("/"):
            part = raw.replace("~1", "/").replace("~0", "~")
            found = found[part]
        return path, part, found

    def node(self, document: Path, schema: Json) -> Node:
        """The schema with its references followed."""
        node = Node(document, schema)
        while True:
            mutability = node.schema.get("x-ms-mutability")
            node = Node(
                node.document,
                node.schema,
                node.name,
                nullable=node.nullable or bool(node.schema.get("x-nullable")),
                read_only=node.read_only or bool(node.schema.get("readOnly")) or mutability == ["read"],
                write_only=node.write_only or (mutability is not None and "read" not in mutability),
            )
            if "$ref" not in node.schema:
                return node
            path, name, found = self.target(node.document, node.schema["$ref"])
            found = self.written_otherwise.get(name, found)
            node = Node(path, found, name, node.nullable, node.read_only, node.write_only)

    def shape(self, node: Node) -> Shape:
        """What an object of this schema may hold."""
        if id(node.schema) not in self._shapes:
            self._shapes[id(node.schema)] = (node.schema, self._shape_of(node))
        return self._shapes[id(node.schema)][1]

    def _shape_of(self, node: Node) -> Shape:
        properties: dict[str, Node] = {}
        required: set[str] = set()
        extra: Node | None = None
        discriminator = str(node.schema.get("discriminator", ""))
        for parent in node.schema.get("allOf", ()):
            inherited = self.shape(self.node(node.document, parent))
            properties |= inherited.properties
            required |= inherited.required
            extra = extra or inherited.extra
            discriminator = discriminator or inherited.discriminator
        for name, schema in node.schema.get("properties", {}).items():
            properties[name] = self.node(node.document, schema)
        required |= set(node.schema.get("required", ()))
        declared = node.schema.get("additionalProperties")
        if isinstance(declared, Mapping):
            extra = self.node(node.document, declared)
        elif declared is True or (declared is None and not properties and not discriminator):
            # `type: object` and nothing more: whatever somebody likes.
            extra = Node(node.document, ANYTHING)
        return Shape(properties, frozenset(required), extra, discriminator)

    def children(self, node: Node) -> list[Node]:
        """The definitions that are `allOf` this one, and theirs in turn."""
        direct = self._children_in(node.document).get((node.document, node.name), []) if node.name else []
        return [each for child in direct for each in (child, *self.children(child))]

    def _children_in(self, document: Path) -> dict[tuple[Path, str], list[Node]]:
        if document not in self._children:
            found: dict[tuple[Path, str], list[Node]] = {}
            for name, schema in self.document(document).get("definitions", {}).items():
                for parent in schema.get("allOf", ()):
                    if "$ref" in parent:
                        path, parent_name, _ = self.target(document, parent["$ref"])
                        found.setdefault((path, parent_name), []).append(Node(document, schema, name))
            self._children[document] = found
        return self._children[document]

    def candidates(self, node: Node, value: Json) -> list[Node]:
        """What an object without a discriminator may be: the one that it tells, or any of them."""
        family = [node, *self.children(node)]
        return [each for each in family if self._tells(value, each.name)] or family

    def _tells(self, value: Json, name: str) -> bool:
        if name not in self.told_by:
            return False
        outer, inner, expected = self.told_by[name]
        within = value.get(outer)
        return isinstance(within, Mapping) and str(within.get(inner)).casefold() == expected

    def subtypes(self, node: Node) -> dict[str, Node]:
        """What the discriminator's values stand for: this schema's own value and its children's."""
        return {
            str(each.schema["x-ms-discriminator-value"]): each
            for each in (node, *self.children(node))
            if "x-ms-discriminator-value" in each.schema
        }


@cache
def machine_learning() -> Specs:
    return Specs(MACHINE_LEARNING)
