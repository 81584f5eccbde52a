"""What stored JSON looks like, and how old, new and torn JSON is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import GatePolicy
from fleetcast.stored.form import Fields, Stored
from tests.stored.examples import EARLIER, EXAMPLES

GOLDEN = Path(__file__).parents[1] / "golden" / "stored"
FILES = sorted(GOLDEN.glob("format_*/*.json"))


@dataclass(frozen=True, slots=True)
class Named:
    """A small value."""

    name: str


every_example = pytest.mark.parametrize("name", sorted(EXAMPLES))


# Every kind


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_what_each_format_wrote_is_read_for_ever(file: Path) -> None:
    example = EXAMPLES[file.stem]
    value = EARLIER.get(f"{file.parent.name}/{file.stem}", example.value)
    assert example.stored.from_json(file.read_bytes(), str(file)) == value


@every_example
def test_reading_gives_what_was_written(name: str) -> None:
    stored, value = EXAMPLES[name].stored, EXAMPLES[name].value
    written = stored.to_json(value)
    assert stored.from_json(written, name) == value
    assert stored.from_json(written.encode(), name) == value
    assert stored.to_json(stored.from_json(written, name)) == written


@every_example
def test_each_kind_is_written_as_in_the_golden_file_of_its_number(name: str) -> None:
    number = EXAMPLES[name].stored.number
    golden = (GOLDEN / f"format_{number}" / f"{name}.json").read_text().strip()
    written = EXAMPLES[name].stored.to_json(EXAMPLES[name].value)
    begins = f'{{"format":{number},'
    assert written.removeprefix(begins) == golden.removeprefix(begins).removeprefix("{")


@every_example
def test_no_stored_value_has_a_field_that_the_number_would_hide(name: str) -> None:
    value = EXAMPLES[name].value
    assert is_dataclass(value)
    assert "format" not in {field.name for field in fields(value)}


@every_example
def test_the_number_is_found_wherever_it_stands(name: str) -> None:
    stored, value = EXAMPLES[name].stored, EXAMPLES[name].value
    written = json.loads(stored.to_json(value))
    last = {key: each for key, each in written.items() if key != "format"} | {"format": stored.number}
    for text in (json.dumps(written), json.dumps(written, indent=2), json.dumps(last)):
        assert stored.from_json(text, name) == value
    with pytest.raises(
        BadInput, match=r"^requests 17 has format 9, this fleetcast knows no newer one than \d$"
    ):
        stored.from_json(json.dumps(last | {"format": 9}), "requests 17")


@every_example
def test_json_of_a_newer_format_is_left_to_a_newer_program(name: str) -> None:
    written, present = EXAMPLES[name].stored.to_json(EXAMPLES[name].value), EXAMPLES[name].stored.number
    for number in ("9", "99999999999999"):
        newer = written.replace(f'"format":{present}', f'"format":{number}', 1)
        with pytest.raises(BadInput, match=f"^requests 17 has format {number}, this") as caught:
            EXAMPLES[name].stored.from_json(newer, "requests 17")
        assert caught.value.fix == "use the fleetcast version that wrote it, or a newer one"


@every_example
def test_json_cut_off_anywhere_is_one_error_that_names_its_place(name: str) -> None:
    stored = EXAMPLES[name].stored
    written = stored.to_json(EXAMPLES[name].value)
    for length in range(0, len(written), 7):
        with pytest.raises(BadInput, match=r"^a table 17 cannot be read$") as caught:
            stored.from_json(written[:length], "a table 17")
        assert caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "17",
        '"format"',
        "{}",
        '{"format":1}',
        '{"format":1,}',
        '{"format":0,"key":"k"}',
        '{"format":"1","key":"k"}',
        '{"format":true,"key":"k"}',
        '{"format":null,"key":"k"}',
        '{"format":-1,"key":"k"}',
        '{"format":1.5,"key":"k"}',
        '{"format":01,"key":"k"}',
        '{"format":' + "9" * 5_000 + "}",
        '{"format":9' + "[" * 200_000,
        '{"x":"format","y":"format" ' + '"format"' + "[" * 200_000,
        '{"format":{"format":' * 50_000,
        b"\xff\xfe{}",
        "\ud800",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_such_value_is_one_error(text: str | bytes) -> None:
    for example in EXAMPLES.values():
        with pytest.raises(BadInput, match=r"^effects 'k' cannot be read$"):
            example.stored.from_json(text, "effects 'k'")


def test_a_value_that_would_not_be_made_is_one_error_that_names_its_place() -> None:
    example = EXAMPLES["approvals_pending"]
    text = example.stored.to_json(example.value).replace('"minimum":1', '"minimum":0')
    with pytest.raises(BadInput, match=r"^requests 1 cannot be read$") as caught:
        example.stored.from_json(text, "requests 1")
    assert "backup" in caught.value.fix


def test_a_policy_of_the_first_format_holds_nothing_that_came_later_and_leaves_nothing_out() -> None:
    policies = EXAMPLES["policies_gate"].stored
    written = json.loads((GOLDEN / "format_1" / "policies_gate.json").read_text())
    assert policies.from_json(json.dumps(written), "gate_policies g").policy.groups == ()
    for changed in (
        written | {"groups": ["leads"]},
        written | {"break_glass": True},
        {name: value for name, value in written.items() if name != "verified"},
    ):
        with pytest.raises(BadInput, match=r"^gate_policies g cannot be read$"):
            policies.from_json(json.dumps(changed), "gate_policies g")


@pytest.mark.parametrize("field", [field.name for field in fields(GatePolicy)])
def test_a_policy_that_lacks_a_rule_is_not_read(field: str) -> None:
    example = EXAMPLES["policies_gate"]
    written = json.loads(example.stored.to_json(example.value))
    del written[field]
    with pytest.raises(BadInput, match=r"^gate_policies g cannot be read$"):
        example.stored.from_json(json.dumps(written), "gate_policies g")


# Formats that change


@dataclass(frozen=True, slots=True)
class Pump:
    """Its third format: the first had `litres`, the second `litres_per_hour`."""

    name: str
    cubic_metres_per_hour: float
    inside: dict[str, int]


def _name_the_unit(old: Fields) -> Fields:
    return {"litres_per_hour": old.pop("litres"), **old}


def _in_cubic_metres(old: Fields) -> Fields:
    return {"cubic_metres_per_hour": old.pop("litres_per_hour") / 1_000, **old}


PUMP = Stored(Pump, number=3, earlier={1: _name_the_unit, 2: _in_cubic_metres})


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"p","litres":500,"inside":{"format":7}}',
        '{"format":1,"name":"p","litres":500,"inside":{"format":7}}',
        '{"format":2,"name":"p","litres_per_hour":500,"inside":{"format":7}}',
        '{"name":"p","litres_per_hour":500,"inside":{"format":7},"format":2}',
        '{"format":3,"name":"p","cubic_metres_per_hour":0.5,"inside":{"format":7}}',
        '{ "format": 3, "name": "p", "cubic_metres_per_hour": 0.5, "inside": {"format": 7} }',
    ],
)
def test_each_earlier_format_is_upgraded_from_one_to_the_next(text: str) -> None:
    assert PUMP.from_json(text, "pumps p") == Pump("p", 0.5, {"format": 7})


def test_only_the_newest_format_is_written() -> None:
    assert PUMP.to_json(Pump("p", 0.5, {})).startswith('{"format":3,"name":"p",')


@pytest.mark.parametrize(
    "text", ['{"name":"p"}', '{"format":1,"litres":"many"}', '{"format":2,"litres_per_hour":null}']
)
def test_what_an_upgrade_cannot_take_is_one_error(text: str) -> None:
    with pytest.raises(BadInput, match=r"^pumps p cannot be read$"):
        PUMP.from_json(text, "pumps p")


@pytest.mark.parametrize("earlier", [{}, {1: _name_the_unit}, {2: _name_the_unit, 3: _name_the_unit}])
def test_a_format_without_a_way_from_each_number_before_is_refused(earlier: dict[int, object]) -> None:
    with pytest.raises(ValueError, match="format 3 of Pump needs an upgrade from each number before"):
        Stored(Pump, number=3, earlier=earlier)  # type: ignore[arg-type]  # any would be refused


# What is remembered


def test_a_text_that_was_read_before_is_not_parsed_again() -> None:
    stored = Stored(Named, remembered=2)
    written = stored.to_json(Named("ada"))
    assert stored.from_json(written, "here") is stored.from_json(written.encode(), "there")


def test_a_text_that_differs_by_a_byte_is_another() -> None:
    stored = Stored(Named, remembered=2)
    written = stored.to_json(Named("ada"))
    assert stored.from_json(written, "here") == Named("ada")
    assert stored.from_json(written.replace("ada", "adb"), "here") == Named("adb")


def test_what_cannot_be_read_is_told_each_time_with_its_place() -> None:
    stored = Stored(Named, remembered=2)
    for place in ("here", "there"):
        with pytest.raises(BadInput, match=f"^{place} cannot be read"):
            stored.from_json('{"format":1,"nam', place)
