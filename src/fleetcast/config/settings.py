"""`fleetcast.yaml` in, `Settings` out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fleetcast.config.complaints import Complaints, looks_like, nearest, shown
from fleetcast.config.layers import thresholds
from fleetcast.config.paths import inside
from fleetcast.config.settings_schema import (
    DataSourceWritten,
    ExpectationsWritten,
    GateWritten,
    RetentionWritten,
    SettingsWritten,
)
from fleetcast.config.validation import validated
from fleetcast.config.yaml_nodes import Block, Node, kind_of
from fleetcast.domain.errors import BadInput, InvalidFleet
from fleetcast.domain.foreign import ForeignLimits
from fleetcast.domain.gate import DEFAULT_GATES, Gate, GatePolicy
from fleetcast.domain.identity import checked_id
from fleetcast.domain.location import Location
from fleetcast.domain.settings import (
    DEFAULT_ENVIRONMENTS,
    DEFAULT_RETENTION,
    Channel,
    DataSource,
    DataSourceKind,
    EnvironmentName,
    EnvironmentSettings,
    PlatformSettings,
    Polling,
    Ramp,
    Retention,
    Settings,
)
from fleetcast.domain.table_mapping import Layout, TableMapping

SETTINGS_FILE = "fleetcast.yaml"
_SCHEDULED = ("plan", "train", "score", "monitor", "retention")
_CRON_FIELD = re.compile(r"[0-9*,/-]{1,100}")


def read_settings(root: Node | None, directory: Path, complaints: Complaints) -> Settings:
    """Settings with defaults for what is not written or could not be read."""
    if root is None:
        return Settings()
    if not isinstance(root, Block):
        complaints.add(SETTINGS_FILE, root.line, f"the file must be a mapping, not {kind_of(root)}")
        return Settings()
    written, _refused = validated(SettingsWritten, root, SETTINGS_FILE, complaints)
    return _Reading(root, written or SettingsWritten(), directory, complaints).settings()


def adopted_sources(block: Block, file: str, directory: Path) -> Mapping[str, DataSource]:
    """Data sources that are written in a file of their own, or in a mapping.

    Raises:
        InvalidFleet: With every mistake, at its line in that file.
    """
    complaints, root = Complaints(), Block(block.line)
    root["data_sources"] = block
    root.key_lines["data_sources"] = block.line
    settings = read_settings(root, directory, complaints)
    try:
        complaints.raise_any()
    except InvalidFleet as invalid:
        raise InvalidFleet([replace(each, file=file) for each in invalid.complaints]) from invalid
    return settings.data_sources


class _Reading:
    """One reading of the settings, with the lines at hand for what domain values refuse."""

    def __init__(
        self, root: Block, written: SettingsWritten, directory: Path, complaints: Complaints
    ) -> None:
        self._root = root
        self._written = written
        self._directory = directory
        self._complaints = complaints

    def settings(self) -> Settings:
        written = self._written
        environments = {
            name: self._expected(name, getattr(written.environments, name) if written.environments else None)
            for name in EnvironmentName
        }
        retention = {
            name: _retention(name, getattr(written.retention, name) if written.retention else None)
            for name in EnvironmentName
        }
        plain = Settings()
        return Settings(
            registry=written.registry or plain.registry,
            platform=self._platform(),
            data_sources=self._data_sources() or plain.data_sources,
            environments=environments,
            gates=self._gates(),
            polling=self._polling(),
            ramp=self._ramp(),
            retention=retention,
            foreign=self._foreign(),
            channels=self._channels(),
            schedules=self._schedules(),
        )

    def _refuse(self, error: BadInput, *path: str) -> None:
        self._complaints.add(SETTINGS_FILE, self._line(*path), f"`{'.'.join(path)}`: {error}", error.fix)

    def _line(self, *path: str) -> int:
        node: Node = self._root
        line = node.line
        for key in path:
            if not isinstance(node, Block) or key not in node:
                break
            line, node = node.line_of(key), node[key]
        return line

    def _platform(self) -> PlatformSettings:
        plain, written = PlatformSettings(), self._written.platform
        if written is None:
            return plain
        state = plain.state
        if written.state is not None:
            try:
                state = inside(self._directory, written.state)
            except BadInput as error:
                self._refuse(error, "platform", "state")
        given = PlatformSettings(
            kind=written.kind or plain.kind,
            state=state,
            workers=written.workers,
            max_parallel=written.max_parallel or plain.max_parallel,
            batch_size=written.batch_size or plain.batch_size,
        )
        if written.lease is not None:
            try:
                given = replace(given, lease=written.lease)
            except BadInput as error:
                self._refuse(error, "platform", "lease")
        if written.storage is not None:
            try:
                given = replace(given, storage=Location(written.storage))
            except BadInput as error:
                self._refuse(error, "platform", "storage")
        return given

    def _data_sources(self) -> Mapping[str, DataSource]:
        sources: dict[str, DataSource] = {}
        seen: dict[str, str] = {}
        for name, written in (self._written.data_sources or {}).items():
            try:
                checked_id("data source", name)
                sources[name] = self._data_source(name, written)
            except BadInput as error:
                self._refuse(error, "data_sources", name)
                sources[name] = DataSource(
                    "refused"
                )  # so that circuits that name it are not complained of too
            other = seen.setdefault(looks_like(name), name)
            if other != name:
                alike = BadInput(f"looks like {other!r}", fix="rename one of the two")
                self._refuse(alike, "data_sources", name)
        return sources

    def _data_source(self, name: str, written: DataSourceWritten) -> DataSource:
        """One source.

        Raises:
            BadInput: What is written does not fit together.
        """
        kind = written.kind or DataSource(name).kind
        if kind is DataSourceKind.DELTA:
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
            return DataSource(name, kind, address=address, mapping=mapping)
        foreign = written.model_fields_set - {"kind", "path"}
        if foreign:
            raise BadInput(
                f"{', '.join(sorted(foreign))}: fleetcast's own table has one form", fix="write kind: delta"
            )
        path = DataSource(name).path if written.path is None else inside(self._directory, written.path)
        return DataSource(name, kind, path)

    def _expected(self, name: EnvironmentName, written: ExpectationsWritten | None) -> EnvironmentSettings:
        plain = DEFAULT_ENVIRONMENTS[name]
        if written is None:
            return plain
        numbers = ("data_drift", "model_drift", "latency_ms", "error_rate", "availability")
        said = {number: getattr(written, number) for number in numbers}
        return EnvironmentSettings(
            thresholds(written.thresholds, plain.thresholds),
            **{number: getattr(plain, number) if value is None else value for number, value in said.items()},
        )

    def _gates(self) -> Mapping[Gate, GatePolicy]:
        gates = dict(DEFAULT_GATES)
        known = [gate.value for gate in Gate]
        for name, written in (self._written.gates or {}).items():
            if name not in known:
                line = self._line("gates", name)
                self._complaints.add(SETTINGS_FILE, line, f"unknown gate {shown(name)}", nearest(name, known))
                continue
            try:
                gates[Gate(name)] = _policy(DEFAULT_GATES[Gate(name)], written)
            except BadInput as error:
                self._refuse(error, "gates", name)
        return gates

    def _polling(self) -> Polling:
        plain, written = Polling(), self._written.polling
        if written is None:
            return plain
        start = written.start or plain.start
        try:
            return Polling(start, written.max or max(plain.pause, start), written.longest or plain.longest)
        except BadInput as error:
            self._refuse(error, "polling")
            return plain

    def _ramp(self) -> Ramp:
        try:
            return Ramp(tuple(self._written.ramp.steps)) if self._written.ramp else Ramp()
        except BadInput as error:
            self._refuse(error, "ramp", "steps")
            return Ramp()

    def _foreign(self) -> ForeignLimits:
        plain, written = ForeignLimits(), self._written.foreign_models
        if written is None:
            return plain
        try:
            return ForeignLimits(written.memory or plain.memory, written.time or plain.time)
        except BadInput as error:
            self._refuse(error, "foreign_models")
            return plain

    def _channels(self) -> tuple[Channel, ...]:
        channels: dict[str, Channel] = {}
        for written in self._written.notifications.channels if self._written.notifications else ():
            if looks_like(written.name) in channels:
                error = BadInput(f"two channels are named {written.name!r}", fix="rename one of the two")
                self._refuse(error, "notifications", "channels")
            channels[looks_like(written.name)] = Channel(written.name, written.kind)
        return tuple(channels.values())

    def _schedules(self) -> Mapping[str, str]:
        for name, cron in (self._written.schedules or {}).items():
            if name not in _SCHEDULED:
                line = self._line("schedules", name)
                self._complaints.add(
                    SETTINGS_FILE, line, f"unknown schedule {shown(name)}", nearest(name, _SCHEDULED)
                )
            elif len(cron.split()) != 5 or not all(_CRON_FIELD.fullmatch(part) for part in cron.split()):
                error = BadInput(
                    f"{shown(cron)} is not a schedule", fix="write five cron fields: '0 2 * * *'"
                )
                self._refuse(error, "schedules", name)
        return dict(self._written.schedules or {})


def _policy(plain: GatePolicy, written: GateWritten) -> GatePolicy:
    own = plain.own_request_allowed if written.own_request is None else written.own_request == "allowed"
    approvers = plain.approvers if written.approvers is None else tuple(written.approvers)
    return GatePolicy(approvers, written.minimum or plain.minimum, own)


def _retention(name: EnvironmentName, written: RetentionWritten | None) -> Retention:
    plain = DEFAULT_RETENTION[name]
    if written is None:
        return plain
    return Retention(
        written.models or plain.models, written.logs or plain.logs, written.predictions or plain.predictions
    )
