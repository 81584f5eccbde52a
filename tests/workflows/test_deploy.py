"""Deploying, step by step, on the platform in memory: what is asked, what begins, what goes back and stays there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fleetcast.domain.approval import Choice, RequestState
from fleetcast.domain.branch import WrongBranch
from fleetcast.domain.circuit import Serving
from fleetcast.domain.deployment import DeploymentState
from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.health import Answers, Counts, Forecasts
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.release import Endpoint, Kept, Release
from fleetcast.domain.rollout import Cause, Phase
from fleetcast.domain.traffic import CountedWindow
from fleetcast.pipeline.deploying import NotServable
from fleetcast.pipeline.fared import Fared
from fleetcast.pipeline.releases import previous_of
from fleetcast.platforms.memory.endpoints import MemoryEndpoints
from fleetcast.ports.effects import EffectBook
from fleetcast.ports.platform import Platform
from fleetcast.views.evidence import facts_in_words
from fleetcast.workflows.advance_rollouts import AdvanceRollouts, Moved
from fleetcast.workflows.deploy import Deploy, Deployed
from fleetcast.workflows.hold import HoldCircuit, Unblock
from fleetcast.workflows.inspect_releases import ShowUndeployed
from fleetcast.workflows.qa import NotFit, SignedOff
from fleetcast.workflows.rollback import Blocked, NothingBefore, RollBackTo
from tests.fleets import SmallFleet, small_fleet

TEST, PROD = EnvironmentName.TEST, EnvironmentName.PROD
AT_ONCE = timedelta(0)
P1, P2 = Endpoint(TEST, "PLANT001"), Endpoint(TEST, "PLANT002")


class Story:
    """A fleet of two plants with two circuits each, promoted."""

    def __init__(self, folder: Path) -> None:
        self.fleet: SmallFleet = small_fleet(folder, plants=2, family="seasonal_naive")
        settings = self.fleet.opened.fleet.settings
        gates = {**settings.gates, Gate.PROD_DEPLOYMENT: GatePolicy(("*",), minimum=1)}
        ramp = Ramp(shares=(0, 10, 100), window=timedelta(seconds=10), soak=timedelta(seconds=20))
        declared = replace(self.fleet.opened.fleet, settings=replace(settings, ramp=ramp, gates=gates))
        self.fleet.opened = replace(self.fleet.opened, fleet=declared)
        self.fleet.promote()

    @property
    def platform(self) -> Platform:
        return self.fleet.opened.platform

    def deploy(
        self, environment: EnvironmentName = TEST, branch: str | None = None, **more: object
    ) -> Deployed:
        right = {TEST: "release/7", PROD: "main"}[environment]
        deploying = Deploy(self.platform, self.fleet.clock, "0123abc", branch or right)
        return deploying(self.fleet.opened.fleet, environment, lock_timeout=AT_ONCE, **more)  # type: ignore[arg-type]

    def advance(self, environment: EnvironmentName = TEST) -> tuple[Moved, ...]:
        return AdvanceRollouts(self.platform, self.fleet.clock)(environment, lock_timeout=AT_ONCE)

    def to_the_end(self, environment: EnvironmentName = TEST) -> DeploymentState:
        for _ in range(50):
            if not self.advance(environment):
                break
        return self.last(environment)

    def last(self, environment: EnvironmentName = TEST) -> DeploymentState:
        (newest,) = self.platform.control.deployments.listed(environment, 1)
        state: DeploymentState = newest.state
        return state

    def released(self, environment: EnvironmentName = TEST) -> DeploymentState:
        """Deployed, approved, and at its end."""
        self.deploy(environment)
        self.fleet.decide()
        self.deploy(environment)
        return self.to_the_end(environment)

    def serves(self, circuit: str, endpoint: Endpoint = P1) -> int:
        live = self.platform.control.releases.live(endpoint.environment)[endpoint.plant]
        standing = self.platform.workspace.endpoints.standing(endpoint.environment)[endpoint.plant]
        assert standing.blue == live.release.digest
        version: int = live.release.circuits[circuit].version
        return version

    def retrained(self, number: int = 0) -> None:
        """A new version of one circuit, promoted."""
        revision = self.fleet.opened.fleet.circuits[number].revision + 1
        self.fleet.change(number, revision=revision)
        self.fleet.promote()


def signed_off(story: Story, plant: str, comment: str) -> SignedOff:
    done: SignedOff = story.fleet.opened.signing_off(story.fleet.opened.fleet, [plant], comment)
    return done


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_nothing_moves_before_people_have_agreed(story: Story) -> None:
    asked = story.deploy().deployment
    assert asked is not None
    assert asked.state is DeploymentState.WAITING
    assert story.advance() == ()
    assert story.platform.workspace.endpoints.standing(TEST) == {}
    assert story.deploy().deployment == asked, "asked once"
    story.fleet.decide()
    begun = story.deploy().deployment
    assert begun is not None
    assert (begun.number, begun.state) == (asked.number, DeploymentState.RUNNING)


def test_a_first_release_serves_plant_by_plant(story: Story) -> None:
    story.deploy()
    story.fleet.decide()
    story.deploy()
    first = story.advance()
    assert [moved.rollout.endpoint for moved in first] == [P1], "the first wave is one plant"
    assert story.to_the_end() is DeploymentState.DONE
    assert {story.serves(circuit, at) for circuit in ("CIRCUIT01", "CIRCUIT02") for at in (P1, P2)} == {1}
    assert story.deploy().deployment is None, "everything is served as declared"


def test_what_people_refuse_is_not_deployed_and_not_asked_for_again(story: Story) -> None:
    story.deploy()
    story.fleet.decide(Choice.REJECT, comment="not now")
    refused = story.deploy().deployment
    assert refused is not None
    assert refused.state is DeploymentState.REFUSED
    assert not story.platform.control.approvals.listed((RequestState.PENDING,))
    assert story.advance() == ()


def test_another_plan_is_asked_for_anew(story: Story) -> None:
    story.deploy()
    story.retrained()
    second = story.deploy().deployment
    assert second is not None
    assert second.number == 2
    states = [one.state for one in story.platform.control.deployments.listed(TEST, 5)]
    assert states == [DeploymentState.WAITING, DeploymentState.SUPERSEDED]


def test_a_branch_that_leads_elsewhere_is_refused(story: Story) -> None:
    for branch in ("main", "develop", "feature/x"):
        with pytest.raises(WrongBranch, match=r"release/\*"):
            story.deploy(branch=branch)
    with pytest.raises(WrongBranch, match="main"):
        story.deploy(PROD, branch="release/7")


@dataclass(frozen=True, slots=True)
class DiesBeforeRecording:
    """The journal of a controller that is killed after it has shifted traffic, and before it says so."""

    real: EffectBook

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def record(self, effects: Sequence[Effect]) -> None:
        if any(effect.event.action == "traffic.shifted" for effect in effects):
            raise Unavailable("killed")
        self.real.record(effects)


def test_what_a_controller_did_and_had_no_time_to_say_is_said_by_the_next(story: Story) -> None:
    story.released()
    story.retrained()
    story.deploy()
    story.fleet.decide()
    story.deploy()
    control = story.platform.control
    deadly = replace(story.platform, control=replace(control, effects=DiesBeforeRecording(control.effects)))
    advance = AdvanceRollouts(deadly, story.fleet.clock)

    def on_and_on() -> None:
        for _ in range(5):
            advance(TEST, lock_timeout=AT_ONCE)

    with pytest.raises(Unavailable):
        on_and_on()
    (left,) = control.effects.unconfirmed()
    assert left.event.action == "traffic.shifted"
    story.advance()
    assert not control.effects.unconfirmed()
    shifted = [entry for entry in control.audit.entries() if entry.event == left.event]
    assert len(shifted) == 1


def test_production_takes_what_was_signed_off_alone(story: Story) -> None:
    assert story.released() is DeploymentState.DONE
    nothing = story.deploy(PROD)
    assert nothing.deployment is None
    assert set(nothing.kept.values()) == {Kept.NOT_PASSED}
    assert len(nothing.kept) == 4
    signed_off(story, "PLANT001", "looked at it")
    with pytest.raises(BadInput, match="no plant matches"):
        signed_off(story, "PLANT009", "looked at it")
    with pytest.raises(BadInput, match="a word"):
        signed_off(story, "PLANT001", "  ")
    asked = story.deploy(PROD)
    assert asked.deployment is not None
    assert [one.plant for one in asked.deployment.plan.releases] == ["PLANT001"]
    assert set(asked.kept) == {"PLANT002/CIRCUIT01", "PLANT002/CIRCUIT02"}


def test_what_cannot_be_true_is_not_signed_off(story: Story) -> None:
    story.released()
    done = signed_off(story, "PLANT002", "looked at it")
    assert [one.why_not for one in done.checked] == ["", ""]
    assert all(-1 < skill <= 1 for one in done.checked for skill in one.skill.values())
    assert {len(one.skill) for one in done.checked} == {3}
    entries = story.platform.control.audit.entries()
    passed = [entry.event for entry in entries if entry.event.action == "model.passed_qa"]
    assert [set(event.detail["skill"]) for event in passed] == [set(one.skill) for one in done.checked]  # type: ignore[arg-type]
    live = story.platform.control.releases.live(TEST)["PLANT001"].release.circuits["CIRCUIT02"]
    artifact = story.platform.workspace.artifacts.folder(live.artifact) / "model.json"
    artifact.chmod(0o644)
    artifact.write_bytes(artifact.read_bytes() + b" ")
    with pytest.raises(NotFit, match="PLANT001/CIRCUIT02"):
        signed_off(story, "PLANT001", "looked at it")
    assert len(story.platform.control.states.intent().passed_qa) == 2


def test_a_later_release_takes_one_share_after_another(story: Story) -> None:
    story.released()
    signed_off(story, "PLANT001", "looked at it")
    assert story.released(PROD) is DeploymentState.DONE
    story.retrained()
    assert story.released() is DeploymentState.DONE
    signed_off(story, "PLANT001", "and again")
    story.deploy(PROD)
    story.fleet.decide()
    story.deploy(PROD)
    shares = []
    while story.last(PROD) is DeploymentState.RUNNING:
        story.advance(PROD)
        share = story.platform.workspace.endpoints.standing(PROD)["PLANT001"].share
        shares += [share] if share not in shares else []
    assert story.last(PROD) is DeploymentState.DONE
    assert shares == [0, 10, 100]
    assert story.serves("CIRCUIT01", Endpoint(PROD, "PLANT001")) == 2
    assert story.serves("CIRCUIT02", Endpoint(PROD, "PLANT001")) == 1


BAD = Counts(Answers(1_000, errors=60), Forecasts(1_000))


def test_a_bad_release_goes_back_and_does_not_come_again(story: Story) -> None:
    story.released()
    story.retrained()
    story.deploy()
    story.fleet.decide()
    story.deploy()
    for _ in range(2):  # it starts, and gets half of the traffic
        story.advance()
    endpoints = story.platform.workspace.endpoints
    assert isinstance(endpoints, MemoryEndpoints)
    endpoints._world.windows[P1].append(
        CountedWindow(1_000, 50, BAD, Counts(Answers(1_000), Forecasts(1_000)))
    )
    (moved,) = story.advance()
    assert (moved.rollout.rollout.phase, moved.rollout.rollout.cause) == (Phase.ROLLED_BACK, Cause.FAILED)
    assert "6.00 % of 1000 answers were errors" in moved.rollout.says
    assert story.last() is DeploymentState.HALTED
    assert story.serves("CIRCUIT01") == 1
    after = story.deploy()
    assert after.deployment is None
    assert after.kept == {"PLANT001/CIRCUIT01": Kept.BLOCKED}
    model = story.fleet.opened.fleet.circuits[0].model_name
    with pytest.raises(BadInput, match="needs a reason"):
        Unblock(story.platform)(model, 2, " ")
    Unblock(story.platform)(model, 2, "the sensor was wrong")
    assert story.deploy().deployment is not None


def test_a_release_that_forecasts_worse_goes_back_before_it_gets_more(story: Story) -> None:
    story.released()
    story.retrained()
    story.deploy()
    story.fleet.decide()
    story.deploy()
    green, blue = [one.release for one in story.platform.control.releases.history(P1, 2)]
    asked: list[tuple[Release, Release]] = []

    def worse(new: Release, before: Release) -> Sequence[Fared]:
        asked.append((new, before))
        has_clients = story.platform.workspace.endpoints.standing(TEST)["PLANT001"].share > 0
        return [Fared(story.fleet.circuit.key, "temperature", 12, 1.5, 1.25)] if has_clients else []

    moves = AdvanceRollouts(story.platform, story.fleet.clock, worse)
    while story.last() is DeploymentState.RUNNING:
        (moved,) = moves(TEST, lock_timeout=AT_ONCE)
    assert asked
    assert all(pair == (green, blue) for pair in asked)
    assert (moved.rollout.rollout.phase, moved.rollout.rollout.cause) == (Phase.ROLLED_BACK, Cause.FAILED)
    assert (
        "temperature of PLANT001/CIRCUIT01 was forecast with 1.50 × the error of what serves"
        in moved.rollout.says
    )
    assert story.serves("CIRCUIT01") == 1
    assert story.deploy().kept == {"PLANT001/CIRCUIT01": Kept.BLOCKED}


def test_what_was_damaged_after_its_approval_is_not_deployed(story: Story) -> None:
    story.deploy()
    story.fleet.decide()
    live = story.platform.control.releases.newest(TEST)["PLANT001"]
    artifact = live.release.circuits["CIRCUIT01"].artifact
    folder = story.platform.workspace.artifacts.folder(artifact)
    weights = folder / "weights.safetensors"
    weights.chmod(0o600)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(NotServable, match="plant001-circuit01:1"):
        story.deploy()
    assert story.advance() == ()


def test_a_plant_that_somebody_rolls_back_halts_what_is_on_its_way_to_others(story: Story) -> None:
    story.released()
    for number in (0, 2):
        story.retrained(number)
    story.deploy()
    story.fleet.decide()
    story.deploy()
    while P2 not in {moved.rollout.endpoint for moved in story.advance()}:
        pass
    assert (story.serves("CIRCUIT01", P1), story.serves("CIRCUIT01", P2)) == (2, 1)
    RollBackTo(story.platform, story.fleet.clock).plant(P1, "off by 100", lock_timeout=AT_ONCE)
    assert story.to_the_end() is DeploymentState.HALTED
    assert (story.serves("CIRCUIT01", P1), story.serves("CIRCUIT01", P2)) == (1, 2)


def test_a_plant_that_no_client_asks_needs_no_server(story: Story) -> None:
    declared = story.fleet.opened.fleet.circuits
    for number, circuit in enumerate(declared):
        if circuit.key.plant == "PLANT002":
            story.fleet.change(number, serving=Serving.BATCH)
    endpoints = story.platform.workspace.endpoints
    for version in (1, 2):
        asked = story.deploy(plants=["PLANT002"]).deployment
        assert asked is not None
        assert asked.request is not None
        facts = dict(facts_in_words(story.platform.control.approvals.find(asked.request).evidence))
        assert facts["at once"] == "PLANT002: no client asks, as circuits only score in batches"
        story.fleet.decide()
        story.deploy(plants=["PLANT002"])
        (moved,) = story.advance()
        assert (moved.rollout.rollout.phase, endpoints.report(P2, moved.rollout.rollout.green)) == (
            Phase.DONE,
            None,
        )
        assert story.last() is DeploymentState.DONE
        assert story.serves("CIRCUIT01", P2) == version
        story.retrained(2)
    RollBackTo(story.platform, story.fleet.clock).plant(P2, "off by 100", lock_timeout=AT_ONCE)
    assert story.serves("CIRCUIT01", P2) == 1


def test_one_circuit_goes_back_and_stays_back(story: Story) -> None:
    story.released()
    rolling = RollBackTo(story.platform, story.fleet.clock)
    with pytest.raises(NothingBefore):
        rolling.plant(P1, "", lock_timeout=AT_ONCE)
    for number in (0, 1):
        story.retrained(number)
    story.released()
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (2, 2)
    done = rolling.circuit(P1, "CIRCUIT01", "off by 100", lock_timeout=AT_ONCE)
    assert done.blocked == ("plant001-circuit01:2",)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (1, 2)
    assert story.platform.workspace.endpoints.standing(TEST)["PLANT001"].overrides == ()
    for _ in range(2):  # the same commit, and a later one
        again = story.deploy()
        assert again.deployment is None
        assert again.kept == {"PLANT001/CIRCUIT01": Kept.BLOCKED}
        story.fleet.change(1, description="something else")
    shown = ShowUndeployed(story.platform)(story.fleet.opened.fleet, P1)
    assert shown.circuits == ()
    with pytest.raises(BadInput, match="never served by version 7"):
        rolling.circuit(P1, "CIRCUIT01", "", to=7, lock_timeout=AT_ONCE)
    with pytest.raises(BadInput, match="serves no circuit"):
        rolling.circuit(P1, "NONE", "", lock_timeout=AT_ONCE)


def test_a_plant_and_everything_go_back(story: Story) -> None:
    story.released()
    for number in (0, 2):
        story.retrained(number)
    story.released()
    rolling = RollBackTo(story.platform, story.fleet.clock)
    assert str(rolling.plant(P1, "bad", lock_timeout=AT_ONCE).after) == "test/PLANT001:1"
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT01", P2)) == (1, 2)
    everything = rolling.everything(TEST, "worse", lock_timeout=AT_ONCE)
    assert {str(one.after) for one in everything} == {"test/PLANT002:1"}, "what went back does not come back"
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT01", P2)) == (1, 1)
    with pytest.raises(NothingBefore):
        rolling.plant(P1, "again", lock_timeout=AT_ONCE)


def test_what_was_rolled_back_comes_back_by_no_other_rollback(story: Story) -> None:
    story.released()
    for number in (0, 1):
        story.retrained(number)
    story.released()
    story.retrained(0)
    story.released()
    rolling = RollBackTo(story.platform, story.fleet.clock)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (3, 2)
    rolling.circuit(P1, "CIRCUIT01", "off", lock_timeout=AT_ONCE)
    rolling.circuit(P1, "CIRCUIT01", "off too", lock_timeout=AT_ONCE)
    assert story.serves("CIRCUIT01") == 1, "version 3 is blocked, and nothing goes back to it"
    with pytest.raises(Blocked, match="plant001-circuit01:3 was rolled back") as blocked:
        rolling.circuit(P1, "CIRCUIT01", "", to=3, lock_timeout=AT_ONCE)
    assert "fleetcast unblock plant001-circuit01:3" in blocked.value.fix
    with pytest.raises(Blocked):
        HoldCircuit(story.platform, story.fleet.clock)(
            P1, "CIRCUIT01", "2", story.fleet.clock.now() + timedelta(days=1)
        )
    named = rolling.plant(P1, "back", to=1, lock_timeout=AT_ONCE)
    assert (named.otherwise, story.serves("CIRCUIT02")) == ((), 1)
    with pytest.raises(BadInput, match="serves already, as far as nothing is blocked"):
        rolling.plant(P1, "", to=2, lock_timeout=AT_ONCE)


def test_a_plant_goes_back_beyond_what_differs_in_blocked_versions_alone(story: Story) -> None:
    story.released()
    for number in (0, 1):
        story.retrained(number)
    story.released()
    rolling = RollBackTo(story.platform, story.fleet.clock)
    rolling.circuit(P1, "CIRCUIT01", "off", lock_timeout=AT_ONCE)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (1, 2)
    done = rolling.plant(P1, "the rest too", lock_timeout=AT_ONCE)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (1, 1)
    assert done.blocked == ("plant001-circuit02:2",)


def test_a_release_is_served_again_but_for_what_is_blocked_in_it(story: Story) -> None:
    story.released()
    story.retrained(1)
    story.released()
    story.retrained(0)
    story.released()
    rolling = RollBackTo(story.platform, story.fleet.clock)
    rolling.circuit(P1, "CIRCUIT02", "off", lock_timeout=AT_ONCE)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (2, 1)
    done = rolling.plant(P1, "and the other", to=2, lock_timeout=AT_ONCE)
    assert (story.serves("CIRCUIT01"), story.serves("CIRCUIT02")) == (1, 1)
    assert done.otherwise == ("CIRCUIT02",)


def test_nothing_that_is_blocked_takes_the_place_of_what_cannot_be_used(story: Story) -> None:
    story.released()
    for number in (0, 1):
        story.retrained(number)
    story.released()
    RollBackTo(story.platform, story.fleet.clock).circuit(P1, "CIRCUIT01", "off", lock_timeout=AT_ONCE)
    releases, states = story.platform.control.releases, story.platform.control.states
    live = releases.live(TEST)["PLANT001"]
    assert {name: one.version for name, one in previous_of(releases, live, states.refused()).items()} == {
        "CIRCUIT02": 1
    }
    Unblock(story.platform)("plant001-circuit01", 2, "the sensor was wrong, not the model")
    assert previous_of(releases, live, states.refused())["CIRCUIT01"].version == 2


def test_a_rollback_ends_a_rollout_that_is_under_way(story: Story) -> None:
    story.released()
    story.retrained()
    story.released()
    story.retrained()
    story.deploy()
    story.fleet.decide()
    story.deploy()
    story.advance()
    assert story.platform.workspace.endpoints.standing(TEST)["PLANT001"].green is not None
    RollBackTo(story.platform, story.fleet.clock).plant(P1, "no", lock_timeout=AT_ONCE)
    standing = story.platform.workspace.endpoints.standing(TEST)["PLANT001"]
    assert (standing.green, standing.share) == (None, 0)
    assert story.to_the_end() is DeploymentState.HALTED
    assert story.serves("CIRCUIT01") == 1


def test_a_hold_survives_a_deployment(story: Story) -> None:
    story.released()
    holding = HoldCircuit(story.platform, story.fleet.clock)
    until = story.fleet.clock.now() + timedelta(days=1)
    held = holding(P1, "CIRCUIT02", "seasonal_naive", until)
    story.retrained()
    assert story.released() is DeploymentState.DONE
    standing = story.platform.workspace.endpoints.standing(TEST)["PLANT001"]
    assert standing.overrides == (held,)
    earlier = holding(P1, "CIRCUIT01", "1", until)
    assert earlier.model is not None
    assert earlier.model.version == 1
    for use, match in (("7", "never served by version"), ("yesterday", "is no version")):
        with pytest.raises(BadInput, match=match):
            holding(P1, "CIRCUIT01", use, until)
    with pytest.raises(BadInput, match="over already"):
        holding(P1, "CIRCUIT01", "seasonal_naive", story.fleet.clock.now())
    holding.end(P1, "CIRCUIT02")
    assert len(story.platform.workspace.endpoints.standing(TEST)["PLANT001"].overrides) == 1
