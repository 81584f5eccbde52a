"""`gates:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.complaints import nearest, shown
from fleetcast.config.schema import Text, Whole, Written, judged
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import DEFAULT_GATES, Gate, GatePolicy


class GateWritten(Written):
    """One entry of `gates:`."""

    approvers: Annotated[list[Text], judged(lambda names: GatePolicy(tuple(names)))] | None = None
    minimum: Annotated[Whole, judged(lambda number: GatePolicy(minimum=number))] | None = None
    own_request: Annotated[str, PlainValidator(scalars.one_of("allowed", "forbidden"))] | None = None


def read_gates(written: Mapping[str, GateWritten] | None, file: SettingsFile) -> Mapping[Gate, GatePolicy]:
    """Who decides at each gate, on top of the defaults."""
    gates = dict(DEFAULT_GATES)
    known = [gate.value for gate in Gate]
    for name, entry in (written or {}).items():
        if name not in known:
            file.complaint(f"unknown gate {shown(name)}", nearest(name, known), "gates", name)
            continue
        try:
            gates[Gate(name)] = _policy(DEFAULT_GATES[Gate(name)], entry)
        except BadInput as error:
            file.refuse(error, "gates", name)
    return gates


def _policy(plain: GatePolicy, written: GateWritten) -> GatePolicy:
    own = plain.own_request_allowed if written.own_request is None else written.own_request == "allowed"
    approvers = plain.approvers if written.approvers is None else tuple(written.approvers)
    return GatePolicy(approvers, written.minimum or plain.minimum, own, plain.verified)
