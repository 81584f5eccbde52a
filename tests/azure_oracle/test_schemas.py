"""What is found in a value, and where; over a small description that is written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.azure_oracle.schemas import Rule, Schemas, Side
from tests.azure_oracle.specs import Json, Node, Specs

Found = list[tuple[str, Rule]]

COMMON: Json = {
    "definitions": {
        "Resource": {
            "type": "object",
            "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}},
        }
    }
}
PETS: Json = {
    "definitions": {
        "Shop": {
            "type": "object",
            "allOf": [{"$ref": "common.json#/definitions/Resource"}],
            "required": ["id", "pet", "key"],
            "properties": {
                "pet": {"$ref": "#/definitions/Pet"},
                "key": {"type": "string", "x-ms-mutability": ["create", "update"]},
                "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4},
                "count": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 9},
                "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                "open": {"type": "boolean"},
                "state": {"$ref": "#/definitions/State", "x-nullable": True},
                "since": {"type": "string", "format": "date-time"},
                "pause": {"type": "string", "format": "duration"},
                "serial": {"type": "string", "format": "uuid"},
                "labels": {"type": "object", "additionalProperties": {"type": "string", "x-nullable": True}},
                "prices": {"type": "array", "items": {"type": "number"}, "maxItems": 2},
                "notes": {"type": "object"},
                "whatever": {},
            },
            "additionalProperties": False,
        },
        "State": {"type": "string", "enum": ["Open", "Closed"]},
        "Pet": {
            "type": "object",
            "required": ["kind"],
            "discriminator": "kind",
            "properties": {"kind": {"type": "string", "enum": ["Cat", "Dog", "Fish", "Kitten"]}},
        },
        "Cat": {
            "allOf": [{"$ref": "#/definitions/Pet"}],
            "required": ["lives"],
            "properties": {"lives": {"type": "integer"}},
            "x-ms-discriminator-value": "Cat",
        },
        "Dog": {
            "allOf": [{"$ref": "#/definitions/Pet"}],
            "properties": {"tricks": {"type": "array", "items": {"type": "string"}}},
            "x-ms-discriminator-value": "Dog",
        },
        "Kitten": {
            "allOf": [{"$ref": "#/definitions/Cat"}],
            "properties": {"toy": {"type": "string"}},
            "x-ms-discriminator-value": "Kitten",
        },
        "Box": {
            "type": "object",
            "required": ["size", "made"],
            "properties": {
                "size": {"type": "integer", "format": "int32"},
                "made": {"type": "string", "x-ms-mutability": ["read"]},
            },
            "additionalProperties": {"type": "integer"},
        },
        "Crate": {"allOf": [{"$ref": "#/definitions/Box"}], "properties": {"wood": {"type": "string"}}},
        "Check": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "Approval": {
            "type": "object",
            "allOf": [{"$ref": "#/definitions/Check"}],
            "properties": {"settings": {"type": "object", "properties": {"approver": {"type": "string"}}}},
        },
    }
}
SHOP: Json = {"pet": {"kind": "Dog"}, "key": "k"}


@pytest.fixture
def specs(tmp_path: Path) -> Specs:
    (tmp_path / "common.json").write_text(json.dumps(COMMON))
    (tmp_path / "pets.json").write_text(json.dumps(PETS), encoding="utf-8-sig")
    return Specs(tmp_path)


def found(
    specs: Specs, value: object, name: str = "Shop", side: Side = Side.REQUEST, *, much_unsaid: bool = False
) -> Found:
    node: Node = specs.node(specs.folder / "pets.json", {"$ref": f"#/definitions/{name}"})
    wrongs = Schemas(specs, side, much_unsaid).check(value, node)
    return [(each.where, each.rule) for each in wrongs]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"id": "read-only, but sent back", "name": "from the other file"},
        {"code": "abcd", "count": 9, "share": 0.5, "open": False, "state": None},
        {"state": "Closed", "since": "2024-01-02T03:04:05.1234567Z", "pause": "P1DT2H", "prices": [1, 2.5]},
        {"serial": "0f8fad5b-d9cb-469f-a165-70867728950e", "labels": {"any": None, "other": "x"}},
        {"notes": {"what": ["ever"]}, "whatever": None},
        {"pet": {"kind": "Cat", "lives": 9}},
        {"pet": {"kind": "Fish"}},
    ],
)
def test_what_is_declared_fits(specs: Specs, more: Json) -> None:
    assert found(specs, {**SHOP, **more}) == []


@pytest.mark.parametrize(
    ("more", "where", "rule"),
    [
        ({"colour": "red"}, "/colour", Rule.UNKNOWN),
        ({"a/b~c": "red"}, "/a~1b~0c", Rule.UNKNOWN),
        ({"code": 3}, "/code", Rule.TYPE),
        ({"count": True}, "/count", Rule.TYPE),
        ({"count": 3.0}, "/count", Rule.TYPE),
        ({"open": "true"}, "/open", Rule.TYPE),
        ({"prices": {"0": 1}}, "/prices", Rule.TYPE),
        ({"prices": [1, "2"]}, "/prices/1", Rule.TYPE),
        ({"prices": [1, 2, 3]}, "/prices", Rule.RANGE),
        ({"labels": {"any": 3}}, "/labels/any", Rule.TYPE),
        ({"state": "Ajar"}, "/state", Rule.ENUM),
        ({"state": "open"}, "/state", Rule.CASE),
        ({"code": "A1"}, "/code", Rule.PATTERN),
        ({"code": "a"}, "/code", Rule.RANGE),
        ({"code": "abcde"}, "/code", Rule.RANGE),
        ({"count": 0}, "/count", Rule.RANGE),
        ({"count": 10}, "/count", Rule.RANGE),
        ({"share": 0}, "/share", Rule.RANGE),
        ({"since": "yesterday"}, "/since", Rule.FORMAT),
        ({"pause": "P"}, "/pause", Rule.FORMAT),
        ({"pause": "5 minutes"}, "/pause", Rule.FORMAT),
        ({"serial": "12"}, "/serial", Rule.FORMAT),
        ({"code": None}, "/code", Rule.NULL),
        ({"pet": None}, "/pet", Rule.NULL),
        ({"pet": {}}, "/pet/kind", Rule.MISSING),
        ({"pet": {"kind": "Cow"}}, "/pet/kind", Rule.ENUM),
        ({"pet": {"kind": "dog"}}, "/pet/kind", Rule.CASE),
        ({"pet": {"kind": 3}}, "/pet/kind", Rule.TYPE),
        ({"pet": {"kind": None}}, "/pet/kind", Rule.NULL),
        ({"pet": {"kind": "Cat"}}, "/pet/lives", Rule.MISSING),
        ({"pet": {"kind": "Dog", "lives": 9}}, "/pet/lives", Rule.UNKNOWN),
        ({"pet": {"kind": "Fish", "fins": 2}}, "/pet/fins", Rule.UNKNOWN),
    ],
)
def test_what_is_not_is_found_at_its_place(specs: Specs, more: Json, where: str, rule: Rule) -> None:
    assert found(specs, {**SHOP, **more}) == [(where, rule)]


def test_a_request_need_not_hold_what_is_only_read(specs: Specs) -> None:
    assert found(specs, {"key": "k"}) == [("/pet", Rule.MISSING)]
    assert found(specs, {"pet": {"kind": "Dog"}}) == [("/key", Rule.MISSING)]


def test_an_answer_need_not_hold_what_is_only_written(specs: Specs) -> None:
    assert found(specs, {"id": "1", "pet": {"kind": "Dog"}}, side=Side.RESPONSE) == []
    assert found(specs, {"pet": {"kind": "Dog"}}, side=Side.RESPONSE) == [("/id", Rule.MISSING)]


def test_a_schema_that_is_a_child_wants_its_own_value(specs: Specs) -> None:
    assert found(specs, {"kind": "Cat", "lives": 9}, "Cat") == []
    assert found(specs, {"kind": "Dog"}, "Cat") == [("/kind", Rule.ENUM)]


def test_a_child_has_all_that_its_parent_says(specs: Specs) -> None:
    assert found(specs, {"size": 3, "wood": "oak", "slots": 4}, "Crate") == []
    assert found(specs, {"wood": "oak"}, "Crate") == [("/size", Rule.MISSING)]
    assert found(specs, {"size": 3, "slots": "4"}, "Crate") == [("/slots", Rule.TYPE)]
    assert found(specs, {"size": 3}, "Crate", Side.RESPONSE) == [("/made", Rule.MISSING)]


def test_a_grandchild_may_stand_for_its_grandparent(specs: Specs) -> None:
    assert found(specs, {"kind": "Kitten", "lives": 9, "toy": "mouse"}, "Pet") == []
    assert found(specs, {"kind": "Kitten", "toy": "mouse"}, "Pet") == [("/lives", Rule.MISSING)]


def test_an_int32_has_its_bounds(specs: Specs) -> None:
    assert found(specs, {"size": 2**31 - 1}, "Box") == []
    assert found(specs, {"size": 2**31}, "Box") == [("/size", Rule.RANGE)]


def test_everything_that_is_wrong_is_found(specs: Specs) -> None:
    assert found(specs, {"pet": {"kind": "Cat", "lives": "9", "tail": 1}, "key": "k", "open": 1}) == [
        ("/pet/lives", Rule.TYPE),
        ("/pet/tail", Rule.UNKNOWN),
        ("/open", Rule.TYPE),
    ]


def test_without_a_discriminator_a_child_stands_only_where_so_much_is_unsaid(specs: Specs) -> None:
    approval = {"id": 1, "settings": {"approver": "ann"}}
    assert found(specs, approval, "Check") == [("/settings", Rule.UNKNOWN)]
    assert found(specs, approval, "Check", much_unsaid=True) == []
    assert found(specs, {"id": 1, "settings": {"aprover": "ann"}}, "Check", much_unsaid=True) == [
        ("/settings", Rule.UNKNOWN)
    ]


def test_there_may_be_null_in_an_answer_only_where_so_much_is_unsaid(specs: Specs) -> None:
    assert found(specs, {"id": None}, "Check", Side.RESPONSE, much_unsaid=True) == []
    assert found(specs, {"id": None}, "Check", Side.RESPONSE) == [("/id", Rule.NULL)]
    assert found(specs, {"id": None}, "Check", Side.REQUEST, much_unsaid=True) == [("/id", Rule.NULL)]


def test_a_finding_says_what_was_expected_and_what_there_is(specs: Specs) -> None:
    node = specs.node(specs.folder / "pets.json", {"$ref": "#/definitions/Shop"})
    (wrong,) = Schemas(specs, Side.REQUEST).check({**SHOP, "state": "Ajar"}, node)
    assert str(wrong) == '/state: not one of its values: expected Open, Closed, found "Ajar"'


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="FLEETCAST_AZURE_SPECS"):
        list(Specs(tmp_path / "nowhere").files())
