"""Whatever a status shows that is not in order has a step, or is said to be in somebody's hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.alarm import Alarm, AlarmState, Cause, CauseKind
from fleetcast.domain.deployment import Deployment, DeploymentPlan, DeploymentState, PlannedRelease
from fleetcast.domain.fallback import Unused
from fleetcast.domain.health import Criteria
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Endpoint
from fleetcast.domain.run import Ending, Run, RunState, StageRecord
from fleetcast.domain.schedule import Trouble
from fleetcast.domain.traffic import Override, Traffic
from fleetcast.views.status import verdict_in_words
from fleetcast.workflows.fleet_status import CircuitState, CircuitStatus, FleetStatus
from fleetcast.workflows.inspect_deployments import DeploymentStatus
from fleetcast.workflows.next_steps import Waiting, is_in_order, next_steps
from tests.clocks import NOON

KEY = CircuitKey("PLANT001", "CIRCUIT01")
PLAN = DeploymentPlan(
    EnvironmentName.PROD,
    (PlannedRelease("PLANT001", 1, Digest.of(b"release"), None),),
    (("PLANT001",),),
    Ramp(),
    Criteria(),
)
RUN = Run("run-0001", Digest.of(b"fleet"), "0123abc", "ada", NOON)
NOTHING = FleetStatus(
    at=NOON,
    circuits=(),
    pending=0,
    assets=(),
    last_run=None,
    at_work=False,
    estimated=None,
    next_steps=(),
)
COMMANDS = {
    CircuitState.FAILED: f"fleetcast train --circuits {KEY}",
    CircuitState.BLOCKED: f"fleetcast data quality {KEY}",
    CircuitState.DAMAGED: f"fleetcast models verify {KEY}",
    CircuitState.AWAITING: "fleetcast approvals show 1",
}


def circuit(state: CircuitState) -> CircuitStatus:
    return CircuitStatus(KEY, "m", state, "why", COMMANDS.get(state, ""))


def alarm(state: AlarmState) -> Alarm:
    cause = Cause(CauseKind.DATA_STALE, EnvironmentName.PROD, "PLANT001")
    return Alarm(cause, None, state, NOON, NOON, NOON, NOON, 0.0, 0.0, (), 0, number=1)


def run_in(state: RunState) -> Run:
    ending = Ending.FAILED if state is RunState.FAILED else Ending.DONE
    return replace(RUN, state=state).with_stage(StageRecord("RegisterData", ending, "said", NOON, NOON))


def deployed(state: DeploymentState) -> DeploymentStatus:
    return DeploymentStatus((Deployment(1, PLAN, "0123abc", "ada", NOON, 9, state),))


def held() -> DeploymentStatus:
    override = Override("CIRCUIT01", None, Unused.HELD, NOON + timedelta(days=1))
    endpoint = Endpoint(EnvironmentName.PROD, "PLANT001")
    return DeploymentStatus(traffic=(Traffic(endpoint, Digest.of(b"blue"), overrides=(override,)),))


@st.composite
def statuses(draw: st.DrawFn) -> tuple[FleetStatus, Waiting]:
    """A fleet in any mixture of states, with what waits in it."""
    circuits = tuple(map(circuit, draw(st.lists(st.sampled_from(CircuitState), max_size=4))))
    awaiting = any(one.state is CircuitState.AWAITING for one in circuits)
    pending = draw(st.integers(1 if awaiting else 0, 2))
    last = draw(st.none() | st.sampled_from(RunState).map(run_in))
    status = replace(
        NOTHING,
        circuits=circuits,
        pending=pending,
        last_run=last,
        at_work=last is not None and last.state.is_unfinished and draw(st.booleans()),
        alarms=tuple(
            map(
                alarm,
                draw(
                    st.lists(
                        st.sampled_from([one for one in AlarmState if one is not AlarmState.RECOVERED]),
                        max_size=2,
                    )
                ),
            )
        ),
        serving=draw(st.sampled_from([DeploymentStatus(), held(), *map(deployed, DeploymentState)])),
        schedules=draw(st.sampled_from([(), (Trouble("train", NOON, failed=draw(st.booleans())),)])),
    )
    waiting = Waiting(
        parked=draw(st.booleans()),
        passing=pending > 0 and draw(st.booleans()),
        assets=draw(st.booleans()),
        requests=frozenset({9} if pending and draw(st.booleans()) else ()),
        lapsed=draw(st.integers(0, 2)),
    )
    return status, waiting


@given(statuses())
def test_nothing_to_do_is_said_only_of_a_fleet_that_shows_nothing(made: tuple[FleetStatus, Waiting]) -> None:
    status, waiting = made
    told = replace(status, next_steps=tuple(next_steps(status, waiting)))
    shows = (
        told.needing_somebody
        or told.alarms
        or told.pending
        or told.schedules
        or told.at_work
        or told.serving.traffic
        or (told.last_run is not None and told.last_run.state.can_continue)
    )
    assert not (shows and verdict_in_words(told) == "Nothing to do.")
    if told.needing_somebody and not told.at_work:
        assert verdict_in_words(told) == "Next"


@given(statuses())
def test_everything_is_in_order_is_the_only_step_where_it_is_said(made: tuple[FleetStatus, Waiting]) -> None:
    status, waiting = made
    whys = [step.why for step in next_steps(status, waiting)]
    if is_in_order(status) and not (waiting.assets or waiting.lapsed):
        assert whys == ["everything is in order: look at a forecast"]
    if not is_in_order(status):
        assert not any("in order" in why for why in whys)


@given(statuses())
def test_nobody_is_told_to_train_while_somebody_does(made: tuple[FleetStatus, Waiting]) -> None:
    status, waiting = made
    commands = [step.command for step in next_steps(replace(status, at_work=True), waiting)]
    assert not any(command.startswith("fleetcast train") for command in commands)


@pytest.mark.parametrize(
    ("status", "waiting", "steps"),
    [
        (
            replace(NOTHING, circuits=(circuit(CircuitState.BLOCKED), circuit(CircuitState.BLOCKED))),
            Waiting(),
            [(f"fleetcast data quality {KEY}", f"{KEY} is blocked, and 1 other likewise: why")],
        ),
        (
            replace(NOTHING, last_run=run_in(RunState.FAILED)),
            Waiting(),
            [("fleetcast train", "run-0001 failed in RegisterData: fix the cause, then this continues it")],
        ),
        (
            replace(NOTHING, last_run=run_in(RunState.STILL_RUNNING)),
            Waiting(),
            [("fleetcast train", "jobs of run-0001 have not ended: this goes on watching them")],
        ),
        (
            replace(NOTHING, last_run=run_in(RunState.AWAITING)),
            Waiting(),
            [("fleetcast train", "people have decided: this ends run-0001")],
        ),
        (
            replace(NOTHING, circuits=(circuit(CircuitState.TO_PROMOTE),)),
            Waiting(lapsed=1),
            [("fleetcast train", "asks again, as nobody decided on 1 request in time")],
        ),
        (
            replace(NOTHING, serving=deployed(DeploymentState.HALTED)),
            Waiting(),
            [("fleetcast deploy status", "deployment 1 to prod was halted, as a plant was rolled back")],
        ),
        (
            replace(NOTHING, serving=deployed(DeploymentState.WAITING)),
            Waiting(),
            [("fleetcast deploy prod", "people have decided on deployment 1 to prod: this goes on with it")],
        ),
        (
            replace(
                NOTHING, schedules=(Trouble("train", NOON, failed=True), Trouble("plan", NOON, failed=False))
            ),
            Waiting(),
            [
                (
                    "fleetcast schedules list",
                    "train failed too often, and is not tried again before it is due next",
                ),
                ("fleetcast schedules list", "plan should have started by now"),
            ],
        ),
    ],
)
def test_what_is_not_in_order_has_its_step(
    status: FleetStatus, waiting: Waiting, steps: list[tuple[str, str]]
) -> None:
    assert [(step.command, step.why) for step in next_steps(status, waiting)] == steps


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (NOTHING, "Nothing to do."),
        (replace(NOTHING, alarms=(alarm(AlarmState.ACKNOWLEDGED),)), "In hand: 1 alarm acknowledged."),
        (
            replace(NOTHING, last_run=RUN, at_work=True, alarms=(alarm(AlarmState.SNOOZED),)),
            "In hand: run-0001 is at work; 1 alarm snoozed.",
        ),
        (
            replace(NOTHING, serving=held()),
            "In hand: PLANT001/CIRCUIT01 is held in prod until 2025-12-02 12:00 UTC.",
        ),
        (
            replace(NOTHING, serving=deployed(DeploymentState.RUNNING)),
            "In hand: deployment 1 to prod is on its way.",
        ),
    ],
)
def test_what_others_have_in_hand_is_named(status: FleetStatus, said: str) -> None:
    assert verdict_in_words(status) == said
