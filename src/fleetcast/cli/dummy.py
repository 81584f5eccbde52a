"""`fleetcast dummy`: the pipelines from beginning to end, in seconds, where nothing real is touched."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import AwaitingOption, View, ViewOption, duration_of
from fleetcast.cli.output import say, show_json
from fleetcast.domain.duration import format_duration
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.pretence import Pretending
from fleetcast.domain.wording import counted

if TYPE_CHECKING:
    from fleetcast.app import Dummy
    from fleetcast.domain.approval import Request
    from fleetcast.domain.deployment import Deployment
    from fleetcast.domain.run import Ending, Run
    from fleetcast.pipeline.runner import StageWatcher

AT_ONCE = timedelta(0)
_MOST_LOOKS = 1_000
"""At a deployment, before it is given up: a window goes by at each."""

dummy_app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Try the pipelines without a cloud: all stages, gates and approvals on a platform in memory, with made-up "
        "readings and people who stand in for those whom the gates name. Waiting takes no time. The fleet's own "
        "database, tables and models are neither read nor written."
    ),
)


class Gates(StrEnum):
    """What happens where people are asked."""

    OPEN = "open"
    WAIT = "wait"


class Until(StrEnum):
    """How far a model is taken."""

    REGISTRY = "registry"
    TEST = "test"
    PROD = "prod"


FleetOption = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        help="Folder of the fleet repository. Default: the one that you are in, else one that is made up.",
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        help="Go on from this file, and leave it there for the next stage of a CI run.",
    ),
]
DelayOption = Annotated[
    str | None,
    typer.Option(
        "--simulate-propagation-delay",
        metavar="DURATION",
        help="What is shared with the registry shows so much later: 2s.",
    ),
]


@dummy_app.command("train")
def train(
    fleet: FleetOption = None,
    state: StateOption = None,
    *,
    new_environment: Annotated[
        bool,
        typer.Option("--simulate-new-environment", help="As if the training environment had a new version."),
    ] = False,
    circuit_changes: Annotated[
        int,
        typer.Option("--simulate-circuit-changes", min=0, help="As if so many circuits had changed."),
    ] = 0,
    job_failures: Annotated[
        int,
        typer.Option(
            "--simulate-job-failures", min=0, help="So many training jobs fail, and are tried again."
        ),
    ] = 0,
    propagation_delay: DelayOption = None,
    skip_promotion: Annotated[
        bool, typer.Option("--skip-promotion", help="Stop after the models are registered.")
    ] = False,
    gates: Annotated[
        Gates, typer.Option(help="Let those who stand in approve at once, or end with 3 as `train` does.")
    ] = Gates.OPEN,
    awaiting_ok: AwaitingOption = False,
    view: ViewOption = View.TEXT,
) -> None:
    """Run all eight stages on a platform in memory.

    Without a state to go on from, the fleet is first trained and promoted as it is declared, so that there is something
    to change.

    For example:

    fleetcast dummy train

    fleetcast dummy train --simulate-new-environment --simulate-circuit-changes 3 --simulate-job-failures 2

    fleetcast dummy train --state dummy.state --gates wait
    """
    from fleetcast.domain.run import Ending

    asked = Pretending(new_environment, circuit_changes, job_failures, _delay(propagation_delay))
    from fleetcast.app import open_dummy

    with open_dummy(_fleet(fleet), state) as dummy:
        dummy.check(asked)
        story = _Story(dummy, view, gates, skip_promotion=skip_promotion)
        story.begins()
        if dummy.is_new and asked.changes_fleet:
            story.chapter("The fleet as it is declared")
            story.trained()
        before = dummy.fleet
        dummy.pretend(asked)
        if asked != Pretending():
            story.chapter("And then")
            story.pretends(asked, before.environment.version, dummy.fleet.environment.version)
        ending = story.trained()
        story.ends()
    raise typer.Exit(0 if awaiting_ok and ending is Ending.AWAITING else ending.exit_code)


@dummy_app.command("promote")
def promote(
    circuit: Annotated[
        str | None, typer.Argument(metavar="PLANT/CIRCUIT", help="Whose model. Default: the first circuit's.")
    ] = None,
    fleet: FleetOption = None,
    state: StateOption = None,
    until: Annotated[Until, typer.Option("--to", help="How far.")] = Until.PROD,
    propagation_delay: DelayOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Take one model through every gate: to the shared registry, to its plant in test, and to production.

    The model is trained first, unless a state holds it already. Its plant goes to production once it is signed off in
    test, as with `fleetcast deploy` and `fleetcast qa sign-off`.

    For example:

    fleetcast dummy promote

    fleetcast dummy promote PLANT001/CIRCUIT01 --to registry --state dummy.state
    """
    from fleetcast.app import open_dummy

    with open_dummy(_fleet(fleet), state) as dummy:
        key = dummy.fleet.circuits[0].key if circuit is None else CircuitKey.parse(circuit)
        dummy.pretend(Pretending(propagation_delay=_delay(propagation_delay)))
        story = _Story(dummy, view, Gates.OPEN, only=dummy.fleet.circuit(key).key)
        story.begins()
        story.chapter(f"{key}: to the shared registry")
        ending = story.trained()
        code = ending.exit_code
        if not code and until is not Until.REGISTRY:
            story.chapter(f"{key.plant}: to test")
            code = story.deployed(EnvironmentName.TEST)
        if not code and until is Until.PROD:
            story.chapter(f"{key.plant}: to production")
            story.signed_off()
            code = story.deployed(EnvironmentName.PROD)
        story.ends()
    raise typer.Exit(code)


