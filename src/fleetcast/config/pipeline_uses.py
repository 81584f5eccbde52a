"""What the pipelines of a fleet in Azure DevOps name: variable groups, environments and service connections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

from fleetcast.config.check_pipelines import AZURE_FOLDER
from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.installed_devops import VARIABLE_GROUPS
from fleetcast.domain.wanted_installation import PipelineFile

_PARAMETER = re.compile(r"\$\{\{\s*parameters\.([A-Za-z0-9_]+)\s*\}\}")
_CONNECTION = "connection"
"""The parameter of a template of steps by which it is told its service connection."""


def pipeline_uses(directory: Path) -> tuple[PipelineFile, ...]:
    """Read every pipeline of a fleet that is for Azure DevOps, in the order of their names.

    Raises:
        InvalidFleet: One of them is no YAML.
    """
    complaints = Complaints()
    found = []
    for path in sorted((directory / AZURE_FOLDER).glob("*.y*ml")):
        file = f"{AZURE_FOLDER}/{path.name}"
        root = read_yaml(path, file, complaints)
        if isinstance(root, Block):
            found.append(_uses(directory, path.stem, file, root, complaints))
    complaints.raise_any()
    return tuple(found)


def _uses(directory: Path, name: str, file: str, root: Block, complaints: Complaints) -> PipelineFile:
    choices = _choices(root)

    def each(texts: Iterator[str]) -> Iterator[str]:
        for text in texts:
            yield from _filled(text, choices)

    groups = [
        known
        for pattern in each(_values(root, "group"))
        for known in VARIABLE_GROUPS
        if fnmatchcase(known, pattern)
    ]
    connections = [*_values(root, "azureSubscription"), *_told(directory, file, root, complaints)]
    return PipelineFile(
        name,
        file,
        groups=frozenset(groups),
        environments=frozenset(one for one in each(_environments(root)) if "*" not in one),
        connections=frozenset(one for one in each(iter(connections)) if "*" not in one),
        is_validation=isinstance(root.get("pr"), Block),
    )


def _choices(root: Block) -> Mapping[str, Sequence[str]]:
    """What each parameter of a pipeline may be, where it says so."""
    found = {}
    declared = root.get("parameters")
    for one in declared if isinstance(declared, Items) else ():
        if isinstance(one, Block) and isinstance(name := one.get("name"), Scalar):
            values = one.get("values")
            if isinstance(values, Items):
                found[name.text] = [value.text for value in values if isinstance(value, Scalar)]
    return found


def _filled(text: str, choices: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A text with every choice of its parameters put in; `*` for one that may be anything."""
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    for picked in product(*(choices.get(name, ["*"]) for name in names)):
        by_name = dict(zip(names, picked, strict=True))
        yield _PARAMETER.sub(lambda match, by_name=by_name: by_name[match[1]], text)  # type: ignore[misc]


def _environments(root: Block) -> Iterator[str]:
    """Those of deployment jobs, by their names alone or with more about them."""
    for job in _blocks(root):
        if "deployment" not in job:
            continue
        environment = job.get("environment")
        name = environment.get("name") if isinstance(environment, Block) else environment
        if isinstance(name, Scalar) and name.text:
            yield name.text


def _told(directory: Path, file: str, root: Block, complaints: Complaints) -> Iterator[str]:
    """The connections that templates of steps are told, or take where they are told none."""
    for step in _blocks(root):
        template, told = step.get("template"), step.get("parameters")
        if not isinstance(template, Scalar):
            continue
        given = told.get(_CONNECTION) if isinstance(told, Block) else None
        if isinstance(given, Scalar):
            yield given.text
            continue
        path = (directory / file).parent / template.text
        read = read_yaml(path, f"{Path(file).parent}/{template.text}", complaints) if path.is_file() else None
        for one in _blocks(read.get("parameters")) if isinstance(read, Block) else ():
            name, default = one.get("name"), one.get("default")
            if isinstance(name, Scalar) and name.text == _CONNECTION and isinstance(default, Scalar):
                yield default.text


def _values(node: Node, key: str) -> Iterator[str]:
    """The single values of a key, wherever it is written."""
    for block in _blocks(node):
        value = block.get(key)
        if isinstance(value, Scalar) and value.text:
            yield value.text


def _blocks(node: Node | None) -> Iterator[Block]:
    """Every mapping at or below a node."""
    if isinstance(node, Block):
        yield node
    if isinstance(node, Block | Items):
        for value in node.values() if isinstance(node, Block) else node:
            yield from _blocks(value)
