"""The table of what monitoring saw, kept in Delta Lake: files first, then one commit names them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.delta.adding import Partition, PutFile, added, write_part
from fleetcast.platforms.delta.merging import HOOKS, RETENTION
from fleetcast.platforms.delta.opening import DeltaVersions
from fleetcast.platforms.delta.syncing import sync_version
from fleetcast.platforms.delta.vacuuming import vacuumed
from fleetcast.ports.forecasts import WrittenPart

_MOMENT = pl.Datetime("us", "UTC")
_PARTITION: Mapping[str, Any] = {"environment": pl.String, "day": pl.Date}
COLUMNS: Mapping[str, Any] = {
    "at": _MOMENT,
    "signal": pl.String,
    "plant_id": pl.String,
    "circuit_id": pl.String,
    "sensor": pl.String,
    "outcome": pl.String,
    "value": pl.Float64,
    "threshold": pl.Float64,
    "unit": pl.String,
    "p_value": pl.Float64,
    "impact": pl.Float64,
    "model": pl.String,
    "detail": pl.String,
}
"""Besides those that it is partitioned by; see `ObservationTable`."""
_THING = ("signal", "plant_id", "circuit_id", "sensor", "unit")
"""What was looked at."""
_BOUNDED = ("plant_id", "signal", "outcome")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD_AT = "fleetcast.look"


class DeltaObservationTable(DeltaVersions):
    """Keeps observations partitioned by environment and day; see `ObservationTable`.

    The log remembers up to when the newest look at each environment saw, as a transaction of an application.
    """

    table_name = "table of observations"
    missing_fix = "look at an environment first: `fleetcast monitor`"

    def __init__(self, location: Path | str, put: PutFile) -> None:
        """Name the table.

        Args:
            location: Its folder or URI.
            put: Keeps its files.
        """
        super().__init__(location)
        self._put = put

    def write(
        self, environment: EnvironmentName, at: datetime, observations: Sequence[Observation]
    ) -> WrittenPart:
        """See `ObservationTable`."""
        rows = pl.DataFrame([_row(one, at) for one in observations], schema=COLUMNS, orient="row")
        # Those that were breached stand together: who looks for them reads past the others.
        rows = rows.sort("outcome", maintain_order=True)
        return write_part(self._location, self._put, _of(environment, at), rows, _BOUNDED)

    def publish(self, environment: EnvironmentName, at: datetime, parts: Sequence[WrittenPart]) -> bool:
        """See `ObservationTable`."""
        told = Transaction(_application(environment), _micros(at))
        properties = CommitProperties(custom_metadata={_TOLD_AT: at.isoformat()}, app_transactions=[told])
        table = self._open_or_none()
        actions: list[AddAction | RemoveAction] = [added(_of(environment, at), part) for part in parts]
        version = 0
        try:
            if table is None:
                create_table_with_add_actions(
                    self._location.to_write([]),
                    self._schema(),
                    [added(_of(environment, at), part) for part in parts],
                    mode="error",
                    partition_by=list(_PARTITION),
                    configuration=RETENTION,
                    storage_options=self._options,
                    commit_properties=properties,
                    post_commithook_properties=HOOKS,
                )
            elif (table.transaction_version(told.app_id) or 0) >= told.version:
                return False
            else:
                table.create_write_transaction(
                    actions,
                    "append",
                    self._schema(),
                    partition_by=list(_PARTITION),
                    commit_properties=properties,
                    post_commithook_properties=HOOKS,
                )
                version = self._open().version()
        except (DeltaError, OSError) as error:
            raise Unavailable(
                f"what was seen at {self._location} cannot be stored, readers see what they saw: "
                f"{self._said(error)}",
                fix="check the disk and its rights, then run the same command again",
            ) from error
        if self._location.folder is not None:
            sync_version(self._location.folder, version)
        return True

    def newest(self, environment: EnvironmentName) -> datetime | None:
        """See `ObservationTable`."""
        table = self._open_or_none()
        told = None if table is None else table.transaction_version(_application(environment))
        return None if told is None else _EPOCH + timedelta(microseconds=told)

    def breached(self, environment: EnvironmentName, start: datetime, end: datetime) -> Sequence[Observation]:
        """See `ObservationTable`."""
        table = self._open_or_none()
        if table is None:
            return []
        lazy = _breached(table, environment, start, end).select(*COLUMNS)
        return _in_order(environment, self._collected(lazy, table.version()))

    def remembered(
        self, environment: EnvironmentName, start: datetime, end: datetime, recent: datetime
    ) -> Sequence[Observation]:
        """See `ObservationTable`."""
        table = self._open_or_none()
        if table is None:
            return []
        # Weeks of looks at a large fleet are millions of rows: they never are in memory at the same time.
        lazy = _breached(table, environment, start, end).select(pl.exclude("detail", *_PARTITION))
        at, chance = pl.col("at"), pl.col("p_value")
        ends = lazy.group_by(_THING).agg(at.min().alias("first"), at.max().alias("last"))
        tested = lazy.filter(at >= recent, chance.is_not_null())
        surest = tested.group_by(_THING).agg(at.sort_by(chance, at).first())
        unpivoted = ends.unpivot(["first", "last"], index=_THING, value_name="at").drop("variable")
        wanted = pl.concat([unpivoted, surest]).unique()
        chosen = lazy.join(wanted, on=[*_THING, "at"], how="semi", nulls_equal=True)
        rows = self._collected(chosen.with_columns(pl.lit("{}").alias("detail")), table.version())
        return _in_order(environment, rows)

    def vacuum(self, older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """See `ObservationTable`."""
        return vacuumed(self, self._open_or_none(), (), older_than, dry_run=dry_run)

    def _schema(self) -> Schema:
        return Schema.from_arrow(pl.Schema({**COLUMNS, **_PARTITION}))


def _breached(
    table: DeltaTable, environment: EnvironmentName, start: datetime, end: datetime
) -> pl.LazyFrame:
    return pl.scan_delta(table).filter(
        pl.col("environment") == environment.value,
        pl.col("day").is_between(start.date(), end.date()),
        pl.col("outcome") == Outcome.BREACHED.value,
        pl.col("at") >= start,
        pl.col("at") < end,
    )


def _in_order(environment: EnvironmentName, rows: pl.DataFrame) -> Sequence[Observation]:
    keys = ["at", "plant_id", "circuit_id", "sensor", "signal"]
    return [_observation(environment, row) for row in rows.sort(keys).iter_rows(named=True)]


def _of(environment: EnvironmentName, at: datetime) -> Partition:
    return {"environment": environment.value, "day": _day(at).isoformat()}


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _application(environment: EnvironmentName) -> str:
    return f"fleetcast monitor {environment}"


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _row(one: Observation, at: datetime) -> tuple[object, ...]:
    return (
        at,
        one.signal.value,
        one.plant,
        one.circuit,
        one.sensor,
        one.outcome.value,
        one.value,
        one.threshold,
        one.unit,
        one.p_value,
        one.impact,
        one.model,
        canonical_json(dict(one.detail)),
    )


def _observation(environment: EnvironmentName, row: Mapping[str, Any]) -> Observation:
    return Observation(
        signal=Signal(row["signal"]),
        environment=environment,
        plant=row["plant_id"],
        circuit=row["circuit_id"],
        sensor=row["sensor"],
        at=row["at"],
        outcome=Outcome(row["outcome"]),
        value=row["value"],
        threshold=row["threshold"],
        unit=row["unit"],
        p_value=row["p_value"],
        impact=row["impact"],
        model=row["model"],
        detail=json.loads(row["detail"]) if row["detail"] != "{}" else {},
    )
