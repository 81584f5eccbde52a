"""Versions, gates and ramps that cannot be wrong once they exist."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.semver import SemVer
from fleetcast.domain.settings import EnvironmentSettings, PlatformSettings, Retention


def test_versions_are_ordered_as_semver_says() -> None:
    texts = [
        "1.0.0-1",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.10.0",
    ]
    assert all(SemVer.parse(low) < SemVer.parse(high) for low, high in pairwise(texts))
    assert [str(SemVer.parse(text)) for text in texts] == texts


@pytest.mark.parametrize(
    "text", ["1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0+b", "1.0.0\n", ""]
)
def test_other_texts_are_no_versions(text: str) -> None:
    with pytest.raises(BadInput):
        SemVer.parse(text)


def test_the_order_of_packages_never_changes_an_environment() -> None:
    version = SemVer.parse("1.0.0")
    one = TrainingEnvironment("e", version, "3.11", ("numpy>=2", "polars"))
    other = TrainingEnvironment("e", version, "3.11", ("polars", "numpy>=2"))
    assert one == other
    assert one.digest == other.digest


def test_a_gate_that_cannot_open_cannot_exist() -> None:
    with pytest.raises(BadInput, match="only 1 may"):
        GatePolicy(("ann",), minimum=2)


@pytest.mark.parametrize("steps", [(), (10,), (50, 10, 100), (10, 10, 100), (-1, 100)])
def test_a_ramp_rises_to_everything(steps: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="do not rise to 100"):
        Ramp(steps)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PlatformSettings(workers=1_025),
        lambda: PlatformSettings(batch_size=0),
        lambda: Retention(predictions=0),
        lambda: EnvironmentSettings(data_drift=1.1),
        lambda: EnvironmentSettings(model_drift=-0.1),
        lambda: EnvironmentSettings(latency_ms=float("nan")),
        lambda: EnvironmentSettings(availability=101.0),
    ],
)
def test_a_setting_out_of_its_range_cannot_exist(make: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match="is out of range"):
        make()
