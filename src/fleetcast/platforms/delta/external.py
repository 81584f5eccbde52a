"""Delta tables that somebody else keeps, read through a mapping and never written.

All circuits of a batch are read in one pass: the filter on time, plants, circuits and sensors goes down to the files
and their row groups, and only what is wanted comes up, as numbers. The memory is that of one batch's rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from deltalake import DeltaTable

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, checked_id
from fleetcast.domain.table_mapping import CIRCUIT, PLANT, SENSOR, TIMESTAMP, VALUE, Layout, TableMapping
from fleetcast.platforms.delta.opening import DeltaVersions
from fleetcast.ports.readings import Readings, ReadingsWanted

CIRCUITS_PER_PASS = 200
_READABLE = {
    "deletionVectors",
    "timestampNtz",
    "variantType",
    "variantType-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
}
_WITHOUT_PURGE = "ask its owner for a table or a version without it"
_FIXES = {
    "columnMapping": "ask its owner to write it without column mapping (delta.columnMapping.mode = none)",
}
_DELETED_FILES = "delta.deletedFileRetentionDuration"
_DEFAULT_RETENTION = timedelta(days=7)
"""What Delta keeps where a table says nothing."""
_A_DAY = timedelta(days=1)


class ExternalReadingsTable(DeltaVersions):
    """Reads a wide or long table as circuits with sensors; see `ReadingsTable`."""

    missing_fix = "check the `path` of the data source"

    def __init__(
        self, location: Path | str, mapping: TableMapping, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(location, options)
        self._mapping = mapping

    def circuits(self, version: int) -> Sequence[CircuitKey]:
        """See `ReadingsTable`; plants and circuits whose names cannot be ids are left out."""
        opened = self._opened(version)
        if self._mapping.by_tag:
            return sorted({key for key, _ in self._mapping.tags})
        columns = [self._mapping.column(name) for name in self._mapping.key_columns]
        if not columns:
            return [CircuitKey(self._mapping.plant_id, self._mapping.circuit_id)]
        rows = self._collected(
            opened.scan.select(pl.col(name).cast(pl.String) for name in columns).unique(), version
        )
        found = set()
        for row in rows.iter_rows():
            said = dict(zip(self._mapping.key_columns, row, strict=True))
            key = _key(said.get(PLANT, self._mapping.plant_id), said.get(CIRCUIT, self._mapping.circuit_id))
            if key is not None:
                found.add(key)
        return sorted(found)

    def sensors(self, version: int) -> tuple[str, ...]:
        """See `ReadingsTable`."""
        opened = self._opened(version)
        if self._mapping.by_tag:
            return tuple(sorted({sensor for _, sensor in self._mapping.tags}))
        if self._mapping.layout is Layout.LONG:
            if self._mapping.sensors:
                return tuple(sorted(self._mapping.sensors.values()))
            column = self._mapping.column(SENSOR)
            rows = self._collected(opened.scan.select(pl.col(column).cast(pl.String)).unique(), version)
            return tuple(sorted(name for name in rows[column] if name is not None))
        known = {self._mapping.column(name) for name in (TIMESTAMP, *self._mapping.key_columns)}
        return tuple(
            sorted(
                self._mapping.sensors.get(name, name)
                for name, kind in opened.columns.items()
                if name not in known and kind.is_numeric()
            )
        )

    def columns(self, version: int) -> tuple[str, ...] | None:
        """See `ReadingsTable`."""
        mapping = self._mapping
        known = mapping.by_tag or mapping.layout is not Layout.LONG or bool(mapping.sensors)
        return self.sensors(version) if known else None

    def read(self, wanted: Sequence[ReadingsWanted], version: int) -> Iterator[Readings]:
        """See `ReadingsTable`."""
        opened = self._opened(version)
        ordered = sorted(wanted, key=lambda want: want.key)
        for start in range(0, len(ordered), CIRCUITS_PER_PASS):
            batch = ordered[start : start + CIRCUITS_PER_PASS]
            if self._mapping.layout is Layout.LONG:
                yield from self._read_long(opened, batch, version)
            else:
                yield from self._read_wide(opened, batch, version)

    def expires_at(self, version: int) -> datetime | None:
        """When the clean-up of the table's owner may remove files that this version needs."""
        known = {entry.version: entry.committed_at for entry in self.versions()}
        superseded = known.get(version + 1)
        if superseded is None:
            return None
        configured = self._at(version).metadata().configuration.get(_DELETED_FILES, "")
        return superseded + _interval(configured)

    # ── opening ──

    def _opened(self, version: int) -> _Opened:
        table = self._at(version)
        self._check_features(table)
        scan = pl.scan_delta(table)
        opened = _Opened(str(self._location), version, scan, dict(scan.collect_schema()))
        mapping = self._mapping
        for name in mapping.key_columns:
            opened.column(mapping.column(name), name)
        opened.zone = self._zone(opened)
        if mapping.layout is Layout.LONG:
            opened.column(mapping.column(SENSOR), SENSOR)
            opened.number(mapping.column(VALUE), VALUE)
        return opened

    def _check_features(self, table: DeltaTable) -> None:
        protocol = table.protocol()
        features = set(protocol.reader_features or ())
        mode = table.metadata().configuration.get("delta.columnMapping.mode", "none")
        if mode != "none":
            features.add("columnMapping")
        for feature in sorted(features - _READABLE):
            if feature == "columnMapping" and mode == "none":
                continue
            raise BadInput(
                f"the table at {self._location} uses the Delta feature {feature}, which cannot be read here",
                fix=_FIXES.get(feature, _WITHOUT_PURGE),
            )

    def _zone(self, opened: _Opened) -> str:
        """The zone of the table's times; empty where they carry one."""
        name = self._mapping.column(TIMESTAMP)
        kind = opened.column(name, TIMESTAMP)
        if not isinstance(kind, pl.Datetime):
            raise opened.wrong(name, kind, "a timestamp")
        if kind.time_zone is not None:
            if self._mapping.time_zone not in ("", "UTC"):
                raise BadInput(
                    f"{opened.where}: the times in {name!r} say themselves when they are, in UTC",
                    fix="remove `time_zone` from the data source",
                )
            return ""
        if not self._mapping.time_zone:
            raise BadInput(
                f"{opened.where}: the times in {name!r} are local times that do not say of which zone",
                fix="write `time_zone: Europe/Berlin`, or whichever it is, for the data source",
            )
        return self._mapping.time_zone

    # ── reading ──

    def _scan(self, opened: _Opened, batch: Sequence[ReadingsWanted]) -> pl.LazyFrame:
        """The rows between the first start and the last end, with `time` in microseconds since 1970, UTC."""
        column = pl.col(self._mapping.column(TIMESTAMP))
        first, last = min(want.start for want in batch), max(want.end for want in batch)
        if not opened.zone:
            rows = opened.scan.filter(column >= first, column < last)
            return rows.with_columns(time=column.dt.epoch("us"))
        low, high = ((moment.replace(tzinfo=None)) for moment in (first - _A_DAY, last + _A_DAY))
        local = column.dt.replace_time_zone(opened.zone, ambiguous="null", non_existent="null")
        rows = opened.scan.filter(column >= low, column < high)
        return rows.with_columns(time=local.dt.convert_time_zone("UTC").dt.epoch("us")).filter(
            pl.col("time").is_not_null()
        )

    def _read_wide(
        self, opened: _Opened, batch: Sequence[ReadingsWanted], version: int
    ) -> Iterator[Readings]:
        mapping = self._mapping
        theirs = {want.key: {name: mapping.theirs(want.key, name) for name in want.sensors} for want in batch}
        held = sorted(
            {name for names in theirs.values() for name in names.values() if name in opened.columns}
        )
        for name in held:
            opened.number(name, next(o for names in theirs.values() for o, t in names.items() if t == name))
        places = [_Place(want.key, "") for want in batch if mapping.may_hold(want.key)]
        values = {f"={name}": pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in held}
        found = self._grouped(opened, batch, places, values, version)
        for want in batch:
            rows = found.get(_Place(want.key, ""))
            series = {}
            for ours, name in theirs[want.key].items():
                if rows is not None and name in held:
                    said = ~np.isnan(rows[f"={name}"]) if mapping.by_tag else slice(None)
                    series[ours] = (rows["time"][said], rows[f"={name}"][said])
            yield _joined(want, series)

    def _read_long(
        self, opened: _Opened, batch: Sequence[ReadingsWanted], version: int
    ) -> Iterator[Readings]:
        mapping = self._mapping
        places = {
            (want.key, sensor): _Place(want.key, theirs)
            for want in batch
            for sensor in want.sensors
            if mapping.may_hold(want.key) and (theirs := mapping.theirs(want.key, sensor))
        }
        value = {"value": pl.col(mapping.column(VALUE)).cast(pl.Float64)}
        found = self._grouped(opened, batch, list(places.values()), value, version)
        for want in batch:
            series = {}
            for sensor in want.sensors:
                rows = found.get(places[want.key, sensor]) if (want.key, sensor) in places else None
                if rows is not None:
                    series[sensor] = (rows["time"], rows["value"])
            yield _joined(want, series)

    def _grouped(
        self,
        opened: _Opened,
        batch: Sequence[ReadingsWanted],
        places: Sequence[_Place],
        values: Mapping[str, pl.Expr],
        version: int,
    ) -> dict[_Place, Mapping[str, npt.NDArray[Any]]]:
        """The rows of each place in the order of their times: `time` and the values.

        Each key column becomes the number of its value while it is scanned, and the numbers together one code: text
        that is kept until the rows are grouped would take several times as long and as much memory.
        """
        if not places:
            return {}
        keys = {
            self._mapping.column(name): [getattr(place.key, name.removesuffix("_id")) for place in places]
            for name in self._mapping.key_columns
        }
        if self._mapping.layout is Layout.LONG:
            keys[self._mapping.column(SENSOR)] = [place.theirs for place in places]
        rows = self._scan(opened, batch)
        code, codes = pl.lit(0, dtype=pl.UInt32), np.zeros(len(places), np.int64)
        for name, said in keys.items():
            known = sorted(set(said))
            kind = opened.columns[name]
            rows = rows.filter(pl.col(name).is_in(pl.Series(known).cast(kind, strict=False).drop_nulls()))
            text = pl.col(name) if kind == pl.String else pl.col(name).cast(pl.String)
            number = text.cast(pl.Enum(known), strict=False).to_physical().cast(pl.UInt32)
            code = code * len(known) + number
            at = {value: index for index, value in enumerate(known)}
            codes = codes * len(known) + np.array([at[value] for value in said])
        columns = {"time": pl.col("time"), **values}
        coded = rows.select(slot=code, **columns).filter(pl.col("slot").is_not_null())
        if self._mapping.layout is Layout.LONG:  # a reading without a value says nothing
            coded = coded.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
        grouped = coded.group_by("slot").agg(*columns)
        frame = self._collected(grouped, version)
        rows_of = {slot: index for index, slot in enumerate(frame["slot"].to_list())}
        return {
            place: _in_order({name: frame[name][rows_of[slot]].to_numpy() for name in columns})
            for place, slot in zip(places, codes.tolist(), strict=True)
            if slot in rows_of
        }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where rows belong: to a circuit; in a long table, to one sensor of it, by its name there."""

    key: CircuitKey
    theirs: str


class _Opened:
    """One version of a table, with its columns."""

    def __init__(
        self, location: str, version: int, scan: pl.LazyFrame, columns: Mapping[str, pl.DataType]
    ) -> None:
        self.scan = scan
        self.columns = columns
        self.where = f"version {version} of the table at {location}"
        self.zone = ""

    def column(self, name: str, ours: str) -> pl.DataType:
        """The type of a column that must be there."""
        if name not in self.columns:
            raise BadInput(
                f"{self.where} has no column {name!r} for {ours}",
                fix=f"name one of {', '.join(list(self.columns)[:20])} in `columns:`, or pin a version that has it",
            )
        return self.columns[name]

    def number(self, name: str, ours: str) -> None:
        """Make sure that a column holds numbers."""
        kind = self.column(name, ours)
        if not kind.is_numeric():
            raise self.wrong(name, kind, "numbers")

    def wrong(self, name: str, kind: pl.DataType, wanted: str) -> BadInput:
        return BadInput(
            f"{self.where}: the column {name!r} holds {kind}, not {wanted}",
            fix="name another column in the data source, or pin a version where it does",
        )


def _in_order(rows: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, npt.NDArray[Any]]:
    times = rows["time"]
    if len(times) < 2 or not (times[1:] < times[:-1]).any():
        return rows
    order = np.argsort(times, kind="stable")
    return {name: column[order] for name, column in rows.items()}


Series = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _joined(want: ReadingsWanted, series: Mapping[str, Series]) -> Readings:
    """One circuit's sensors on common times, cut to its window; rows that say the same twice count once."""
    first, last = _micros(want.start), _micros(want.end)
    conflict = ""
    cut: dict[str, Series] = {}
    for name, (times, values) in series.items():
        low, high = np.searchsorted(times, [first, last])
        cut[name], doubt = _unique(times[low:high], values[low:high])
        conflict = conflict or (doubt and f"{name}: {doubt}")
    lines = [times for times, _ in cut.values()]
    if not lines:
        common = np.empty(0, np.int64)
    elif all(len(line) == len(lines[0]) and (line == lines[0]).all() for line in lines[1:]):
        common = lines[0]
    else:
        common = np.unique(np.concatenate(lines))
    values = np.full((len(common), len(want.sensors)), np.nan)
    for column, name in enumerate(want.sensors):
        if name in cut:
            times, found = cut[name]
            at = slice(None) if len(times) == len(common) else np.searchsorted(common, times)
            values[at, column] = found
    absent = frozenset(name for name in want.sensors if name not in series)
    return Readings(want.key, want.sensors, absent, np.ascontiguousarray(common), values, conflict)


