"""A value of every kind that is stored, each with all that its golden file shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fleetcast.domain.account import Account
from fleetcast.domain.alarm import Acknowledged, Alarm, AlarmState, CauseKind, Gone, LastLook
from fleetcast.domain.alarm import Cause as AlarmCause
from fleetcast.domain.approval import Choice, Decision, Request, RequestState
from fleetcast.domain.attempts import Attempts, Listed
from fleetcast.domain.audit import GENESIS, AuditEvent, Mark, Means, Proof, Standing, chained
from fleetcast.domain.commit import Writer
from fleetcast.domain.deployment import Deployment, DeploymentPlan, PlannedRelease, PlantRollout
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.effect import Effect
from fleetcast.domain.evidence import CheckVerdict, Evidence, WordedCheck, WordedFact
from fleetcast.domain.fallback import Unused
from fleetcast.domain.freeze import parse_freeze
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.health import Answers, Counts, Criteria, Forecasts, Invalid
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobBatch, JobOutcome
from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.link import Link, LinkEnd, LinkPurpose
from fleetcast.domain.manifest import Seal
from fleetcast.domain.notice import EventKind, Fact, Notice, NoticeLink
from fleetcast.domain.page import Page
from fleetcast.domain.people import Grant, Group, Kind, Origin, Person
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.quota import Machines
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Endpoint, NumberedRelease, Release, ServedModel
from fleetcast.domain.repeat import Answer, Call, KeptCall
from fleetcast.domain.role import Right, Role
from fleetcast.domain.rollout import Cause, Phase
from fleetcast.domain.run import Ending, Run, StageRecord
from fleetcast.domain.schedule import Turn, TurnState
from fleetcast.domain.scores import ModelScores
from fleetcast.domain.service import TIMES_END_MS, Served, ServerStretch
from fleetcast.domain.session import SessionEnd, SignInSession
from fleetcast.domain.telling import Told
from fleetcast.domain.token import Token
from fleetcast.domain.traffic import CountedWindow, Override, Report, SignedTraffic, Traffic, Watch
from fleetcast.stored.accounts import ACCOUNT, ATTEMPTS, LINK, LISTED, SIGN_IN_SESSION
from fleetcast.stored.alarms import ALARM, LAST_LOOK
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.assets import ASSET, DATA_ASSET
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.deployments import DEPLOYMENT, PLANT_ROLLOUT
from fleetcast.stored.effects import EFFECT
from fleetcast.stored.form import Stored
from fleetcast.stored.jobs import COMPONENT, FIT_TASK, JOB_BATCH, JOB_OUTCOME, TRAINING_JOB
from fleetcast.stored.manifests import SEAL, SIGNED_MANIFEST
from fleetcast.stored.models import TRAINED_MODEL
from fleetcast.stored.notices import CHANNEL_STATE, LETTER, PAGE, TOLD
from fleetcast.stored.people import GRANT, GROUP, PERSON, TOKEN
from fleetcast.stored.policies import GATE_POLICY, WholePolicy
from fleetcast.stored.quota import MACHINES
from fleetcast.stored.releases import NUMBERED_RELEASE
from fleetcast.stored.repeats import KEPT_CALL
from fleetcast.stored.runs import RUN
from fleetcast.stored.schedules import TURN
from fleetcast.stored.service import SERVER_STRETCH
from fleetcast.stored.traffic import REPORT, SIGNED_TRAFFIC
from tests.clocks import NOON
from tests.contracts.samples import (
    ADA,
    BASELINES,
    GRACE,
    SCORES,
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
from tests.signing import manifest, signed, signer

_LATER = NOON + timedelta(seconds=90, microseconds=5)
_OUTCOME = JobOutcome(digest("artifact"), 1_234, ModelScores(SCORES, {"temperature": SCORES}, BASELINES))
_QUEUED = job(readings(), component())
_EVENT = AuditEvent("model.shared", "plant001-circuit01:3", {"artifact": digest("artifact").hex})
_MARK = Mark(17, digest("entry 17"))


_AT_A_MACHINE = Proof(Means.SYSTEM_USER, "uid 1000 on plant-7")


def _decided(proof: Proof | None = _AT_A_MACHINE) -> Request:
    decision = Decision(
        replace(GRACE, proof=proof), Choice.APPROVE, "as good as before \u2013 \U0001f44d", _LATER
    )
    return replace(request(), id=17, state=RequestState.APPROVED, decisions=(decision,))


def _handed_on() -> Request:
    """Under all the rules there are, with somebody behind it in each sense, and a vote that was handed on."""
    decided = _decided()
    given = Decision(ADA, Choice.HAND_ON, "on leave", NOON, to=replace(GRACE, person="p-1"))
    subject = replace(decided.subject, policy=digest("every rule"))
    decisions = (given, *decided.decisions)
    return replace(
        decided,
        policy=_EVERY_RULE,
        subject=subject,
        decisions=decisions,
        committed_by=(Writer("Ada Byron", "ada@example.org"), Writer("grace")),
        made_by=(replace(ADA, proof=_AT_A_MACHINE), GRACE),
    )


_EVERY_RULE = GatePolicy(
    ("ada", "grace"),
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
        parse_freeze("fri 18:00 to mon 06:00"),
        parse_freeze("2025-12-20T00:00Z to 2026-01-05T00:00Z"),
    ),
    break_glass=True,
)


def _in_words(held: Request) -> Request:
    """The same request as format 1 held it: evidence in sentences, and a policy without the fields that came later."""
    evidence = Evidence(
        (WordedCheck("min_skill", CheckVerdict.PASSED, "skill 0.3, at least 0"),),
        (WordedFact("circuit", "PLANT001/CIRCUIT01"),),
    )
    subject = replace(
        held.subject,
        policy=digest("GatePolicy(approvers=('*',), minimum=1, own_request_allowed=True)"),
        evidence=Digest("68ddeb5a93db4eb94243fcc61c90065904a5c627704663ff51f344951facd8a7"),
    )
    return replace(held, evidence=evidence, subject=subject)


def _notice() -> Notice:
    return Notice(
        "fedcba987654",
        EventKind.DATA_STALE,
        NOON,
        "data stale: PLANT001",
        (Fact("since", "noon"),),
        EnvironmentName.PROD,
        "PLANT001",
        "CIRCUIT01",
        "ada",
        ("grace",),
        (NoticeLink("the alarm", "https://example.com/alarms/1"),),
        "docs/MONITORING.md",
    )


def _run() -> Run:
    run = Run("run-0001", digest("fleet"), "0123abc", ADA.name, NOON)
    stage = StageRecord("RegisterData", Ending.DONE, "2 registered", NOON, _LATER)
    return run.with_stage(stage).ended(Ending.AWAITING, _LATER)


_LYON = Endpoint(EnvironmentName.PROD, "LYON")
_SERVED = ServedModel("lyon-a", 2, digest("artifact"), digest("hash"))
_RELEASE = Release(_LYON.environment, _LYON.plant, "1.0.0", {"b": _SERVED, "a": _SERVED}, ("c",))
_PLAN = DeploymentPlan(
    _LYON.environment,
    (PlannedRelease("LYON", 3, _RELEASE.digest, digest("blue")),),
    (("LYON",),),
    Ramp(),
    Criteria(),
)
_OVERRIDES = (Override("a", None, Unused.HELD, _LATER), Override("b", _SERVED, Unused.BLOCKED))
_TRAFFIC = Traffic(_LYON, digest("blue"), _RELEASE.digest, 25, _OVERRIDES, Watch(), 9)
_COUNTS = Counts(Answers(40, 2, 1), Forecasts(38, {Invalid.NOT_FINITE: 2}), Forecasts(20))


@dataclass(frozen=True, slots=True)
class Example:
    """One value, and how its kind is stored."""

    stored: Stored[Any]
    value: object


_SESSION = SignInSession(
    7,
    "p-1",
    Proof(Means.PASSWORD, "anna.berg"),
    digest("secret"),
    digest("rights"),
    NOON,
    _LATER,
    _LATER,
    SessionEnd.SIGNED_OUT,
)
_GRANT = Grant("p-1", Role.APPROVER, Scope(Gate.TEST_DEPLOYMENT, EnvironmentName.TEST, "PLANT001"))
_ALARM = Alarm(
    cause=AlarmCause(CauseKind.PROCESS_CHANGED, EnvironmentName.PROD, "PLANT001", "CIRCUIT01"),
    owner="Ada",
    state=AlarmState.RECOVERED,
    since=NOON,
    raised_at=NOON,
    looked_at=_LATER,
    seen_at=NOON,
    impact=0.25,
    told_impact=0.2,
    shown_by=(
        Observation(
            signal=Signal.DATA_DRIFT,
            environment=EnvironmentName.PROD,
            plant="PLANT001",
            circuit="CIRCUIT01",
            sensor="temperature",
            at=NOON,
            outcome=Outcome.BREACHED,
            value=0.31,
            threshold=0.15,
            p_value=0.0002,
            impact=0.25,
            model="plant001-circuit01:3",
            detail={"wasserstein": 1.5, "stuck_since": "2025-11-30"},
        ),
    ),
    shown_by_count=1,
    fine_looks=2,
    acknowledged=Acknowledged("grace", NOON, "a new pump"),
    snoozed_until=None,
    recovered_at=_LATER,
    gone=Gone.FINE,
    number=7,
)

EXAMPLES: Mapping[str, Example] = {
    "accounts_account": Example(
        ACCOUNT, Account("p-1", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", NOON, 2)
    ),
    "alarms_alarm": Example(ALARM, _ALARM),
    "alarms_look": Example(
        LAST_LOOK, LastLook(EnvironmentName.PROD, NOON, 40, {Outcome.FINE: 230, Outcome.NOT_ENOUGH_DATA: 10})
    ),
    "accounts_attempts": Example(ATTEMPTS, Attempts(3, _LATER)),
    "accounts_link": Example(
        LINK, Link(3, LinkPurpose.SET_PASSWORD, "p-1", digest("secret"), "ada", NOON, _LATER, LinkEnd.USED)
    ),
    "accounts_listed": Example(LISTED, Listed(NOON, 3, 17)),
    "accounts_session": Example(
        SIGN_IN_SESSION,
        replace(_SESSION, roles=(Role.VIEWER, Role.APPROVER), groups_left_out=True),
    ),
    "approvals_decided": Example(REQUEST, _handed_on()),
    "approvals_pending": Example(REQUEST, replace(request(), id=1)),
    "assets_data": Example(DATA_ASSET, data_asset()),
    "assets_environment": Example(ASSET, environment()),
    "audit_entry": Example(AUDIT_ENTRY, chained(1, NOON, replace(ADA, proof=_AT_A_MACHINE), _EVENT, GENESIS)),
    "deployments_deployment": Example(DEPLOYMENT, Deployment(3, _PLAN, "0123abc", "ada", NOON, 17)),
    "deployments_rollout": Example(
        PLANT_ROLLOUT,
        PlantRollout(
            _LYON,
            3,
            replace(
                _PLAN.rollout("LYON", digest("blue")),
                phase=Phase.ROLLED_BACK,
                judged=7,
                cause=Cause.FAILED,
            ),
            "a check failed",
        ),
    ),
    "effects_share": Example(EFFECT, Effect("share model plant001-circuit01:3", _EVENT)),
    "jobs_completed": Example(TRAINING_JOB, _QUEUED.started(NOON).completed(_OUTCOME, _LATER)),
    "jobs_batch": Example(JOB_BATCH, JobBatch(component(max_retries=2), (_QUEUED,))),
    "jobs_component": Example(COMPONENT, component(max_retries=2)),
    "jobs_outcome": Example(JOB_OUTCOME, _OUTCOME),
    "jobs_queued": Example(TRAINING_JOB, _QUEUED),
    "jobs_task": Example(FIT_TASK, _QUEUED.task),
    "manifests_seal": Example(SEAL, Seal(_MARK, signer().sign(Seal.message(_MARK)))),
    "manifests_signed": Example(SIGNED_MANIFEST, signed(manifest("plant001-circuit01", 3))),
    "models_adopted": Example(TRAINED_MODEL, adopted()),
    "models_trained": Example(TRAINED_MODEL, trained()),
    "people_grant": Example(GRANT, replace(_GRANT, origin=Origin.PROVIDER)),
    "people_group": Example(GROUP, Group("leads", frozenset({"p-1"}))),
    "notices_letter": Example(
        LETTER,
        Letter(
            7,
            "ops",
            "0123456789ab",
            "soon/ada",
            (_notice(),),
            NOON,
            NOON + timedelta(minutes=5),
            left_out=3,
            tries=2,
            sent_at=NOON + timedelta(hours=1),
            why="busy",
        ),
    ),
    "notices_page": Example(PAGE, Page(3, _notice(), NOON, 1, NOON + timedelta(hours=1), "ada")),
    "notices_channel": Example(CHANNEL_STATE, ChannelState("ops", 12, 2, NOON, "410: gone")),
    "notices_told": Example(TOLD, Told(12, "run-0001", NOON)),
    "releases_release": Example(NUMBERED_RELEASE, NumberedRelease(3, _RELEASE, NOON, "ada")),
    "repeats_call": Example(
        KEPT_CALL,
        KeptCall(
            Call(digest("ada"), "key-1", digest("approve 1")), NOON, Answer(200, '{"state":"approved"}')
        ),
    ),
    "people_person": Example(
        PERSON,
        Person("p-1", "anna.berg", Kind.SERVICE, "Anna Berg", ("aberg",), (_AT_A_MACHINE,), disabled=True),
    ),
    "people_token": Example(
        TOKEN,
        Token(
            7,
            "p-1",
            digest("secret"),
            Standing.VERIFIED,
            frozenset({Right.VIEW}),
            "nightly runs",
            "ada",
            NOON,
            _LATER,
            _LATER,
        ),
    ),
    "policies_gate": Example(GATE_POLICY, WholePolicy.of(_EVERY_RULE)),
    "quota_machines": Example(MACHINES, Machines("westeurope", "Standard_DS3_v2", "standardDSv2Family", 4)),
    "runs_at_work": Example(RUN, _run().beginning("RegisterEnvironment", "grace", _LATER)),
    "runs_awaiting": Example(RUN, _run()),
    "schedules_turn": Example(
        TURN,
        Turn("score prod", NOON, "0 12 * * *", TurnState.WAITING, 2, 3, NOON, _LATER, 1, _LATER),
    ),
    "service_stretch": Example(
        SERVER_STRETCH,
        ServerStretch(
            "0f1e2d3c4b5a6978",
            NOON,
            _LATER,
            {"LYON": Served(9, 2, 1, (4, 0, 3, *(0 for _ in TIMES_END_MS[3:]), 2)), "PARIS": Served()},
        ),
    ),
    "traffic_report": Example(
        REPORT,
        Report(
            ready=True,
            stopped=False,
            waited=timedelta(seconds=3.5),
            share=25,
            windows=(CountedWindow(7, 25, _COUNTS, None), CountedWindow(8, 25, _COUNTS, _COUNTS)),
            says="well",
        ),
    ),
    "traffic_signed": Example(SIGNED_TRAFFIC, SignedTraffic(_TRAFFIC, signer().sign(_TRAFFIC.message))),
}
"""By the name of its golden file, which begins with the capability."""

_BEFORE_BASELINES = replace(_OUTCOME, scores=ModelScores(SCORES, {"temperature": SCORES}))
EARLIER: Mapping[str, object] = {
    "format_1/accounts_session": _SESSION,
    "format_1/approvals_decided": _in_words(_decided(None)),
    "format_1/approvals_pending": _in_words(replace(request(), id=1)),
    "format_1/audit_entry": chained(1, NOON, ADA, _EVENT, GENESIS),
    "format_1/jobs_completed": _QUEUED.started(NOON).completed(_BEFORE_BASELINES, _LATER),
    "format_1/jobs_outcome": _BEFORE_BASELINES,
    "format_1/models_trained": replace(trained(), scores=_BEFORE_BASELINES.scores),
    "format_1/people_grant": _GRANT,
    "format_1/policies_gate": WholePolicy.of(GatePolicy(("ada", "grace"), 2, own_request_allowed=False)),
    "format_2/approvals_decided": _decided(None),
    "format_3/approvals_decided": _decided(None),
    "format_4/approvals_decided": _decided(),
    "format_5/approvals_decided": replace(
        _handed_on(), committed_by=(Writer("ada"),), made_by=(replace(ADA, proof=_AT_A_MACHINE),)
    ),
}
"""What golden files of earlier formats hold where that is another value now."""
