"""Stage 4: check, fingerprint and register the data of every circuit, and pin its snapshot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.plan import Reuse, UpToDate
from fleetcast.domain.quality import QualityVerdict, judge, kind_of_reason, without_columns
from fleetcast.domain.run import Ending
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.wording import counted
from fleetcast.forecasting.family import needed_steps
from fleetcast.forecasting.profile import profile
from fleetcast.forecasting.resampling import instant
from fleetcast.pipeline.concurrently import in_order
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.situation import Progress, Situation, actions, data_digest_of
from fleetcast.ports.assets import DataAssets
from fleetcast.ports.frozen_rows import FrozenRows
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted, VersionGone

_AT_ONCE = 200
"""Assets registered in one transaction: a crash repeats at most the checks of so many circuits."""


@dataclass(frozen=True, slots=True)
class DataRegistered:
    """What stage 4 found: every circuit's data asset, and which of them are new."""

    assets: tuple[DataAsset, ...]
    new: int

    @property
    def ending(self) -> Ending:
        """Always done: unfit data is reported, not a failure."""
        return Ending.DONE

    @property
    def blocked(self) -> tuple[DataAsset, ...]:
        """The circuits that cannot be trained on their data."""
        return tuple(asset for asset in self.assets if asset.blocked)

    @property
    def says(self) -> str:
        """One line for people."""
        unfit = f", {len(self.blocked)} unfit to train on ({self.reasons})" if self.blocked else ""
        return f"{counted(len(self.assets), 'circuit')}, {self.new} newly checked{unfit}{self._partial}"

    @property
    def reasons(self) -> str:
        """Why circuits are unfit: of one its reason in full, of more how many there are of each kind."""
        if len(self.blocked) == 1:
            return f"{self.blocked[0].key}: {self.blocked[0].blocked}"
        kinds = Counter(kind_of_reason(asset.blocked) for asset in self.blocked)
        return ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())

    @property
    def _partial(self) -> str:
        """Sensors that are left out though their circuit is trained, with the first of them."""
        gone = [
            f"{asset.key}: {left_out.sensor}"
            for asset in self.assets
            if not asset.blocked
            for left_out in asset.verdict.left_out
        ]
        return f", {counted(len(gone), 'unfit sensor')} left out ({gone[0]})" if gone else ""

    def document(self) -> Json:
        """For `data_assets.json`."""
        return {"data_assets": [_document(asset) for asset in self.assets]}


@dataclass(frozen=True, slots=True)
class RegisterData:
    """Read what is not known yet in one pass per table version, judge it, and keep the rows to train on."""

    index: ReadIndex
    data: DataAssets
    tables: Mapping[str, ReadingsTable]
    frozen: FrozenRows
    threads: int
    """Circuits checked at the same time."""

    def run(self, situation: Situation) -> DataRegistered:
        """Check the data of every circuit that has not been checked."""
        circuits = situation.circuits
        digests = {circuit.key: data_digest_of(circuit) for circuit in circuits}
        held = self.data.held(list(digests.values()))
        unknown = [
            circuit
            for circuit, action in actions(circuits, self.index(), self.data)
            if digests[circuit.key] not in held and not isinstance(action, UpToDate | Reuse)
        ]
        check_versions(unknown, self.tables)
        new: list[DataAsset] = []
        for asset in in_order(self._check, read_training_rows(unknown, self.tables), self.threads):
            new.append(asset)
            situation.report(Progress(len(new), len(unknown), note=str(asset.key)))
            if len(new) % _AT_ONCE == 0:
                self.data.register(new[-_AT_ONCE:])
        self.data.register(new[len(new) - len(new) % _AT_ONCE :])
        known = {asset.digest: asset for asset in (*held.values(), *new)}
        assets = tuple(known[digests[circuit.key]] for circuit in circuits if digests[circuit.key] in known)
        return DataRegistered(assets, len(new))

    def _check(self, read: tuple[Circuit, Readings]) -> DataAsset:
        circuit, readings = read
        verdict = judged(circuit, readings, self.tables[circuit.data_source])
        fingerprint = readings.fingerprint()
        if not verdict.blocked:
            self.frozen.freeze(readings, fingerprint)
        return DataAsset(
            digest=data_digest_of(circuit),
            name=f"{circuit.model_name}-data",
            key=circuit.key,
            source=circuit.data_source,
            delta_version=circuit.delta_version,
            start=circuit.window_start,
            end=circuit.cutoff.end,
            sensors=readings.sensors,
            rows=len(readings.times),
            first=_moment(readings.times[:1]),
            last=_moment(readings.times[-1:]),
            fingerprint=fingerprint,
            verdict=verdict,
        )


def judged(circuit: Circuit, readings: Readings, table: ReadingsTable) -> QualityVerdict:
    """Which sensors of a circuit may be trained on its rows, or why none may.

    Args:
        circuit: As declared.
        readings: Its rows in the training window.
        table: Where they are from.
    """
    columns = table.sensors(circuit.delta_version) if readings.absent else ()
    # Without a reading here, but known elsewhere: that is a matter of the sensor.
    absent = readings.absent.difference(columns)
    measured = profile(
        readings.times,
        readings.values,
        readings.sensors,
        circuit.frequency,
        circuit.sensor_limits,
        circuit.cleaning,
        absent=absent,
    )
    verdict = judge(
        measured,
        circuit.cleaning,
        targets=circuit.targets,
        columns=columns,
        needed_steps=needed_steps(circuit.family, circuit.hyperparameters, circuit.steps),
    )
    if readings.conflict:
        return replace(verdict, blocked=f"the table contradicts itself: {readings.conflict}")
    return verdict