def _unique(times: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> tuple[Series, str]:
    """Each time once; and what is wrong where one has two values."""
    repeated = np.append(False, times[1:] == times[:-1])
    if not repeated.any():
        return (times, values), ""
    before = np.append(np.nan, values[:-1])
    differs = repeated & ~((values == before) | (np.isnan(values) & np.isnan(before)))
    doubt = ""
    if differs.any():
        at = int(np.argmax(differs))
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(times[at]))
        doubt = (
            f"{int(differs.sum())} times have two different values, first {moment:%Y-%m-%d %H:%M:%S} UTC: "
            f"{min(before[at], values[at]):g} and {max(before[at], values[at]):g}"
        )
    return (times[~repeated], values[~repeated]), doubt


def _key(plant: object, circuit: object) -> CircuitKey | None:
    try:
        return CircuitKey(checked_id(PLANT, str(plant)), checked_id(CIRCUIT, str(circuit)))
    except BadInput:
        return None


def _interval(text: str) -> timedelta:
    """A Delta interval such as `interval 7 days`."""
    number, _, unit = text.removeprefix("interval ").partition(" ")
    length = {"week": 7 * _A_DAY, "day": _A_DAY, "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
    known = length.get(unit.rstrip("s"))
    return int(number) * known if known is not None and number.isdigit() else _DEFAULT_RETENTION


def _micros(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + moment.microsecond
