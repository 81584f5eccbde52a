"""There is one way to reach a workflow: by its name, from what the app opened."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import fleetcast.cli

FILES = sorted(Path(fleetcast.cli.__file__).parent.glob("*.py"))


def workflows_named(tree: ast.AST) -> Iterator[str]:
    """Names that a file imports and that are workflows: classes whose objects are called, or that edit."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fleetcast.workflows"):
            module = importlib.import_module(str(node.module))
            for name in node.names:
                found = getattr(module, name.name)
                if isinstance(found, type) and (
                    "__call__" in vars(found) or "clock" in found.__annotations__
                ):
                    yield name.asname or name.name


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_command_does_not_take_a_platform_apart(file: Path) -> None:
    assert ".platform." not in file.read_text(encoding="utf-8")
    attributes = [
        node.attr for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Attribute)
    ]
    assert "platform" not in attributes


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_command_makes_no_workflow_by_hand(file: Path) -> None:
    tree = ast.parse(file.read_bytes())
    made = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert made & set(workflows_named(tree)) == set()
