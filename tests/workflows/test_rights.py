"""Every workflow asks for a right before it begins: whoever has none is refused, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest

from fleetcast.app import Desk, OpenFleet, SignInDoor, open_desk
from fleetcast.domain.approval import Choice, WantedRequests
from fleetcast.domain.audit import Actor, Means, Proof
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.people import Denied, Grant, Person
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.release import Endpoint, ReleaseName
from fleetcast.domain.repeat import Answer
from fleetcast.domain.role import Right, Role
from fleetcast.workflows.browse import Stretch, WantedEntries
from fleetcast.workflows.clean import WhatGoes
from fleetcast.workflows.manage_people import NewPerson
from tests.fleets import UNWATCHED, small_fleet

AT_ONCE = timedelta(0)
ANNA = Person("p-1", "anna", identities=(Proof(Means.SYSTEM_USER, "uid 1 on here"),))
AS_ANNA, STRANGER = Actor("anna", person="p-1"), Actor("anna")
ALL = "PLANT001/*"
ON_RELEASE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"}
DAY = date(2025, 11, 30)
LYON = Endpoint(EnvironmentName.TEST, "LYON")
Act = Callable[[OpenFleet], object]
WORKFLOWS: Mapping[str, tuple[Right, Act]] = {
    "plan": (Right.VIEW, lambda f: f.planning(f.fleet)),
    "status": (Right.VIEW, lambda f: f.status(f.fleet)),
    "retired": (Right.VIEW, lambda f: f.retired(f.fleet)),
    "models list": (Right.VIEW, lambda f: f.models(f.fleet)),
    "models show": (Right.VIEW, lambda f: f.model(f.fleet, "PLANT001/CIRCUIT01")),
    "reproduce": (Right.VIEW, lambda f: f.reproducing(f.fleet.component, "x", 1)),
    "models verify": (Right.VIEW, lambda f: f.verifying_models(f.fleet)),
    "forecast": (Right.VIEW, lambda f: f.forecasting(f.fleet.circuits[0])),
    "train": (Right.TRAIN, lambda f: f.training(f.fleet, UNWATCHED, lock_timeout=AT_ONCE)),
    "stage": (
        Right.TRAIN,
        lambda f: f.training.stage("RegisterData", f.fleet, UNWATCHED, run_id=None, lock_timeout=AT_ONCE),
    ),
    "vacuum": (
        Right.OPERATE,
        lambda f: f.vacuuming(None)(f.fleet, keep=(), older_than=timedelta(days=30), dry_run=True),
    ),
    "clean": (Right.OPERATE, lambda f: f.cleaning.plan(f.fleet, [EnvironmentName.DEV])),
    "clean --apply": (
        Right.OPERATE,
        lambda f: f.cleaning(f.fleet, WhatGoes(), [EnvironmentName.DEV], AT_ONCE),
    ),
    "releases list": (Right.VIEW, lambda f: f.books.releases.endpoints()),
    "releases list PLANT": (Right.VIEW, lambda f: f.books.releases.history(LYON, 1)),
    "releases show": (Right.VIEW, lambda f: f.books.releases.show(ReleaseName(LYON))),
    "releases diff": (Right.VIEW, lambda f: f.books.releases.diff(ReleaseName(LYON), ReleaseName(LYON))),
    "releases diff PLANT": (Right.VIEW, lambda f: f.undeployed(f.fleet, LYON)),
    "deploy status": (Right.VIEW, lambda f: f.deployments()),
    "deploy": (
        Right.OPERATE,
        lambda f: f.deploying(ON_RELEASE)(f.fleet, EnvironmentName.TEST, lock_timeout=AT_ONCE),
    ),
    "deploy from any branch": (
        Right.ANY_BRANCH,
        lambda f: f.deploying({})(f.fleet, EnvironmentName.TEST, any_branch=True, lock_timeout=AT_ONCE),
    ),
    "deploy --step": (Right.OPERATE, lambda f: f.advancing(EnvironmentName.TEST, lock_timeout=AT_ONCE)),
    "diagnose": (Right.VIEW, lambda f: f.diagnosing(f.fleet, EnvironmentName.PROD, "PLANT001")),
    "propose to whom alarms are about": (
        Right.VIEW,
        lambda f: f.finding_gains.alarmed(f.fleet, EnvironmentName.PROD),
    ),
    "propose": (
        Right.VIEW,
        lambda f: f.finding_gains(f.fleet, [], environment=EnvironmentName.PROD, at_least=0.0),
    ),
    "score": (Right.OPERATE, lambda f: f.scoring(f.fleet, EnvironmentName.TEST)),
    "monitor": (Right.OPERATE, lambda f: f.monitoring(f.fleet, EnvironmentName.DEV)),
    "alarms list": (Right.VIEW, lambda f: f.books.alarms.open_ones()),
    "alarms list --all": (Right.VIEW, lambda f: f.books.alarms.listed(None, 1)),
    "alarms looks": (Right.VIEW, lambda f: f.books.alarms.last_looks()),
    "alarms show": (Right.VIEW, lambda f: f.books.alarms.find(1)),
    "alarms ack": (Right.OPERATE, lambda f: f.books.alarms.acknowledge(1, "")),
    "alarms snooze": (Right.OPERATE, lambda f: f.books.alarms.snooze(1, f.clock.now())),
    "score --on-platform": (
        Right.OPERATE,
        lambda f: f.scoring_on_platform(f.fleet, EnvironmentName.TEST),
    ),
    "explain-forecast": (Right.VIEW, lambda f: f.explaining(LYON, "C")),
    "affected": (Right.VIEW, lambda f: f.finding_affected("readings", 1)),
    "score --export": (Right.VIEW, lambda f: f.published(EnvironmentName.TEST, DAY, [])),
    "rollback": (Right.OPERATE, lambda f: f.rolling_back.plant(LYON, "", lock_timeout=AT_ONCE)),
    "rollback of a circuit": (
        Right.OPERATE,
        lambda f: f.rolling_back.circuit(LYON, "C", "", lock_timeout=AT_ONCE),
    ),
    "rollback of everything": (
        Right.OPERATE,
        lambda f: f.rolling_back.everything(EnvironmentName.TEST, "", lock_timeout=AT_ONCE),
    ),
    "hold": (Right.OPERATE, lambda f: f.holding(LYON, "C", "seasonal_naive", f.clock.now())),
    "hold --end": (Right.OPERATE, lambda f: f.holding.end(LYON, "C")),
    "unblock": (Right.OPERATE, lambda f: f.unblocking("m", 1, "why")),
    "qa sign-off": (Right.DECIDE, lambda f: f.signing_off(f.fleet, ["LYON"], "looked")),
    "qa check": (Right.VIEW, lambda f: list(f.checking_served(f.fleet, ()))),
    "endpoints key": (Right.OPERATE, lambda f: f.making_key(LYON, "primary")),
    "approvals list": (Right.VIEW, lambda f: f.books.deciding.pending()),
    "approvals show": (Right.VIEW, lambda f: f.books.requests),
    "approve": (Right.DECIDE, lambda f: f.books.deciding([1], Choice.APPROVE, "")),
    "browse requests": (Right.VIEW, lambda f: f.books.browsing.requests(WantedRequests(), Stretch(1))),
    "browse audit": (Right.VIEW, lambda f: f.books.browsing.audit(WantedEntries(), Stretch(1))),
    "browse runs": (Right.VIEW, lambda f: f.books.browsing.runs(Stretch(1))),
    "answer once": (
        Right.DECIDE,
        lambda f: f.books.answering("key-1", digest_of("x"), Right.DECIDE, lambda: Answer(200, "")),
    ),
    "audit": (Right.VIEW, lambda f: f.books.audit),
    "audit report": (Right.VIEW, lambda f: list(f.books.reporting())),
    "audit verify": (Right.VIEW, lambda f: f.books.verifying()),
    "runs": (Right.VIEW, lambda f: f.books.runs),
    "runs show": (Right.VIEW, lambda f: f.books.jobs.pages("run-0001")),
    "runs logs": (Right.VIEW, lambda f: f.books.jobs.log("m.0123456789ab.1")),
    "people list": (Right.VIEW, lambda f: f.books.people()),
    "people add": (Right.MANAGE, lambda f: f.books.people.add(NewPerson("grace"))),
    "people disable": (Right.MANAGE, lambda f: f.books.people.disable("li")),
    "people enable": (Right.MANAGE, lambda f: f.books.people.enable("li")),
    "people identify": (Right.MANAGE, lambda f: f.books.people.identify("li", [])),
    "people group": (Right.MANAGE, lambda f: f.books.people.group("leads", ["li"])),
    "people grant": (Right.MANAGE, lambda f: f.books.people.grant("li", Role.VIEWER)),
    "people revoke": (Right.MANAGE, lambda f: f.books.people.revoke("li", Role.ADMIN)),
    "token list": (Right.VIEW, lambda f: f.books.tokens.listed()),
    "token create": (Right.VIEW, lambda f: f.books.tokens.create("mine", timedelta(days=1))),
    "token create for a service": (
        Right.MANAGE,
        lambda f: f.books.tokens.create("ci", timedelta(days=1), of="li"),
    ),
    "token revoke": (Right.MANAGE, lambda f: f.books.tokens.revoke(1)),
    "notifications list": (Right.VIEW, lambda f: f.books.notices.listed(1)),
    "notifications retry": (Right.OPERATE, lambda f: f.books.notices.retry([1], None)),
    "notifications ack": (Right.OPERATE, lambda f: f.books.notices.acknowledge(1)),
    "schedules list": (Right.VIEW, lambda f: f.books.schedules()),
    "schedules run": (
        Right.OPERATE,
        lambda f: f.books.keeping_schedules(f.directory, print)(AT_ONCE, lambda: True),
    ),
    "invite": (Right.MANAGE, lambda f: f.books.inviting("li")),
}
NEED_NO_RIGHT = {
    "pinning", "proposing", "since", "run_files", "schedule_logs", "state", "books", "writing_back",
}  # fmt: skip
"""What touches files of the repository alone, which git guards, or leads to the workflows above."""
HOW_ONE_SIGNS_IN = {
    "signing_in": "a name and its password",
    "signing_in_by": "an identity that a provider has shown",
    "recognising": "the secret of a session",
    "signing_out": "the secret of a session",
    "opening_first_admin_link": "nothing: it ends once somebody can look after the fleet by signing in",
    "using_link": "the secret of a one-time link",
    "changing_password_of": "the present password",
}
"""Asks for no right, as nobody is known yet; for what instead. What each refuses stands in `test_sign_in.py`."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = small_fleet(tmp_path_factory.mktemp("rights"), family="seasonal_naive").opened.directory
    desk = open_desk(folder)
    desk.as_(STRANGER).training(desk.fleet, UNWATCHED, lock_timeout=AT_ONCE)
    li = Person("p-2", "li")
    grants = [Grant("p-2", Role.ADMIN)]
    desk.as_(STRANGER).platform.control.people.add([ANNA, li], grants, first=True)
    return desk