def check_versions(circuits: Iterable[Circuit], tables: Mapping[str, ReadingsTable]) -> None:
    """Make sure that the table versions the circuits name exist.

    Raises:
        BadInput: One does not; the text names its circuits and the versions there are.
    """
    asking: defaultdict[tuple[str, int], list[CircuitKey]] = defaultdict(list)
    for circuit in circuits:
        asking[circuit.data_source, circuit.delta_version].append(circuit.key)
    for source in {source for source, _ in asking}:
        latest = tables[source].latest_version()
        for (name, version), keys in asking.items():
            if name != source or (latest is not None and version <= latest):
                continue
            who = _who(keys)
            if latest is None:
                raise BadInput(
                    f"data source {source!r} holds no readings yet, but {who} should train on it",
                    fix="write some with `fleetcast ingest` or `fleetcast simulate`",
                )
            raise BadInput(
                f"delta_version {version} of {who} does not exist; {source!r} has versions 0 to {latest}",
                fix=f"set `delta_version` to at most {latest}; see `fleetcast data versions`",
            )


def missing_columns(
    circuits: Iterable[Circuit], tables: Mapping[str, ReadingsTable]
) -> dict[CircuitKey, str]:
    """The circuits that declare a sensor which their table does not have, and what to write; no row is read."""
    columns: dict[tuple[str, int], Sequence[str] | None] = {}
    found = {}
    for circuit in circuits:
        place = circuit.data_source, circuit.delta_version
        if place not in columns:
            columns[place] = tables[circuit.data_source].columns(circuit.delta_version)
        known = columns[place]
        if known is not None and (said := without_columns(circuit.features, known)):
            found[circuit.key] = said
    return found


def expiring(
    circuits: Iterable[Circuit], tables: Mapping[str, ReadingsTable], held: Collection[Digest], now: datetime
) -> list[str]:
    """Which table versions may be cleaned up by somebody else before their rows are frozen, and when.

    Args:
        circuits: Those that are to be trained.
        tables: By data source.
        held: Digests of the data that is checked and frozen already.
        now: The present, aware UTC.
    """
    asking: defaultdict[tuple[str, int], list[CircuitKey]] = defaultdict(list)
    for circuit in circuits:
        if circuit.source_mapping and data_digest_of(circuit) not in held:
            asking[circuit.data_source, circuit.delta_version].append(circuit.key)
    found = []
    for (source, version), keys in sorted(asking.items()):
        expires_at = tables[source].expires_at(version)
        if expires_at is None:
            continue
        days = (expires_at - now) / timedelta(days=1)
        left = f"in {days:.0f} days" if days >= 1 else "today" if days > 0 else "at any time"
        found.append(
            f"version {version} of {source!r} may be cleaned up by its owner {left}: train {_who(keys)} before, "
            "which keeps the rows, or `fleetcast data pin` a newer version"
        )
    return found


def _who(keys: Sequence[CircuitKey]) -> str:
    """The first few of some circuits, and how many more."""
    shown = ", ".join(str(key) for key in keys[:3])
    return shown + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def read_training_rows(
    circuits: Sequence[Circuit], tables: Mapping[str, ReadingsTable]
) -> Iterable[tuple[Circuit, Readings]]:
    """Read the training rows of many circuits: one pass for each version of each table."""
    groups: defaultdict[tuple[str, int], list[Circuit]] = defaultdict(list)
    for circuit in circuits:
        groups[circuit.data_source, circuit.delta_version].append(circuit)
    for (source, version), members in groups.items():
        by_key = {circuit.key: circuit for circuit in members}
        wanted = [
            ReadingsWanted(circuit.key, circuit.features, circuit.window_start, circuit.cutoff.end)
            for circuit in members
        ]
        try:
            for readings in tables[source].read(wanted, version):
                yield by_key[readings.key], readings
        except VersionGone as error:
            raise BadInput(f"{error}; {_who(list(by_key))} should train on it", fix=error.fix) from error


def freeze_again(
    circuits: Sequence[tuple[Circuit, Digest]], tables: Mapping[str, ReadingsTable], frozen: FrozenRows
) -> None:
    """Bring back frozen rows that are gone, from the pinned version of their table.

    Raises:
        BadInput: The table does not give the rows that were registered any more.
    """
    gone = {
        circuit.key: (circuit, fingerprint)
        for circuit, fingerprint in circuits
        if not frozen.holds(fingerprint)
    }
    for circuit, readings in read_training_rows([circuit for circuit, _ in gone.values()], tables):
        expected = gone[circuit.key][1]
        found = readings.fingerprint()
        if found != expected:
            raise BadInput(
                f"the training rows of {circuit.key} were {expected} when they were checked and are {found} now",
                fix="the data source has lost its history: pin another `delta_version`",
            )
        frozen.freeze(readings, found)


def _moment(times: npt.NDArray[np.int64]) -> datetime | None:
    return instant(int(times[0])) if len(times) else None


def _document(asset: DataAsset) -> Json:
    return {
        "name": asset.name,
        "plant_id": asset.key.plant,
        "circuit_id": asset.key.circuit,
        "digest": asset.digest.hex,
        "source": asset.source,
        "delta_version": asset.delta_version,
        "rows": asset.rows,
        "first": asset.first.isoformat() if asset.first else None,
        "last": asset.last.isoformat() if asset.last else None,
        "schema": dict.fromkeys(asset.sensors, "float64"),
        "fingerprint": asset.fingerprint.hex,
        "usable": list(asset.verdict.usable),
        "left_out": {gone.sensor: gone.reason for gone in asset.verdict.left_out},
        "warnings": list(asset.verdict.warnings),
        "blocked": asset.blocked or None,
    }
