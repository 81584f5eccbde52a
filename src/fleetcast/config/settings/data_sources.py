"""`data_sources:` in `fleetcast.yaml`, or in a file that comes with circuits of another layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.complaints import Complaints, looks_like
from fleetcast.config.paths import anywhere, inside
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SETTINGS_FILE, SettingsFile
from fleetcast.config.validation import validated
from fleetcast.config.written import Text, Written, judged
from fleetcast.config.yaml_nodes import Block
from fleetcast.domain.errors import BadInput, InvalidFleet
from fleetcast.domain.identity import checked_id
from fleetcast.domain.location import Location
from fleetcast.domain.settings import DataSource, ExternalTable, OwnTable, Settings
from fleetcast.domain.table_mapping import Layout, TableMapping


class DataSourceKind(StrEnum):
    """What `kind:` may say."""

    OWN = "own"
    DELTA = "delta"


def _source_kind(value: object) -> DataSourceKind:
    found = scalars.scalar(value).text
    if found not in {kind.value for kind in DataSourceKind}:
        raise Refused(
            f"data source kind {found[:60]!r} is not in this version",
            f"known are {', '.join(DataSourceKind)}",
        )
    return DataSourceKind(found)


def _place(path: str) -> Location | str:
    return Location(path) if "://" in path else anywhere(path)


class DataSourceWritten(Written):
    """One entry of `data_sources:`."""

    kind: Annotated[DataSourceKind, PlainValidator(_source_kind)] | None = None
    path: Annotated[Text, judged(_place)] | None = None
    layout: Annotated[str, PlainValidator(scalars.one_of(*Layout))] | None = None
    columns: dict[str, Text] | None = None
    plant_id: Text | None = None
    circuit_id: Text | None = None
    sensors: dict[str, Text] | None = None
    time_zone: Text | None = None


class DataSourcesWritten(Written):
    """A file, or a part of one, that holds data sources and nothing else."""

    data_sources: dict[str, DataSourceWritten] | None = None


def read_data_sources(
    written: Mapping[str, DataSourceWritten] | None, file: SettingsFile
) -> Mapping[str, DataSource]:
    """Each source by its name; empty where none is written."""
    sources: dict[str, DataSource] = {}
    seen: dict[str, str] = {}
    for name, entry in (written or {}).items():
        try:
            checked_id("data source", name)
            sources[name] = _data_source(name, entry, file.directory)
        except BadInput as error:
            file.refuse(error, "data_sources", name)
            # so that circuits that name it are not complained of too
            sources[name] = OwnTable("refused")
        other = seen.setdefault(looks_like(name), name)
        if other != name:
            alike = BadInput(f"looks like {other!r}", fix="rename one of the two")
            file.refuse(alike, "data_sources", name)
    return sources


def adopted_sources(block: Block, file: str, directory: Path) -> Mapping[str, DataSource]:
    """Data sources that are written in a file of their own, or in a mapping.

    Raises:
        InvalidFleet: With every mistake, at its line in that file.
    """
    complaints, root = Complaints(), Block(block.line)
    root["data_sources"] = block
    root.key_lines["data_sources"] = block.line
    written, _refused = validated(DataSourcesWritten, root, SETTINGS_FILE, complaints)
    found = read_data_sources(
        written.data_sources if written else None, SettingsFile(root, directory, complaints)
    )
    try:
        complaints.raise_any()
    except InvalidFleet as invalid:
        raise InvalidFleet([replace(each, file=file) for each in invalid.complaints]) from invalid
    return found or Settings().data_sources


def _data_source(name: str, written: DataSourceWritten, directory: Path) -> DataSource:
    """One source.

    Raises:
        BadInput: What is written does not fit together.
    """
    if written.kind is DataSourceKind.DELTA:
        return _external_table(name, written)
    return _own_table(name, written, directory)


def _external_table(name: str, written: DataSourceWritten) -> ExternalTable:
    address = written.path or ""
    if "://" in address:
        address = str(Location(address))
    mapping = TableMapping(
        layout=Layout(written.layout or Layout.WIDE),
        columns=written.columns or {},
        plant_id=written.plant_id or "",
        circuit_id=written.circuit_id or "",
        sensors=written.sensors or {},
        time_zone=written.time_zone or "",
    )
    return ExternalTable(name, address, mapping)


def _own_table(name: str, written: DataSourceWritten, directory: Path) -> OwnTable:
    strange = written.model_fields_set - {"kind", "path"}
    if strange:
        raise BadInput(
            f"{', '.join(sorted(strange))}: fleetcast's own table has one form", fix="write kind: delta"
        )
    return OwnTable(name) if written.path is None else OwnTable(name, inside(directory, written.path))
