"""`gates:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, PlainValidator

from fleetcast.config import scalars
from fleetcast.config.complaints import nearest, shown
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.freeze import Freeze, parse_freeze
from fleetcast.domain.gate import DEFAULT_GATES, LAPSES_AFTER, GatePolicy
from fleetcast.domain.place import Gate

Allowed = Annotated[str, PlainValidator(scalars.one_of("allowed", "forbidden"))]


def _freezes(texts: list[str]) -> list[str]:
    for text in texts:
        scalars.said_by_domain(parse_freeze, text)
    scalars.said_by_domain(lambda found: GatePolicy(freezes=_windows(found)), texts)
    return texts


def _windows(texts: list[str]) -> tuple[Freeze, ...]:
    return tuple(map(parse_freeze, texts))


def _not_longer_than_it_waits(length: timedelta) -> GatePolicy:
    return GatePolicy(not_before=length, lapses_after=LAPSES_AFTER)


class GateWritten(Written):
    """One entry of `gates:`."""

    approvers: Annotated[list[Text], judged(lambda names: GatePolicy(tuple(names)))] | None = None
    groups: Annotated[list[Text], judged(lambda names: GatePolicy((), groups=tuple(names)))] | None = None
    services: Annotated[list[Text], judged(lambda names: GatePolicy(services=tuple(names)))] | None = None
    minimum: Annotated[Whole, judged(lambda number: GatePolicy(minimum=number))] | None = None
    sequence: Annotated[list[Text], judged(lambda names: GatePolicy(sequence=tuple(names)))] | None = None
    own_request: Allowed | None = None
    own_commit: Allowed | None = None
    own_version: Allowed | None = None
    verified: Annotated[str, PlainValidator(scalars.one_of("true", "false"))] | None = None
    failing_checks: Allowed | None = None
    not_before: Annotated[Duration, judged(_not_longer_than_it_waits)] | None = None
    lapses_after: Annotated[Duration, judged(lambda length: GatePolicy(lapses_after=length))] | None = None
    freezes: Annotated[list[Text], AfterValidator(_freezes)] | None = None
    break_glass: Allowed | None = None
    unsigned: Allowed | None = None


def read_gates(written: Mapping[str, GateWritten] | None, file: SettingsFile) -> Mapping[Gate, GatePolicy]:
    """Who decides at each gate, on top of the defaults."""
    gates = dict(DEFAULT_GATES)
    known = [gate.value for gate in Gate]
    for name, entry in (written or {}).items():
        if name not in known:
            file.complaint(f"unknown gate {shown(name)}", nearest(name, known), "gates", name)
            continue
        if name == Gate.PROD_DEPLOYMENT and entry.verified == "false":
            file.complaint(
                f"`gates.{name}.verified`: production is for people who are signed in",
                "remove the line",
                "gates",
                name,
                "verified",
            )
            continue
        try:
            gates[Gate(name)] = _policy(DEFAULT_GATES[Gate(name)], entry)
        except BadInput as error:
            file.refuse(error, "gates", name)
    return gates


def _policy(plain: GatePolicy, written: GateWritten) -> GatePolicy:
    approvers = () if written.groups else plain.approvers
    return GatePolicy(
        approvers if written.approvers is None else tuple(written.approvers),
        written.minimum or plain.minimum,
        _allowed(written.own_request, plain.own_request_allowed),
        plain.verified if written.verified is None else written.verified == "true",
        tuple(written.groups or ()),
        tuple(written.services or ()),
        tuple(written.sequence or ()),
        _allowed(written.own_commit, plain.own_commit_allowed),
        _allowed(written.own_version, plain.own_version_allowed),
        _allowed(written.failing_checks, plain.failing_allowed),
        written.not_before or plain.not_before,
        written.lapses_after or plain.lapses_after,
        _windows(written.freezes or []),
        _allowed(written.break_glass, plain.break_glass),
        _allowed(written.unsigned, plain.unsigned_allowed),
    )


def _allowed(written: str | None, plain: bool) -> bool:  # noqa: FBT001  # what holds unless written
    return plain if written is None else written == "allowed"
