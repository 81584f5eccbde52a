"""`environments:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fleetcast.config.layers import thresholds
from fleetcast.config.written import Real, ThresholdsWritten, Written, judged
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import DEFAULT_ENVIRONMENTS, EnvironmentSettings


class ExpectationsWritten(Written):
    """One entry of `environments:`."""

    thresholds: ThresholdsWritten | None = None
    data_drift: Annotated[Real, judged(lambda share: EnvironmentSettings(data_drift=share))] | None = None
    model_drift: Annotated[Real, judged(lambda rise: EnvironmentSettings(model_drift=rise))] | None = None
    latency_ms: Annotated[Real, judged(lambda length: EnvironmentSettings(latency_ms=length))] | None = None
    error_rate: Annotated[Real, judged(lambda share: EnvironmentSettings(error_rate=share))] | None = None
    availability: Annotated[Real, judged(lambda share: EnvironmentSettings(availability=share))] | None = None


class EnvironmentsWritten(Written):
    """`environments:`."""

    dev: ExpectationsWritten | None = None
    test: ExpectationsWritten | None = None
    prod: ExpectationsWritten | None = None


def read_environments(
    written: EnvironmentsWritten | None,
) -> Mapping[EnvironmentName, EnvironmentSettings]:
    """What is expected in each environment, on top of the defaults."""
    return {name: _expected(name, getattr(written, name) if written else None) for name in EnvironmentName}


def _expected(name: EnvironmentName, written: ExpectationsWritten | None) -> EnvironmentSettings:
    plain = DEFAULT_ENVIRONMENTS[name]
    if written is None:
        return plain
    numbers = ("data_drift", "model_drift", "latency_ms", "error_rate", "availability")
    said = {number: getattr(written, number) for number in numbers}
    return EnvironmentSettings(
        thresholds(written.thresholds, plain.thresholds),
        **{number: getattr(plain, number) if value is None else value for number, value in said.items()},
    )
