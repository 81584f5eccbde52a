"""The JSON that programs read: each view as reviewed, and all of them in one dialect (see `fleetcast.views`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.views.examples import GOLDEN, VIEWS, written

VERBATIM = {"inputs", "detail"}
"""Below these stands what was declared or recorded, as it was."""
NAMED_BY_PEOPLE = {"sensors", "readings", "tags", "units", "settings", "stated", "assumed"}
"""The keys right below these are people's."""
INSTEAD = {
    "at": "something_at",
    "circuit": "plant_id, circuit_id",
    "plant": "plant_id",
    "model": "model_name",
    "request": "request_id",
    "run": "run_id",
    "job": "job_id",
    "id": "request_id, run_id, …",
    "step": "step_seconds",
}
WHOLE_NUMBERS = {"version", "delta_version", "champion_version", "shown_version", "delta_version_before"}


def documents() -> Mapping[str, Any]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json"))}


def rows(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object whose names are ours, with its place in the document."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from rows(entry, f"{place}[{number}]")
    if not isinstance(value, dict):
        return
    last = place.rpartition(".")[2]
    if last in VERBATIM:
        return
    if last not in NAMED_BY_PEOPLE:
        yield place, value
    for key, entry in value.items():
        inner = f"{place}.{key}" if last not in NAMED_BY_PEOPLE else f"{place}.<{key}>"
        yield from rows(entry, inner)


def fields() -> list[tuple[str, str, Any]]:
    return [
        (f"{name}{place}", key, value)
        for name, document in documents().items()
        for place, row in rows(document)
        for key, value in row.items()
    ]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from texts(entry)
    elif isinstance(value, Sequence):
        for entry in value:
            yield from texts(entry)


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_is_as_it_was_reviewed(name: str) -> None:
    reviewed = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert written(VIEWS[name]) == reviewed, "if that is meant: python -m tests.views.examples, and review it"


def test_every_reviewed_view_still_exists() -> None:
    assert set(documents()) == set(VIEWS)


def test_every_name_is_snake_case() -> None:
    assert len(fields()) > 200
    assert not [(place, key) for place, key, _ in fields() if not re.fullmatch(r"[a-z][a-z0-9_]*", key)]


def test_every_thing_goes_by_its_one_name() -> None:
    assert not [(place, key, INSTEAD[key]) for place, key, _ in fields() if key in INSTEAD]


def test_every_moment_is_utc_with_a_z() -> None:
    moments = [(place, value) for place, key, value in fields() if key.endswith("_at")]
    assert len(moments) > 20
    for place, moment in moments:
        if moment is not None:
            assert moment.endswith("Z"), place
            assert datetime.fromisoformat(moment).tzinfo == UTC


def test_moments_stand_only_under_names_that_say_so() -> None:
    form = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")
    assert not [
        (place, key)
        for place, key, value in fields()
        if isinstance(value, str) and form.fullmatch(value) and not key.endswith("_at")
    ]
    assert not [text for document in documents().values() for text in texts(document) if "+00:00" in text]


def test_a_circuit_is_two_names_and_never_one_text() -> None:
    for name, document in documents().items():
        for place, row in rows(document):
            assert "circuit_id" not in row or "plant_id" in row, name + place
        assert not {"PLANT001/CIRCUIT01", "PLANT002/CIRCUIT07"} & set(texts(document)), name


def test_versions_of_models_and_tables_are_whole_numbers() -> None:
    found = [(place, key, value) for place, key, value in fields() if key in WHOLE_NUMBERS]
    assert len(found) > 20
    assert not [entry for entry in found if not (entry[2] is None or type(entry[2]) is int)]


def test_a_version_says_of_which_model_it_is() -> None:
    for name, document in documents().items():
        for place, row in rows(document):
            inside = re.search(r"\.(selected|versions\[\d+\])$", place)
            assert "version" not in row or "model_name" in row or inside, name + place


def test_rows_of_one_list_have_the_same_names() -> None:
    lists = 0
    for name, document in documents().items():
        by_list: dict[str, set[frozenset[str]]] = {}
        for place, row in rows(document):
            by_list.setdefault(re.sub(r"\[\d+\]", "[]", place), set()).add(frozenset(row))
        differing = [place for place, names in by_list.items() if len(names) > 1]
        assert not differing, (name, differing)
        lists += len(by_list)
    assert lists > 20


def test_a_fleet_without_mistakes_has_the_names_of_one_with_them() -> None:
    found = documents()
    assert list(found["valid_repository"]) == list(found["invalid_repository"])
