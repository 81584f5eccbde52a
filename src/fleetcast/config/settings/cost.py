"""`cost:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from fleetcast.config.written import Duration, Text, Whole, Written, judged
from fleetcast.domain.money import Money
from fleetcast.domain.settings import CostSettings


class CostWritten(Written):
    """`cost:`."""

    node_hour: Annotated[Text, judged(Money.parse)] | None = None
    start: Annotated[Duration, judged(lambda length: CostSettings(start=length))] | None = None
    at_once: Annotated[Whole, judged(lambda number: CostSettings(at_once=number))] | None = None


def read_cost(written: CostWritten | None) -> CostSettings:
    """What training costs; nothing is said of money where nothing is written."""
    plain = CostSettings()
    if written is None:
        return plain
    return CostSettings(
        None if written.node_hour is None else Money.parse(written.node_hour),
        plain.start if written.start is None else written.start,
        written.at_once or plain.at_once,
    )