class _Story:
    """Does what pipelines do, one after the other, and says so."""

    def __init__(
        self,
        dummy: Dummy,
        view: View,
        gates: Gates,
        *,
        only: CircuitKey | None = None,
        skip_promotion: bool = False,
    ) -> None:
        self._dummy = dummy
        self._view = view
        self._gates = gates
        self._only = only
        self._skip_promotion = skip_promotion
        self._runs: list[Run] = []
        self._decided: list[Request] = []
        self._deployments: list[Deployment] = []

    def begins(self) -> None:
        """Say of what fleet."""
        fleet = self._dummy.fleet
        what = "the state goes on" if not self._dummy.is_new else "made-up readings"
        self._say(f"a dummy of {counted(len(fleet.circuits), 'circuit')}: {what}, nothing real is touched")

    def chapter(self, title: str) -> None:
        """Say what comes."""
        if self._view is View.TEXT:
            typer.secho(f"\n━━ {title}", fg=typer.colors.CYAN, bold=True)

    def pretends(self, asked: Pretending, before: object, after: object) -> None:
        """Say what is pretended."""
        if asked.new_environment:
            self._say(f"the training environment is {after} now, and was {before}")
        if asked.circuit_changes:
            self._say(f"{counted(asked.circuit_changes, 'circuit')} changed")
        if asked.job_failures:
            self._say(f"{counted(asked.job_failures, 'job fails', 'jobs fail')} at the first attempt")
        if asked.propagation_delay:
            delay = format_duration(asked.propagation_delay)
            self._say(f"what is shared shows in the registry {delay} later")

    def trained(self) -> Ending:
        """Run the stages, and again after people have approved."""
        from fleetcast.domain.run import Ending

        ending = self._run()
        while ending is Ending.AWAITING and self._gates is Gates.OPEN and self._approved():
            ending = self._run()
        if ending is Ending.AWAITING:
            waiting = self._dummy.opened.books.deciding.pending()
            self._say(f"awaiting approval: {', '.join(str(one.subject) for one in waiting)}")
        return ending

    def deployed(self, environment: EnvironmentName) -> int:
        """Take the plant's release to an environment; gives the exit code."""
        from fleetcast.domain.deployment import DeploymentState

        deployment = self._deploy(environment)
        if deployment is not None and deployment.state is DeploymentState.WAITING:
            self._approved()
            deployment = self._deploy(environment)
        if deployment is None:
            self._say("nothing to deploy: it is served already")
            return 0
        deployment = self._advanced(deployment)
        self._deployments.append(deployment)
        self._say(f"{deployment}: {deployment.state.value}")
        return 0 if deployment.state is DeploymentState.DONE else 1

    def signed_off(self) -> None:
        """Sign off what serves in test."""
        opened = self._dummy.by_stand_in
        signed = opened.signing_off(opened.fleet, (), "stands in for somebody who looked")
        self._say(f"signed off: {', '.join(str(one.model) for one in signed.checked)}")

    def ends(self) -> None:
        """Say how long it would have taken, or everything for programs."""
        if self._view is View.JSON:
            self._show_json()
        else:
            self._say(f"\nwaited for, without letting the time pass: {self._skipped}")

    @property
    def _skipped(self) -> str:
        skipped = self._dummy.skipped
        return format_duration(timedelta(seconds=round(skipped.total_seconds()))) if skipped else "nothing"

    def _show_json(self) -> None:
        from fleetcast.views.approvals import request_as_json
        from fleetcast.views.deployments import deployment_as_json
        from fleetcast.views.runs import as_json

        show_json(
            {
                "runs": [as_json(run, at_work=False) for run in self._runs],
                "requests": [request_as_json(request) for request in self._decided],
                "deployments": [deployment_as_json(one) for one in self._deployments],
                "skipped_seconds": round(self._dummy.skipped.total_seconds(), 3),
            }
        )

    def _run(self) -> Ending:
        from fleetcast.cli.train_views import watching
        from fleetcast.domain.run import worst

        with watching(self._view) as watcher:
            run = self._all_but_promoting(watcher) if self._skip_promotion else self._all(watcher)
        self._runs.append(run)
        return worst(record.ending for record in run.stages)

    def _all(self, watcher: StageWatcher) -> Run:
        opened = self._dummy.opened
        only = None if self._only is None else [self._only]
        return opened.training(opened.fleet, watcher, only=only, lock_timeout=AT_ONCE)

    def _all_but_promoting(self, watcher: StageWatcher) -> Run:
        from fleetcast.pipeline.stages import STAGES

        opened = self._dummy.opened
        stage = partial(opened.training.stage, fleet=opened.fleet, watcher=watcher, lock_timeout=AT_ONCE)
        *others, _promotion = STAGES
        run = stage(others[0].name, run_id=None)
        for entry in others[1:]:
            run = stage(entry.name, run_id=run.id)
        return run

    def _approved(self) -> bool:
        """Have those who stand in approve all that waits and is asked for here; gives whether anything was."""
        from fleetcast.domain.approval import RequestState

        pending = self._dummy.opened.books.deciding.pending()
        decided = [self._dummy.approve(request) for request in pending if self._is_meant(request)]
        self._decided += decided
        for gate in Gate:
            through = [one for one in decided if one.gate is gate and one.state is RequestState.APPROVED]
            if through:
                people = dict.fromkeys(one.by.name for each in through for one in each.decisions)
                subjects = ", ".join(str(one.subject) for one in through)
                self._say(f"gate {gate.value}: {subjects}: approved by {', '.join(people)}")
        return any(request.state is RequestState.APPROVED for request in decided)

    def _is_meant(self, request: Request) -> bool:
        from fleetcast.domain.approval import SubjectKind

        if self._only is None or request.subject.kind is not SubjectKind.MODEL:
            return True
        return request.subject.name == self._dummy.fleet.circuit(self._only).model_name

    def _deploy(self, environment: EnvironmentName) -> Deployment | None:
        opened = self._dummy.opened
        branch = {EnvironmentName.TEST: "release/dummy", EnvironmentName.PROD: "main"}[environment]
        deploy = opened.deploying({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": f"refs/heads/{branch}"})
        plants = [] if self._only is None else [self._only.plant]
        return deploy(opened.fleet, environment, plants, lock_timeout=AT_ONCE).deployment

    def _advanced(self, deployment: Deployment) -> Deployment:
        """Move it on until it is over, and say each step."""
        from fleetcast.domain.deployment import DeploymentState
        from fleetcast.views.deployments import rollout_in_words

        opened, said = self._dummy.opened, ""
        for _ in range(_MOST_LOOKS):
            if deployment.state is not DeploymentState.RUNNING:
                break
            moved = opened.advancing(deployment.plan.environment, lock_timeout=AT_ONCE)
            for one in moved:
                words = f"{one.rollout.endpoint}: {rollout_in_words(one.rollout)}"
                if words != said:
                    self._say(words)
                    said = words
            opened.clock.sleep(deployment.plan.ramp.window)
            deployment = opened.deployments().of(deployment)
        return deployment

    def _say(self, text: str) -> None:
        if self._view is View.TEXT:
            say(text)


def _fleet(asked: Path | None) -> Path | None:
    """The fleet repository that is meant; None: there is none here, and none was named."""
    from fleetcast.cli.in_fleet import fleet_or_none

    return fleet_or_none() if asked is None else asked


def _delay(text: str | None) -> timedelta:
    return timedelta(0) if text is None else duration_of(text)
