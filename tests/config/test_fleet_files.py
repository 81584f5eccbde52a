"""`fleetcast.yaml`, the environment, the component, and the repository as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetcast.config.reader import load_fleet
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.errors import BadInput, InvalidFleet
from fleetcast.domain.freeze import parse_freeze
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import Gate
from tests.config.conftest import DEFAULTS, NOW, Repository

REUSED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
COMPONENT = "components/training-pipeline-component.yaml"
STEP = """\
name: t
version: 1.0.0
steps:
- {name: fit, command: 'run ${{inputs.data}}', inputs: [data], outputs: [model]}
"""


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("platfrom: {kind: local}", 1, "unknown key 'platfrom' (did you mean 'platform'?"),
        ("platform:\n  kind: ray", 2, "platform 'ray' is not in this version"),
        ("platform:\n  state: ../../etc", 2, "'../../etc' leaves the fleet directory"),
        ("platform:\n  state: /etc", 2, "leaves the fleet directory"),
        ("platform:\n  state: C:\\x", 2, "is not a path that works everywhere"),
        ("platform:\n  database: postgresql://u:p@h/d", 2, "FLEETCAST_DATABASE_URL"),
        ("platform:\n  workers: 0", 2, "workers 0 is out of range (write 1 to 1024"),
        ("data_sources:\n  a:\n    kind: sql", 3, "data source kind 'sql' is not in this version"),
        ("data_sources:\n  a/b: {kind: own}", 2, "is not a valid id"),
        ("data_sources:\n  readings: {path: link/x}", 2, "leaves the fleet directory"),
        ("platform:\n  state: '%2e%2e/x'", 2, "'%2e%2e/x' leaves the fleet directory"),
        ("platform:\n  workers: 2\n  storage: 'file:///a/%2e%2e/b'", 3, "names a folder by way of another"),
        ("platform:\n  storage: s3://bucket/../b", 2, "names a folder by way of another"),
        (
            "data_sources:\n  own:\n    path: '%2e%2e/x'",
            3,
            "hides where it leads (write its dots and slashes",
        ),
        ("data_sources:\n  a:\n    kind: delta\n    path: '%2e%2e/x'", 4, "'%2e%2e/x' hides where it leads"),
        ("data_sources:\n  a:\n    kind: delta\n    path: 'b/..%2fx'", 4, "hides where it leads"),
        ("data_sources:\n  a:\n    kind: delta\n    path: s3://b/%2e%2e/x", 4, "names a folder by way"),
        ("gates:\n  registry-promotoin: {minimum: 1}", 2, "did you mean 'registry-promotion'?"),
        (
            "gates:\n  test-deployment: {approvers: [ann], minimum: 2}",
            2,
            "2 people must approve, but only 1 may",
        ),
        ("gates:\n  test-deployment: {approvers: []}", 2, "never opens"),
        ("gates:\n  test-deployment: {own_request: true}", 2, "must be allowed or forbidden, not 'true'"),
        ("gates:\n  test-deployment:\n    groups: []", 3, "never opens"),
        ("gates:\n  test-deployment:\n    groups: ['*']", 3, "stands for anyone among approvers only"),
        ("gates:\n  test-deployment: {approvers: ['*'], groups: [leads]}", 2, "groups narrow nothing"),
        ("gates:\n  test-deployment:\n    services: [r, r]", 3, "a service account is named twice"),
        ("gates:\n  test-deployment: {approvers: [ann], sequence: [a, b]}", 2, "only 1 may"),
        ("gates:\n  test-deployment:\n    own_commit: never", 3, "must be allowed or forbidden"),
        ("gates:\n  test-deployment:\n    verified: maybe", 3, "must be true or false, not 'maybe'"),
        ("gates:\n  prod-deployment:\n    verified: false", 3, "production is for people who are signed in"),
        ("gates:\n  test-deployment:\n    not_before: 31d", 3, "never opens"),
        ("gates:\n  test-deployment: {not_before: 2d, lapses_after: 1d}", 2, "lapses after 1d, never opens"),
        ("gates:\n  test-deployment:\n    lapses_after: 5min", 3, "5min to decide is out of range"),
        ("gates:\n  test-deployment:\n    freezes: [christmas]", 3, "'christmas' is not a freeze"),
        ("gates:\n  test-deployment:\n    freezes: ['fri 18:00 to 25:00']", 3, "is not a freeze"),
        (
            "gates:\n  test-deployment:\n    freezes: ['mon 00:00 to fri 00:00', 'thu 00:00 to mon 01:00']",
            3,
            "frozen the whole week",
        ),
        ("gates:\n  test-deployment:\n    break_glass: true", 3, "must be allowed or forbidden"),
        ("polling:\n  start: 1h\n  max: 5s", 1, "write start ≤ max ≤ longest"),
        ("ramp:\n  steps: [10, 5, 100]", 2, "do not rise to 100"),
        ("foreign_models: {memory: 64MiB}", 1, "at least 512MiB"),
        (
            "foreign_models:\n  time: 60s\n  memory: 64MiB",
            3,
            "`foreign_models.memory`: memory 64MiB is out of",
        ),
        ("platform:\n  workers: 2\n  lease: 2h", 3, "lease 2:00:00 is out of range (write 1s to 1h)"),
        ("gates:\n  test-deployment:\n    approvers: [ann]\n    minimum: 0", 4, "minimum 0 is out of range"),
        ("foreign_models:\n  memory: plenty", 2, "is not a size"),
        ("foreign_models: {time: 2h, memory: 4 GB}", 1, "is not a size"),
        ("retention:\n  dev: {models: 0}", 2, "models 0 is out of range (write 1 to 36525 days"),
        ("notifications:\n  channels: [{name: ops}]", 2, "`notifications.channels[1].kind` is missing"),
        ("schedules:\n  train: daily", 2, "'daily' is not a schedule"),
        ("schedules:\n  score:\n    cron: daily", 3, "'daily' is not a schedule"),
        ("schedules:\n  train: '0 2 30 2 *'", 2, "'0 2 30 2 *' is not a schedule"),
        ("schedules:\n  trian: '0 2 * * *'", 2, "unknown key 'trian' (did you mean 'train'?"),
        ("schedules:\n  train:", 2, "`schedules.train`: has no value"),
        ("schedules:\n  score: {environments: [prod]}", 2, "`schedules.score.cron` is missing"),
        (
            "schedules:\n  score:\n    cron: '0 2 * * *'\n    environments: [dev]",
            4,
            "must be test or prod, not 'dev'",
        ),
        (
            "schedules:\n  score:\n    cron: '0 2 * * *'\n    environments: [test, test]",
            4,
            "score cannot be scheduled for [test, test]",
        ),
        (
            "schedules:\n  train:\n    cron: '0 2 * * *'\n    environments: [prod]",
            4,
            "train is done for the fleet",
        ),
        ("environments:\n  dev:\n    data_drift: 3", 3, "data_drift 3 is out of range (write 0 to 1)"),
        ("environments:\n  stage: {}", 2, "unknown key 'stage'"),
        ("- a", 1, "the file must be a mapping, not a list"),
    ],
)
def test_a_bad_line_of_fleetcast_yaml_is_named(
    repository: Repository, content: str, line: int, text: str
) -> None:
    (repository.directory / "link").symlink_to("/tmp")  # noqa: S108 - anywhere outside
    repository.write("fleetcast.yaml", content)
    complaints = repository.complaints()
    assert complaints[-1].startswith(f"fleetcast.yaml:{line}: ")
    assert text in complaints[-1]


@pytest.mark.parametrize(
    ("file", "content", "line", "text"),
    [
        ("config/environment.yaml", "name: e\npython: 3.11\n", 1, "`version` is missing"),
        ("config/environment.yaml", "name: e\nversion: 1.0\npython: 3.11\n", 2, "'1.0' is not a version"),
        ("config/environment.yaml", "name: e\nversion: 1.0.0\npython: 2.7\n", 3, "is not a Python version"),
        (
            "config/environment.yaml",
            "name: e\nversion: 1.0.0\npython: 3.11\npackages:\n- a\n- -r x\n",
            6,
            "'-r x' is not a package requirement",
        ),
        (
            "config/environment.yaml",
            "name: e\nversion: 1.0.0\npython: 3.11\npackages: [a-b>=1, A_b<2]\n",
            4,
            "package 'a-b' is listed twice",
        ),
        (COMPONENT, STEP.replace("inputs.data", "inputs.dta"), 4, "unknown placeholder ${{inputs.dta}}"),
        (COMPONENT, STEP.replace("inputs.data", "secrets.x"), 4, "unknown placeholder ${{secrets.x}}"),
        (COMPONENT, STEP.replace("[model]", "[other]"), 3, "no step writes the output 'model'"),
        (
            COMPONENT,
            STEP.replace("inputs: [data]", "inputs: [data, extra]"),
            3,
            "which nothing before it writes",
        ),
        (COMPONENT, STEP + "retry: {max_retries: -1}\n", 5, "max_retries -1 is out of range (write 0 to 20)"),
        (COMPONENT, STEP + "retry:\n  max_retries: 1\n  timeout: 8d\n", 7, "write 1 second to 7 days"),
        (COMPONENT, "", None, "is empty"),
    ],
)
def test_a_bad_line_of_an_asset_is_named(
    repository: Repository, file: str, content: str, line: int | None, text: str
) -> None:
    repository.write(file, content)
    [complaint] = repository.complaints()
    assert complaint.startswith(f"{file}:{line}: " if line else f"{file}: ")
    assert text in complaint


def test_every_number_out_of_range_is_named_at_its_own_line(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml", "platform:\n  workers: 0\n  batch_size: 0\nretention:\n  dev: {logs: 0}\n"
    )
    assert repository.complaints() == [
        "fleetcast.yaml:2: `platform.workers`: workers 0 is out of range (write 1 to 1024, or leave it out)",
        "fleetcast.yaml:3: `platform.batch_size`: batch_size 0 is out of range (write 1 to 10000 jobs)",
        "fleetcast.yaml:5: `retention.dev.logs`: logs 0 is out of range (write 1 to 36525 days)",
    ]


def test_text_settings_keep_their_spelling(repository: Repository) -> None:
    repository.write("config/environment.yaml", "name: e\nversion: 1.0.0\npython: 3.10\n")
    assert repository.load().environment.python == "3.10"


def test_gates_and_expectations_have_the_defaults_of_the_handbook(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "gates: {registry-promotion: {approvers: [bob, ann], minimum: 2}}\n")
    found = repository.load().settings
    assert found.gates[Gate.REGISTRY_PROMOTION] == GatePolicy(("ann", "bob"), 2, own_request_allowed=True)
    assert found.gates[Gate.PROD_DEPLOYMENT] == GatePolicy(
        ("*",), 2, own_request_allowed=False, verified=True
    )
    assert repository.load().component.timeout == timedelta(hours=1)


def test_a_gate_may_have_every_rule(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        """\
gates:
  registry-promotion:
    groups: [leads, engineers]
    services: [robot]
    minimum: 2
    sequence: [leads, engineers]
    own_request: forbidden
    own_commit: forbidden
    own_version: forbidden
    verified: true
    failing_checks: forbidden
    not_before: 2h
    lapses_after: 7d
    freezes: ['2025-12-20T00:00Z to 2026-01-05T00:00Z', 'fri 18:00 to mon 06:00']
    break_glass: allowed
