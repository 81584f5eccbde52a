"""The digest of a fleet: saved plans and runs name it, so that one and the same fleet keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.config.settings_reader import load_settings
from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.semver import SemVer
from fleetcast.stored import format_1
from tests.domain.circuits import CIRCUIT

FOREIGN = """\
data_sources:
  historian:
    kind: delta
    path: s3://plant/historian
    layout: long
    columns: {plant_id: site, circuit_id: loop, timestamp: measured_at, sensor: tag, value: reading}
    sensors: {TT-01: temperature}
    time_zone: Europe/Berlin
"""
TAGS = """\
data_sources:
  historian:
    kind: delta
    path: ../historian
    sensors: {TT-01: P1/C1/temperature, TT-02: P1/C2/temperature}
  readings: {}
"""
OWN = "data_sources:\n  mine: {kind: own, path: .fleetcast/mine}\n"
ALL_ELSE = """\
platform: {kind: memory, workers: 3, lease: 5min, storage: s3://bucket/fleet}
polling: {start: 1s, max: 10s, longest: 2h}
ramp: {steps: [10, 100]}
retention: {dev: {models: 3}}
notifications: {channels: [{name: ops, kind: teams, url: '${env:OPS_URL}'}]}
schedules: {train: '0 2 * * *'}
environments: {test: {latency_ms: 3, thresholds: {max_mae: 2, sensors: {a: {max_mase: 1}}}}}
gates: {test-deployment: {approvers: [bob, ann], minimum: 2}}
foreign_models: {memory: 1GiB, time: 5s}
registry: other
"""


@pytest.mark.parametrize(
    ("written", "digest"),
    [
        pytest.param(
            "",
            "edc42c4f7ba117c97cad9c07a90bbef902c395464e963fe9ad88d6f2c0c3b250",
            id="the defaults",
        ),
        pytest.param(
            FOREIGN,
            "53f9aa4ffeaab0164662b336bafed414285da088dc01b5ffa0fb784b36ad1982",
            id="an external table",
        ),
        pytest.param(
            TAGS,
            "1ae304ca15a6764bbaaf80cbcd955e41d8fd17b3c221cd957e2f914060aec120",
            id="an external table of tags beside an own one",
        ),
        pytest.param(
            OWN,
            "9fd25392b1359b3c04bdd9aa6645041852ff5e386e77a63fd2bfc281a607e0f9",
            id="an own table elsewhere",
        ),
        pytest.param(
            ALL_ELSE,
            "5770a183795782bda358b2e1d6dbc1aa01e7fd966d1e4fc42fe0ec5e395e01b2",
            id="everything else",
        ),
    ],
)
def test_a_fleet_keeps_the_digest_that_it_had_in_earlier_versions(
    tmp_path: Path, written: str, digest: str
) -> None:
    (tmp_path / "fleetcast.yaml").write_text(written)
    version = SemVer.parse("1.0.0")
    fleet = Fleet(
        load_settings(tmp_path),
        (),
        TrainingEnvironment("e", version, "3.11", ()),
        TrainingComponent("c", version, (Step("fit", "run", ("data",), ("model",)),)),
    )
    assert format_1.fleet_digest(fleet).hex == digest


def fleet(folder: Path, written: str) -> Fleet:
    folder.mkdir()
    (folder / "fleetcast.yaml").write_text(written)
    version = SemVer.parse("1.0.0")
    component = TrainingComponent("c", version, (Step("fit", "run", ("data",), ("model",)),))
    circuits = (replace(CIRCUIT, description=written, owner=written, tags={"a": written}),)
    return Fleet(load_settings(folder), circuits, TrainingEnvironment("e", version, "3.11", ()), component)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("polling: {start: 1s, max: 10s, longest: 2h}", True),
        ("notifications: {channels: [{name: ops, kind: teams, url: '${env:OPS_URL}'}]}", True),
        ("schedules: {train: '0 2 * * *'}", True),
        ("platform: {workers: 3, batch_size: 2}", True),
        ("sign_in: {oidc: {client_id: fleetcast, issuer: 'https://login.example.com'}}", True),
        ("gates: {registry-promotion: {minimum: 2}}", False),
        ("registry: other", False),
        (OWN, False),
    ],
)
def test_what_does_not_decide_the_work_makes_no_plan_stale(tmp_path: Path, written: str, same: bool) -> None:
    before, after = fleet(tmp_path / "before", ""), fleet(tmp_path / "after", written)
    assert (before.digest == after.digest) is same
