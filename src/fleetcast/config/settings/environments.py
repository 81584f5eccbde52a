"""`environments:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping

from fleetcast.config.layers import thresholds
from fleetcast.config.schema import NotNegative, Percent, Share, ThresholdsWritten, Written
from fleetcast.domain.settings import DEFAULT_ENVIRONMENTS, EnvironmentName, EnvironmentSettings


class ExpectationsWritten(Written):
    """One entry of `environments:`."""

    thresholds: ThresholdsWritten | None = None
    data_drift: Share | None = None
    model_drift: NotNegative | None = None
    latency_ms: NotNegative | None = None
    error_rate: Percent | None = None
    availability: Percent | None = None


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
