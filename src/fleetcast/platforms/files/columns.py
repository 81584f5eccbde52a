"""Which column of a file plays which part: time, plant, circuit, sensor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import IngestOptions
from fleetcast.domain.sensor import checked_sensors, did_you_mean
from fleetcast.platforms.files.raw_file import RawFile

_TIME_NAMES = frozenset(
    ("timestamp", "datetime", "date_time", "date", "time", "ts", "time_utc", "timestamp_utc", "datetime_utc")
)


@dataclass(frozen=True, slots=True)
class SensorColumn:
    """A column of the file and the sensor it is stored as."""

    column: str
    sensor: str


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of one file by the part they play."""

    timestamp: tuple[str, ...]
    sensors: tuple[SensorColumn, ...]


def assign_roles(file: RawFile, options: IngestOptions) -> Roles:
    """Decide what each column is.

    Raises:
        BadInput: An option names a column the file lacks, no time column can be told, no sensor is left, or a
            sensor's name is not valid.
    """
    where, columns = str(file.path), file.columns
    timestamp = options.timestamp_columns or _only_time_column(where, columns)
    _check_known(where, "--timestamp-column", timestamp, columns)
    keys = [name for name in (options.plant_column, options.circuit_column) if name is not None]
    _check_known(where, "--plant-column or --circuit-column", keys, columns)
    _check_known(where, "--take", options.take, columns)
    _check_known(where, "--rename", [rename.old for rename in options.renames], columns)
    taken = options.take or columns
    left_out = {*timestamp, *keys, *options.drop}
    names = {rename.old: rename.new for rename in options.renames}
    sensors = tuple(SensorColumn(name, names.get(name, name)) for name in taken if name not in left_out)
    if not sensors:
        raise BadInput(f"{where}: no sensor column is left", fix="check --take and --drop")
    checked_sensors([sensor.sensor for sensor in sensors], where=where)
    return Roles(tuple(timestamp), sensors)


def _only_time_column(where: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    likely = tuple(name for name in columns if name.strip().lower() in _TIME_NAMES)
    if len(likely) == 1:
        return likely
    found = (
        f"several columns could be the time: {', '.join(likely)}"
        if likely
        else "no column is called like a time"
    )
    example = " ".join(f"--timestamp-column '{name}'" for name in likely) or "--timestamp-column COLUMN"
    raise BadInput(f"{where}: {found}", fix=f"say which: {example} (there is: {', '.join(columns)})")


def _check_known(where: str, option: str, names: Iterable[str], columns: tuple[str, ...]) -> None:
    for name in names:
        if name not in columns:
            raise BadInput(
                f"{where} has no column {name!r}, named in {option}", fix=did_you_mean(name, columns)
            )
