"""What is in a query or a path is text, and is read as what is declared of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.azure_oracle.exchanges import parameters_wrong
from tests.azure_oracle.operations import Parameter
from tests.azure_oracle.schemas import Rule
from tests.azure_oracle.specs import Json

_SCHEMAS: Mapping[str, Json] = {
    "states": {"type": "array", "items": {"type": "string", "enum": ["Open", "Closed"]}},
    "top": {"type": "integer", "minimum": 1},
    "share": {"type": "number", "maximum": 1},
    "deep": {"type": "boolean"},
    "name": {"type": "string", "pattern": "^[a-z]+$"},
}
DECLARED = {
    name: Parameter(name, "query", required=False, schema=schema) for name, schema in _SCHEMAS.items()
}


def found(name: str, text: str) -> list[Rule]:
    return [each.rule for each in parameters_wrong("query", DECLARED, {name: text})]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("states", "Open"),
        ("states", "Open,Closed"),
        ("top", "5"),
        ("share", "0.5"),
        ("share", "1"),
        ("deep", "true"),
        ("deep", "False"),
        ("name", "press"),
    ],
)
def test_what_is_declared_fits(name: str, text: str) -> None:
    assert found(name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("states", "Open,Ajar", Rule.ENUM),
        ("states", "open", Rule.CASE),
        ("top", "0", Rule.RANGE),
        ("top", "5.0", Rule.TYPE),
        ("top", "", Rule.TYPE),
        ("share", "2", Rule.RANGE),
        ("share", "half", Rule.TYPE),
        ("deep", "1", Rule.TYPE),
        ("name", "press 7", Rule.PATTERN),
        ("colour", "red", Rule.PARAMETER),
    ],
)
def test_what_is_not_is_found(name: str, text: str, rule: Rule) -> None:
    assert found(name, text) == [rule]
