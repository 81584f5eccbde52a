"""A control database that was torn, tampered with or half migrated: one error that names the place, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleetcast.domain.account import Account
from fleetcast.domain.alarm import Alarm, AlarmState, Cause, CauseKind, LastLook, Raise
from fleetcast.domain.approval import RequestState
from fleetcast.domain.assets import AssetKind
from fleetcast.domain.attempts import OF_A_NAME
from fleetcast.domain.audit import AuditEvent, Means, Proof, Standing
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.deployment import Deployment, DeploymentPlan, PlannedRelease, PlantRollout
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import BadInput, FleetcastError, HistoryLost, Unavailable
from fleetcast.domain.gate import DEFAULT_GATES
from fleetcast.domain.health import Criteria
from fleetcast.domain.job import JobState
from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.link import Link, LinkPurpose
from fleetcast.domain.notice import EventKind, Notice
from fleetcast.domain.page import Page
from fleetcast.domain.people import Grant, Group, Person
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Endpoint, Release, ServedModel
from fleetcast.domain.repeat import Answer, Call
from fleetcast.domain.role import Role
from fleetcast.domain.schedule import Turn, TurnState
from fleetcast.domain.service import KEPT, Served, ServerStretch
from fleetcast.domain.session import SessionEnd, begun
from fleetcast.domain.settings import PlatformSettings
from fleetcast.domain.telling import Told
from fleetcast.domain.token import Token
from fleetcast.domain.traffic import Report, Watch
from fleetcast.platforms.database import migrate, schema
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.jobs.worker import outcome_file
from fleetcast.platforms.local.endpoints import LocalEndpoints, LocalTrafficBoard
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.outbox import Change
from fleetcast.ports.platform import Platform
from fleetcast.ports.sessions import PasswordSet, SignedIn
from fleetcast.ports.signing import Sealing
from fleetcast.stored import deployments as stored_deployments
from fleetcast.stored.accounts import SIGN_IN_SESSION
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.jobs import JOB_OUTCOME, TRAINING_JOB
from fleetcast.stored.models import TRAINED_MODEL
from fleetcast.stored.people import GRANT
from fleetcast.stored.policies import GATE_POLICY
from fleetcast.stored.runs import RUN
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import (
    ADA,
    adopted,
    component,
    data_asset,
    digest,
    environment,
    job,
    readings,
    request,
    trained,
)
from tests.platforms.conftest import Address
from tests.platforms.test_control_database import at_first_schema, opened
from tests.sealing import SEALING
from tests.signing import manifest

JOB = job(readings(), component())
LATER = job(readings(), component(), name="later")
HASHES = [JOB.task.training_hash]
CALL = Call(digest("owner"), "key-0001", digest("what was asked"))
SHARING = Effect("share model m:1", AuditEvent("model.shared", "m:1", {}))
ADA_ON_RECORD, ADMIN = Person("p-1", "ada"), Grant("p-1", Role.ADMIN)
GRANT_KEY = digest_of(plain(ADMIN)).hex
TOKEN = Token(
    0, "p-1", digest("secret"), Standing.ASSERTED, frozenset(), "ci", "ada", NOON, NOON + timedelta(days=1)
)
BY_PASSWORD = Proof(Means.PASSWORD, "ada")
ACCOUNT = Account("p-1", "$argon2id$hash", NOON)
LINK = Link(0, LinkPurpose.SET_PASSWORD, "p-1", digest("link"), "ada", NOON)
NO_TIME = timedelta(0)
LYON = Endpoint(EnvironmentName.PROD, "LYON")
RELEASE = Release(
    LYON.environment, LYON.plant, "1.0.0", {"a": ServedModel("lyon-a", 1, digest("artifact"), digest("hash"))}
)
PLAN = DeploymentPlan(
    LYON.environment, (PlannedRelease("LYON", 1, RELEASE.digest, None),), (("LYON",),), Ramp(), Criteria()
)
DEPLOYMENT = Deployment(0, PLAN, "0123abc", "ada", NOON)
ROLLOUT = PlantRollout(LYON, 1, PLAN.rollout("LYON", None))
REPORT = Report(ready=True, stopped=False, waited=NO_TIME, share=0)
ALARM = Alarm(
    Cause(CauseKind.DATA_STALE, LYON.environment, "LYON"),
    None,
    AlarmState.OPEN,
    NOON,
    NOON,
    NOON,
    NOON,
    0.1,
    0.1,
    (),
    0,
)
LOOK = LastLook(LYON.environment, NOON, 1, {})
NOTICE = Notice("n", EventKind.DATA_STALE, NOON, "no readings of LYON")
LETTER = Letter(0, "ops", "letter-1", "", (NOTICE,), NOON, NOON)
PAGE = Page(1, NOTICE, NOON)
CHANNEL = ChannelState("ops", 1)
TOLD = Told(1, "", NOON)
TURN_PLACE = "scheduled_runs score prod 2025-12-01T12:00:00.000000+00:00"
TURN = Turn("score prod", NOON, "0 2 * * *", TurnState.RUNNING)
Contents = dict[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Filled:
    """A platform that holds a row of every kind."""

    platform: Platform
    database: ControlDatabase
    folder: Path

    @contextmanager
    def damaged(self, table: str, change: str) -> Iterator[None]:
        """Tamper with one row for a while."""
        key = {
            "requests": "id = 1",
            "gate_policies": "gate = 'registry-promotion'",
            "runs": "number = 1",
            "audit": "number = 1",
            "model_versions": "name = 'm'",
        }
        where = key.get(table, "1 = 1")
        row = sa.table(table, sa.column("content"))
        query = sa.select(row.c.content).where(sa.text(where))
        whole = self.database.read(lambda connection: connection.execute(query).scalar_one())
        tamper(self.database, f"UPDATE {table} SET content = {change} WHERE {where}")
        yield
        put_back = sa.update(row).where(sa.text(where)).values(content=whole)
        self.database.change(lambda connection: connection.execute(put_back))


@pytest.fixture
def filled(address: Address, tmp_path: Path) -> Iterator[Filled]:
    database = opened(address)
    folder = tmp_path / "state"
    platform = local_platform(
        folder, {}, PlatformSettings(workers=1), actor=ADA, clock=FixedClock(), database=database
    )
    workspace, control = platform.workspace, platform.control
    workspace.assets.register(environment())
    workspace.data.register([data_asset()])
    workspace.jobs.submit([JOB], component())
    workspace.models.register([trained(), adopted("other")])
    control.policies.take_first(DEFAULT_GATES)
    control.approvals.open([request(), request("other")])
    control.manifests.sign([manifest("m", 1)])
    control.runs.begin(digest("fleet"), "0123abc")
    control.effects.intend([SHARING])
    control.people.add([ADA_ON_RECORD], [ADMIN], [Group("leads", frozenset({"p-1"}))], first=True)
    control.tokens.issue(TOKEN)
    control.accounts.make_link(lambda _: LINK)
    control.accounts.use_link(1, lambda _link, _known: PasswordSet(ACCOUNT))
    control.sessions.begin(
        lambda known: SignedIn(begun(known.directory, ADA_ON_RECORD, BY_PASSWORD, digest("secret"), NOON))
    )
    control.attempts.begin({"name 1": OF_A_NAME})
    control.attempts.refused(ADA_ON_RECORD, "unknown")
    control.repeats.keep(control.repeats.begin(CALL), Answer(200, "{}"))
    control.releases.make_live(control.releases.keep([RELEASE]))
    control.deployments.begin(DEPLOYMENT)
    control.deployments.save_rollout(ROLLOUT)
    control.alarms.settle(LOOK, lambda _: [Raise(ALARM)])
    control.outbox.keep(Change(told=TOLD, letters=[LETTER], pages=[PAGE], channels=[CHANNEL]))
    control.schedules.save(TURN)
    workspace.endpoints.start(LYON, RELEASE.digest, Watch())
    assert isinstance(workspace.endpoints, LocalEndpoints)
    board = LocalTrafficBoard(workspace.endpoints, timedelta(seconds=60))
    board.note(LYON, RELEASE.digest, REPORT)
    board.beat(LYON.environment, ServerStretch("server", NOON, NOON, {"LYON": Served()}))
    yield Filled(platform, database, folder)
    workspace.jobs.close()


def contents(database: ControlDatabase) -> Contents:
    """Every row there is."""
    there = database.read(lambda connection: set(sa.inspect(connection).get_table_names()))
    tables = [table.name for table in schema.metadata.sorted_tables if table.name in there]
    return {
        table: database.read(
            lambda connection, table=table: connection.exec_driver_sql(f"SELECT * FROM {table}").all()  # type: ignore[misc]  # it knows no defaults of lambdas
        )
        for table in tables
    }


Act = Callable[[Platform], object]
ACTS: Sequence[tuple[str, str, Act]] = [
    (
        "assets",
        "assets environment training:1.0.0",
        lambda p: p.workspace.assets.versions(AssetKind.ENVIRONMENT, "training"),
    ),
    (
        "assets",
        "assets environment training:1.0.0",
        lambda p: p.workspace.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0"),
    ),
    ("assets", "assets environment training:1.0.0", lambda p: p.workspace.assets.register(environment())),
    (
        "data_assets",
        f"data_assets {data_asset().digest.hex}",
        lambda p: p.workspace.data.held([data_asset().digest]),
    ),
    ("jobs", f"jobs {JOB.id}", lambda p: p.workspace.jobs.jobs_for(HASHES)),
    ("jobs", f"jobs {JOB.id}", lambda p: p.workspace.jobs.wait(HASHES, NO_TIME)),
    (
        "components_run",
        f"components_run {component().digest.hex}",
        lambda p: p.workspace.jobs.wait(HASHES, NO_TIME),
    ),
    ("model_versions", "model_versions m:1", lambda p: p.workspace.models.versions(["other", "m"])),
    (
        "model_versions",
        "model_versions m:1",
        lambda p: p.workspace.models.register([trained("new", "job-2"), trained()]),
    ),
    ("gate_policies", "gate_policies registry-promotion", lambda p: p.control.policies.in_force()),
    ("requests", "requests 1", lambda p: p.control.approvals.find(1)),
    ("requests", "requests 1", lambda p: p.control.approvals.listed()),
    ("requests", "requests 1", lambda p: p.control.approvals.of_models(["m"])),
    ("requests", "requests 1", lambda p: p.control.approvals.about([request().subject.digest])),
    ("requests", "requests 1", lambda p: p.control.approvals.open([request("new"), request()])),
    ("manifests", "manifests m:1", lambda p: p.control.manifests.worth("m", 1, ())),
    ("runs", "runs 1", lambda p: p.control.runs.find("run-0001")),
    ("runs", "runs 1", lambda p: p.control.runs.latest()),
    ("runs", "runs 1", lambda p: p.control.runs.listed()),
    ("runs", "runs 1", lambda p: p.control.runs.begin(digest("next"), "0123abc")),
    ("effects", "effects 'share model m:1'", lambda p: p.control.effects.unconfirmed()),
    ("audit", "audit entry 1", lambda p: p.control.audit.latest(100)),
    ("audit", "audit entry 1", lambda p: list(p.control.audit.entries())),
    ("audit", "audit entry 1", lambda p: p.control.audit.told()),
    ("people", "people p-1", lambda p: p.control.people.directory()),
    ("people", "people p-1", lambda p: p.control.people.change(Person("p-1", "grace"))),
    ("people_groups", "people_groups leads", lambda p: p.control.people.directory()),
    ("grants", f"grants {GRANT_KEY}", lambda p: p.control.people.directory()),
    ("grants", f"grants {GRANT_KEY}", lambda p: p.control.people.revoke([ADMIN])),
    ("repeats", "repeats key-0001", lambda p: p.control.repeats.begin(CALL)),
    ("tokens", "tokens 1", lambda p: p.control.tokens.listed()),
    ("tokens", "tokens 1", lambda p: p.control.tokens.find(1)),
    ("tokens", "tokens 1", lambda p: p.control.tokens.revoke(1)),
    ("accounts", "accounts p-1", lambda p: p.control.accounts.find("p-1")),
    ("accounts", "accounts p-1", lambda p: p.control.accounts.known()),
    ("accounts", "accounts p-1", lambda p: p.control.accounts.set_password(ACCOUNT, ACCOUNT)),
    ("one_time_links", "one_time_links 1", lambda p: p.control.accounts.find_link(1)),
    ("one_time_links", "one_time_links 1", lambda p: p.control.accounts.make_link(lambda _: LINK)),
    ("sign_in_sessions", "sign_in_sessions 1", lambda p: p.control.sessions.find(1)),
    ("sign_in_sessions", "sign_in_sessions 1", lambda p: p.control.sessions.note_use(1)),
    ("sign_in_sessions", "sign_in_sessions 1", lambda p: p.control.sessions.end(1, SessionEnd.EXPIRED)),
    ("sign_in_sessions", "sign_in_sessions 1", lambda p: p.control.people.revoke([ADMIN])),
    (
        "sign_in_attempts",
        "sign_in_attempts 'name 1'",
        lambda p: p.control.attempts.begin({"name 1": OF_A_NAME}),
    ),
    (
        "sign_in_attempts",
        "sign_in_attempts 'name 1'",
        lambda p: p.control.attempts.succeeded("name 2", "name 1"),
    ),
    ("releases", "releases prod/LYON:1", lambda p: p.control.releases.find(LYON, 1)),
    ("releases", "releases prod/LYON:1", lambda p: p.control.releases.live(LYON.environment)),
    ("releases", "releases prod/LYON:1", lambda p: p.control.releases.newest(LYON.environment)),
    ("releases", "releases prod/LYON:1", lambda p: p.control.releases.keep([RELEASE])),
    ("deployments", "deployments prod 1", lambda p: p.control.deployments.listed(LYON.environment, 5)),
    ("deployments", "deployments prod 1", lambda p: p.control.deployments.open_ones(LYON.environment)),
    ("rollouts", "rollouts prod/LYON", lambda p: p.control.deployments.rollouts(LYON.environment)),
    ("rollouts", "rollouts prod/LYON", lambda p: p.control.deployments.save_rollout(ROLLOUT)),
    ("traffic", "traffic prod/LYON", lambda p: p.workspace.endpoints.standing(LYON.environment)),
    ("traffic", "traffic prod/LYON", lambda p: p.workspace.endpoints.serve(LYON, RELEASE.digest)),
    (
        "deployment_reports",
        "deployment_reports prod/LYON",
        lambda p: p.workspace.endpoints.report(LYON, RELEASE.digest),
    ),
    ("alarms", "alarms 1", lambda p: p.control.alarms.find(1)),
    ("alarms", "alarms 1", lambda p: p.control.alarms.open_ones()),
    ("alarms", "alarms 1", lambda p: p.control.alarms.settle(LOOK, lambda _: [])),
    ("last_looks", "last_looks prod", lambda p: p.control.alarms.last_looks()),
    ("letters", "letters 1", lambda p: p.control.outbox.waiting()),
    ("letters", "letters 1", lambda p: p.control.outbox.find(1)),
    ("pages", "pages 1", lambda p: p.control.outbox.open_pages()),
    ("pages", "pages 1", lambda p: p.control.outbox.acknowledge(1)),
    ("channel_states", "channel_states ops", lambda p: p.control.outbox.channels()),
    ("told", "told", lambda p: p.control.outbox.told()),
    (
        "scheduled_runs",
        TURN_PLACE,
        lambda p: p.control.schedules.held(NOON),
    ),
    (
        "scheduled_runs",
        TURN_PLACE,
        lambda p: p.control.schedules.save(TURN),
    ),
    (
        "endpoint_stretches",
        "endpoint_stretches prod 2025-12-01T12:00:00.000000+00:00",
        lambda p: p.workspace.endpoints.fared(LYON.environment, NOON - KEPT),
    ),
    (
        "refused_sign_ins",
        "refused_sign_ins p-1",
        lambda p: p.control.attempts.refused(ADA_ON_RECORD, "unknown"),
    ),
]
every_act = pytest.mark.parametrize(
    ("table", "place", "act"),
    ACTS,
    ids=[f"{place.split()[0]}-{number}" for number, (_, place, _) in enumerate(ACTS)],
)


def test_every_table_with_stored_json_that_is_read_is_tried() -> None:
    with_json = {table.name for table in schema.metadata.sorted_tables if "content" in table.c}
    never_read = {"shared_environments"}
    assert {table for table, _, _ in ACTS} == with_json - never_read


TORN = (
    "''",
    "substr(content, 1, 1)",
    "substr(content, 1, 2)",
    "substr(content, 1, length(content) / 2)",
    "substr(content, 1, length(content) - 1)",
    "'null'",
    "'[]'",
    "'{}'",
)
NUMBERED = {
    "audit": AUDIT_ENTRY.number,
    "deployments": stored_deployments.DEPLOYMENT.number,
    "gate_policies": GATE_POLICY.number,
    "grants": GRANT.number,
    "jobs": TRAINING_JOB.number,
    "model_versions": TRAINED_MODEL.number,
    "requests": REQUEST.number,
    "runs": RUN.number,
    "sign_in_sessions": SIGN_IN_SESSION.number,
}
"""The formats of what is written now, where that is not the first."""
NOT_UTF_8 = "CAST(CAST(substr(content, 1, 40) AS BLOB) || x'ff' AS TEXT)"


@every_act
def test_a_row_that_cannot_be_read_is_one_error_that_names_it(
    filled: Filled, table: str, place: str, act: Act
) -> None:
    for change, said, fix in (
        *((change, "cannot be read", "a backup") for change in TORN),
        (
            f"""replace(content, '{{"format":{NUMBERED.get(table, 1)},', '{{"format":99,')""",
            f"has format 99, this fleetcast knows no newer one than {NUMBERED.get(table, 1)}",
            "use the fleetcast version that wrote it, or a newer one",
        ),
    ):
        with filled.damaged(table, change):
            before = contents(filled.database)
            with pytest.raises(BadInput) as caught:
                act(filled.platform)
            assert str(caught.value) == f"{place} {said}"
            assert fix in caught.value.fix
            assert contents(filled.database) == before
    assert not list(filled.folder.rglob("task.json"))


@every_act
def test_a_row_that_is_no_text_is_one_error_that_names_it(
    filled: Filled, table: str, place: str, act: Act
) -> None:
    if filled.database.backend.shared:
        pytest.skip("a server takes no such text")
    with filled.damaged(table, NOT_UTF_8):
        with pytest.raises(Unavailable) as caught:
            act(filled.platform)
        key = place.split()[-1].strip("'").split(":")[0]
        assert str(caught.value).startswith(f"{table} ")
        assert key.replace("/", " ") in str(caught.value).replace("/", " ")
        assert "cannot be read: it holds bytes that are no text" in str(caught.value)
        assert "a backup" in caught.value.fix


COLUMNS: Sequence[tuple[str, str, str, Act]] = [
    ("requests", "state", "requests 1", lambda p: p.control.approvals.outlines([RequestState.PENDING])),
    ("requests", "state", "requests 1", lambda p: p.control.approvals.listed([RequestState.PENDING])),
    *(
        (
            "requests",
            column,
            "requests 1",
            lambda p: p.control.approvals.outlines([RequestState.PENDING]),
        )
        for column in ("gate", "kind", "outcome", "subject", "opened_at")
    ),
    ("gate_policies", "gate", "gate_policies ", lambda p: p.control.policies.in_force()),
    *(
        ("model_versions", column, "model_versions ", lambda p: p.workspace.models.entries())
        for column in ("plant", "circuit", "training_hash")
    ),
    ("model_versions", "registered_at", "model_versions m:1", lambda p: p.workspace.models.versions(["m"])),
    ("assets", "digest", "assets environment", lambda p: p.workspace.assets.register(environment())),
    (
        "assets",
        "registered_at",
        "assets environment",
        lambda p: p.workspace.assets.versions(AssetKind.ENVIRONMENT, "training"),
    ),
    ("refused_models", "refusal", "refused_models m:1", lambda p: p.control.states.intent()),
]


@pytest.mark.parametrize(
    ("table", "column", "place", "act"),
    COLUMNS,
    ids=[f"{table}.{column}-{number}" for number, (table, column, _, _) in enumerate(COLUMNS)],
)
def test_a_column_that_holds_something_else_is_one_error_that_names_its_row(
    filled: Filled, table: str, column: str, place: str, act: Act
) -> None:
    filled.platform.control.states.reject([("m", 1)])
    where = {"requests": "id = 1", "gate_policies": "gate = 'registry-promotion'"}.get(table, "1 = 1")
    for value in ("''", "'?'"):
        tamper(filled.database, f"UPDATE {table} SET {column} = {value} WHERE {where}")
        before = contents(filled.database)
        with pytest.raises(BadInput) as caught:
            act(filled.platform)
        assert str(caught.value).startswith(place)
        assert str(caught.value).endswith("cannot be read")
        assert "a backup" in caught.value.fix
        assert contents(filled.database) == before


def test_a_torn_end_of_the_audit_log_is_one_error_that_names_it(filled: Filled) -> None:
    tamper(filled.database, "UPDATE audit SET digest = '?'")
    before = contents(filled.database)
    with pytest.raises(HistoryLost, match=r"entry \d+ of the audit log"):
        filled.platform.control.states.select({"m": 1})
    assert contents(filled.database) == before


NUMBERS: Sequence[tuple[str, str, Act]] = [
    ("selected_models", "version", lambda p: p.control.states.intent()),
    ("champions", "version", lambda p: p.control.states.intent()),
    ("refused_models", "version", lambda p: p.control.states.intent()),
    ("model_versions", "version", lambda p: p.workspace.models.entries()),
    ("model_versions", "version", lambda p: p.workspace.models.register([trained("new", "job-2")])),
    ("shared_models", "version", lambda p: p.workspace.shared.shared()),
    ("jobs", "position", lambda p: p.workspace.jobs.submit([LATER], component())),
    ("jobs", "seconds", lambda p: p.workspace.jobs.median_seconds()),
    ("effects", "position", lambda p: p.control.effects.intend([Effect("other", SHARING.event)])),
]


@pytest.mark.parametrize(
    ("table", "column", "act"), NUMBERS, ids=[f"{n}-{row[0]}.{row[1]}" for n, row in enumerate(NUMBERS)]
)
def test_a_number_that_is_none_is_one_error_that_names_its_table(
    filled: Filled, table: str, column: str, act: Act
) -> None:
    if filled.database.backend.shared:
        pytest.skip("a server's columns hold what they should")
    states, workspace = filled.platform.control.states, filled.platform.workspace
    states.reject([("m", 1)])
    states.select({"m": 1})
    states.crown({"m": 1})
    workspace.shared.share_models(workspace.models.versions(["m"])["m"])
    tamper(filled.database, "UPDATE jobs SET state = 'completed', seconds = 1.0")
    for value in ("''", "'x'", "1.5") if column != "seconds" else ("''", "'x'"):
        tamper(filled.database, f"UPDATE {table} SET {column} = {value} WHERE rowid = 1")
        before = contents(filled.database)
        with pytest.raises(BadInput) as caught:
            act(filled.platform)
        assert str(caught.value).startswith(f"{table} ")
        assert "a backup" in caught.value.fix
        assert contents(filled.database) == before


@pytest.mark.parametrize("inputs", ["''", "'{'", "'null'", "'[]'"])
def test_training_inputs_that_cannot_be_read_name_their_version(filled: Filled, inputs: str) -> None:
    tamper(filled.database, f"UPDATE model_versions SET inputs = {inputs} WHERE name = 'm'")
    (entry,) = filled.platform.workspace.models.entries()["m"]
    with pytest.raises(BadInput, match="model_versions m:1 cannot be read"):
        _ = entry.inputs


@pytest.mark.parametrize(("column", "value"), [("token", "'x'"), ("expires_at", "'x'"), ("process", "'x'")])
def test_a_lease_that_is_torn_is_one_error(filled: Filled, column: str, value: str) -> None:
    if filled.database.backend.shared and column != "process":
        pytest.skip("a server's columns hold what they should")
    runs = filled.platform.control.runs
    with runs.exclusive("ada", NO_TIME):
        pass
    tamper(filled.database, f"UPDATE leases SET {column} = {value}")
    with pytest.raises(BadInput, match="leases stages cannot be read"), runs.exclusive("grace", NO_TIME):
        pass


def test_a_policy_that_is_missing_is_one_error(filled: Filled) -> None:
    tamper(filled.database, "DELETE FROM gate_policies WHERE gate = 'registry-promotion'")
    with pytest.raises(BadInput, match="gate_policies registry-promotion cannot be read"):
        filled.platform.control.policies.in_force()


def test_a_job_in_no_known_state_is_worked_on(filled: Filled) -> None:
    tamper(filled.database, "UPDATE jobs SET state = 'x'")
    rows = readings()
    filled.platform.workspace.frozen.freeze(rows, rows.fingerprint())
    started = filled.platform.workspace.jobs.wait(HASHES, timedelta(seconds=30))
    assert [job.state for job in started] == [JobState.COMPLETED]


GOLDEN = Path(__file__).parents[1] / "golden" / "stored" / "format_1"
FIRST_FORM = {"gate_policies": f"'{(GOLDEN / 'policies_gate.json').read_text().strip()}'"}
"""What the first databases held, where that is not what is written now without its number."""


@pytest.mark.parametrize(
    ("table", "act"), [(table, act) for table, _, act in ACTS if table != "components_run"]
)
def test_rows_of_the_first_databases_are_read(filled: Filled, table: str, act: Act) -> None:
    without_number = """replace(replace(content, '"format":1,', ''), '"format":2,', '')"""
    with filled.damaged(table, FIRST_FORM.get(table, without_number)):
        act(filled.platform)


def test_an_outcome_of_a_newer_fleetcast_is_left_to_it(filled: Filled) -> None:
    file = outcome_file(filled.folder / "jobs" / JOB.id)
    file.parent.mkdir(parents=True)
    file.write_text('{"format":9,"artifact":1}')
    before = contents(filled.database)
    with pytest.raises(BadInput) as caught:
        filled.platform.workspace.jobs.wait(HASHES, NO_TIME)
    assert (
        str(caught.value)
        == f"{file} has format 9, this fleetcast knows no newer one than {JOB_OUTCOME.number}"
    )
    assert caught.value.fix
    assert contents(filled.database) == before


# Half migrated

TABLES = [table.name for table in schema.metadata.sorted_tables if table is not schema.schema_version]


def at_second_schema(address: Address) -> ControlDatabase:
    database = at_first_schema(address)
    step: Callable[[sa.Connection, Sealing], str | None] = (
        migrate._one_step
    )  # an old database is what it took
    database.change(lambda connection: step(connection, SEALING))
    assert migrate.schema_number(database) == "0002"
    return database


def tamper(database: ControlDatabase, *statements: str) -> None:
    for statement in statements:
        database.change(lambda connection, statement=statement: connection.exec_driver_sql(statement))  # type: ignore[misc]  # as above


def refused(database: ControlDatabase, open_it: Callable[[ControlDatabase], object], named: str) -> None:
    """One error that names the table, and nothing written."""
    before, revision = contents(database), migrate.schema_number(database)
    columns = database.read(_columns)
    with pytest.raises(FleetcastError) as caught:
        open_it(database)
    assert named in str(caught.value)
    assert "backup" in caught.value.fix
    assert contents(database) == before
    assert migrate.schema_number(database) == revision
    assert database.read(_columns) == columns


def _columns(connection: sa.Connection) -> set[tuple[str, str]]:
    tables = sa.inspect(connection)
    return {
        (table, column["name"]) for table in tables.get_table_names() for column in tables.get_columns(table)
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_the_schema_number_promises_is_missed(address: Address, table: str) -> None:
    database = opened(address)
    migrate.ensure_schema(database)
    tamper(database, f"DROP TABLE {table}")
    for open_it in (migrate.ensure_schema, migrate.upgrade):
        refused(database, open_it, table)


@pytest.mark.parametrize(
    ("table", "column"), [("requests", "opened_at"), ("model_versions", "inputs"), ("effects", "by")]
)
def test_a_column_that_the_schema_number_promises_is_missed(
    address: Address, table: str, column: str
) -> None:
    database = opened(address)
    migrate.ensure_schema(database)
    tamper(database, f'ALTER TABLE {table} DROP COLUMN "{column}"')
    for open_it in (migrate.ensure_schema, migrate.upgrade):
        refused(database, open_it, f"{table}.{column}")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TABLE effects (key VARCHAR(256))", "effects"),
        ("CREATE TABLE refused_models (name VARCHAR(64))", "refused_models"),
        ("ALTER TABLE requests ADD COLUMN gate VARCHAR(32)", "gate"),
        ("ALTER TABLE model_versions DROP COLUMN state", "state"),
        ("DROP TABLE requests", "requests"),
        ("DROP TABLE model_versions", "model_versions"),
    ],
)
def test_what_a_migration_finds_half_done_is_left_as_it_is(
    address: Address, statement: str, named: str
) -> None:
    database = at_second_schema(address)
    tamper(database, statement)
    refused(database, migrate.upgrade, named)


def test_a_request_that_a_migration_cannot_read_is_named(address: Address) -> None:
    database = at_second_schema(address)
    tamper(
        database,
        "INSERT INTO requests (id, subject, kind, name, version, state, decided, content) "
        """VALUES (17, 's', 'model', 'm', '1', 'approved', 0, '{"opened_at":"2025')""",
    )
    refused(database, migrate.upgrade, "requests 17 cannot be read")


def test_tables_without_a_schema_number_are_not_taken_for_an_empty_database(address: Address) -> None:
    database = opened(address)
    migrate.ensure_schema(database)
    tamper(database, "DELETE FROM alembic_version")
    refused(database, migrate.ensure_schema, "accounts")
    refused(database, migrate.upgrade, "assets")


def test_a_foreign_table_of_the_same_name_is_not_taken_for_ours(address: Address) -> None:
    database = opened(address)
    tamper(database, "CREATE TABLE runs (id INTEGER)")
    refused(database, migrate.ensure_schema, "runs")