def entries(desk: Desk) -> int:
    return sum(1 for _ in desk.as_(STRANGER).platform.control.audit.entries())


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("actor", [STRANGER, AS_ANNA], ids=["stranger", "without a role"])
def test_whoever_has_no_right_is_refused_and_leaves_no_trace(desk: Desk, name: str, actor: Actor) -> None:
    before = entries(desk)
    with pytest.raises(Denied) as denied:
        WORKFLOWS[name][1](desk.as_(actor))
    assert denied.value.fix
    assert entries(desk) == before


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_token_that_does_not_reach_so_far_is_refused(desk: Desk, name: str) -> None:
    right, act = WORKFLOWS[name]
    admin = Actor("li", person="p-2")
    others = frozenset(Right) - {right}
    with pytest.raises(Denied, match=r"does not reach|may not"):
        act(desk.as_(admin, others))


def test_no_workflow_is_missing_here(desk: Desk) -> None:
    fleet = {name for name in vars(OpenFleet) if not name.startswith("_")}
    fields = set(OpenFleet.__dataclass_fields__)
    assert fleet - fields - NEED_NO_RIGHT == {
        "planning", "training", "forecasting", "status", "retired", "models", "model", "verifying_models", "vacuuming",
        "undeployed", "deployments", "deploying", "advancing", "rolling_back", "holding", "unblocking", "signing_off",
        "making_key", "scoring", "explaining", "finding_affected", "published", "checking_served", "monitoring",
        "finding_gains", "diagnosing", "reproducing", "scoring_on_platform", "cleaning",
    }  # fmt: skip
    books = {name for name in vars(type(desk.as_(STRANGER).books)) if not name.startswith("_")}
    fields_of_books = {
        "control",
        "gates",
        "notifications",
        "schedules_declared",
        "clock",
        "state",
        "workspace",
    }
    assert books - fields_of_books - NEED_NO_RIGHT == {
        "deciding", "browsing", "answering", "requests", "audit", "runs", "verifying", "reporting", "people", "tokens",
        "inviting", "releases", "jobs", "alarms", "notices", "schedules", "keeping_schedules",
    }  # fmt: skip
    door = {name for name in vars(SignInDoor) if not name.startswith("_")}
    assert door - set(SignInDoor.__dataclass_fields__) == set(HOW_ONE_SIGNS_IN)


def test_an_engineer_of_one_plant_trains_that_one_and_no_other(desk: Desk) -> None:
    book = desk.as_(STRANGER).platform.control.people
    here, elsewhere = (Grant("p-1", Role.ENGINEER, Scope(plant=plant)) for plant in ("PLANT001", "PLANT002"))
    book.grant([elsewhere])
    with pytest.raises(Denied, match="plant PLANT001"):
        WORKFLOWS["train"][1](desk.as_(AS_ANNA))
    book.revoke([elsewhere])
    book.grant([here])
    WORKFLOWS["train"][1](desk.as_(AS_ANNA))
    book.revoke([here])


def test_a_right_that_was_lost_is_lost_at_once(desk: Desk) -> None:
    opened, grant = desk.as_(AS_ANNA), Grant("p-1", Role.VIEWER)
    book = desk.as_(STRANGER).platform.control.people
    book.grant([grant])
    assert opened.books.deciding.pending()
    book.revoke([grant])
    with pytest.raises(Denied):
        opened.books.deciding.pending()
