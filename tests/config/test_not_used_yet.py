"""No setting is accepted in silence: each is used, or said not to be used yet."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE
from fleetcast.config.circuit_files import MAIN_FILE
from fleetcast.config.not_used_yet import NOT_USED_YET, USED
from fleetcast.config.reader import read_fleet
from fleetcast.config.schema import ComponentWritten, EnvironmentWritten, FlatCircuitWritten
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.config.settings.fleet_settings import SettingsWritten
from fleetcast.domain.place import Gate
from tests.config.conftest import NOW, Repository

SCHEMAS: dict[str, type[BaseModel]] = {
    SETTINGS_FILE: SettingsWritten,
    MAIN_FILE: FlatCircuitWritten,
    ENVIRONMENT_FILE: EnvironmentWritten,
    COMPONENT_FILE: ComponentWritten,
}
NAMES = {"gates": [gate.value for gate in Gate]}
"""The names that a mapping may have, where they are not people's own."""


def accepted(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every setting that a file may write, as a path; `*` for what has a name or a place of its own."""
    for name, field in model.model_fields.items():
        yield from _within(field.annotation, f"{above}{field.alias or name}")


def _within(annotation: object, path: str) -> Iterator[str]:
    if typing.get_origin(annotation) in {types.UnionType, typing.Union}:
        for option in typing.get_args(annotation):
            if option is not types.NoneType:
                yield from _within(option, path)
    elif typing.get_origin(annotation) is typing.Annotated:
        yield from _within(typing.get_args(annotation)[0], path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from accepted(annotation, f"{path}.")
    elif (entry := _entry(annotation)) is not None:
        for name in NAMES.get(path, ["*"]):
            yield from accepted(entry, f"{path}.{name}.")
    else:
        yield path


def _entry(annotation: object) -> type[BaseModel] | None:
    """The model that each entry of a list or a mapping is read by, if one is."""
    last = typing.get_args(annotation)[-1] if typing.get_args(annotation) else None
    return last if isinstance(last, type) and issubclass(last, BaseModel) else None


def unused(file: str) -> list[str]:
    return list(NOT_USED_YET) if file == SETTINGS_FILE else []


def is_below(path: str, setting: str) -> bool:
    return path == setting or path.startswith(f"{setting}.")


@pytest.mark.parametrize("file", SCHEMAS)
def test_every_setting_is_used_or_said_not_to_be(file: str) -> None:
    found = list(accepted(SCHEMAS[file]))
    assert len(found) >= 4
    for path in found:
        ways = [path in USED[file], *(is_below(path, setting) for setting in unused(file))]
        assert ways.count(True) == 1, f"{file}: {path} belongs into one of the tables of not_used_yet.py"


@pytest.mark.parametrize("file", SCHEMAS)
def test_the_tables_name_no_setting_that_there_is_not(file: str) -> None:
    found = set(accepted(SCHEMAS[file]))
    assert found >= USED[file]
    for setting in unused(file):
        assert any(is_below(path, setting) for path in found), setting


def test_what_is_written_and_not_used_is_named_once_in_the_order_of_its_lines(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        "schedules: {train: '0 2 * * *', monitor: '0 1 * * *'}\n"
        "environments:\n"
        "  dev:\n"
        "    thresholds: {min_skill: 0}\n"
        "    latency_ms: 10\n"
        "  prod: {error_rate: 1, availability: 99, thresholds: {min_skill: 0}}\n"
        "retention:\n"
        "  dev: {models: 30}\n"
        "  test: {models: 90, predictions: 30}\n",
    )
    found = read_fleet(repository.directory, now=NOW).unused
    assert [str(each) for each in found] == [
        "environments.dev.latency_ms (fleetcast.yaml:5)",
        "environments.prod.thresholds (fleetcast.yaml:6)",
        "retention.test.models (fleetcast.yaml:9)",
    ]


def test_a_fleet_that_writes_only_what_is_used_is_told_nothing(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "polling: {max: 5s}\ngates: {registry-promotion: {minimum: 1}}\n")
    assert read_fleet(repository.directory, now=NOW).unused == ()
    repository.write("fleetcast.yaml", "")
    assert read_fleet(repository.directory, now=NOW).unused == ()