""",
    )
    assert repository.load().settings.gates[Gate.REGISTRY_PROMOTION] == GatePolicy(
        (),
        2,
        own_request_allowed=False,
        verified=True,
        groups=("engineers", "leads"),
        services=("robot",),
        sequence=("leads", "engineers"),
        own_commit_allowed=False,
        own_version_allowed=False,
        failing_allowed=False,
        not_before=timedelta(hours=2),
        lapses_after=timedelta(days=7),
        freezes=(
            parse_freeze("2025-12-20T00:00Z to 2026-01-05T00:00Z"),
            parse_freeze("fri 18:00 to mon 06:00"),
        ),
        break_glass=True,
    )


def test_every_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config" / "circuits").mkdir(parents=True)
    (tmp_path / "fleetcast.yaml").write_text("platform: {kind: local}\n")
    with pytest.raises(InvalidFleet) as caught:
        load_fleet(tmp_path, now=NOW)
    assert [complaint.file for complaint in caught.value.complaints] == [
        COMPONENT,
        "config/circuits.yaml",
        "config/environment.yaml",
    ]
    assert all("`fleetcast init` writes it" in complaint.fix for complaint in caught.value.complaints)


def test_a_file_linked_from_outside_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(DEFAULTS)
    (repository.directory / "config/circuits").mkdir()
    (repository.directory / "config/circuits/x.yaml").symlink_to(tmp_path / "outside.yaml")
    assert repository.complaints() == [
        "config/circuits/x.yaml: is a link that leaves the fleet directory (put the file itself here)"
    ]


def test_a_new_fleet_is_valid_and_is_never_written_over(tmp_path: Path) -> None:
    keys = [CircuitKey(f"PLANT00{p}", f"CIRCUIT0{c}") for p in (1, 2, 3) for c in (1, 2, 3, 4)]
    init_fleet(tmp_path, NewFleet(circuits=keys, features=("a", "b"), cutoff="2025-10-31", delta_version=3))
    fleet = load_fleet(tmp_path, now=NOW)
    assert [circuit.key for circuit in fleet.circuits] == keys
    assert {(c.features, c.cutoff.text, c.delta_version) for c in fleet.circuits} == {
        (("a", "b"), "2025-10-31", 3)
    }
    with pytest.raises(BadInput, match=r"fleetcast\.yaml, config/circuits\.yaml"):
        init_fleet(tmp_path)


def test_a_refused_new_fleet_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(BadInput, match=r"README\.md"):
        init_fleet(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "README.md"]


@REUSED
@given(st.data())
def test_the_order_of_keys_never_changes_the_fleet(
    new_repository: Callable[[], Repository], data: st.DataObject
) -> None:
    lines = DEFAULTS.splitlines()[1:]
    own = ["tags: {a: 1, b: 2}", "revision: 2", "hyperparameters: {lookback: 96, ridge: 1}", "owner: me"]
    repository = new_repository()

    def write(settings: list[str], mine: list[str]) -> None:
        circuit = "".join(f"\n        {line}" for line in mine)
        text = "\n".join(
            ["defaults:", *settings, "plants:", "  P:", "    circuits:", f"      C:{circuit}", ""]
        )
        repository.circuits(text)

    write(lines, own)
    expected = repository.load()
    write(data.draw(st.permutations(lines)), data.draw(st.permutations(own)))
    assert repository.load() == expected
    assert repository.load().digest == expected.digest


WORDS = (
    "defaults plants circuits features plant_id thresholds sensors [ ] { } &a *a !!x 1 ' # << | > --- é P1 x"
)
BREAKS = [": ", "\n", "\n  ", "\n- ", ", ", "\t", "\x00", " ", '"', '"\\ud800"']
FRAGMENTS = st.sampled_from([*WORDS.split(), *BREAKS])
CONTENT = st.lists(FRAGMENTS, max_size=30).map("".join).map(str.encode) | st.binary(max_size=60)
FILE = st.sampled_from(["fleetcast.yaml", "config/circuits.yaml", "config/environment.yaml", COMPONENT])


@REUSED
@given(FILE, CONTENT)
def test_no_text_breaks_the_reader(
    new_repository: Callable[[], Repository], file: str, content: bytes
) -> None:
    repository = new_repository()
    repository.write(file, content)
    with contextlib.suppress(InvalidFleet):
        assert repository.load().digest.short
