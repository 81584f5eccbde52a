"""One fleet with the platform it runs on, in one person's name: every workflow by the name of its capability."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.books import OpenBooks
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from fleetcast.config.not_used_yet import UnusedSetting
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.domain.since import Since
    from fleetcast.workflows.advance_rollouts import AdvanceRollouts
    from fleetcast.workflows.clean import Clean
    from fleetcast.workflows.deploy import Deploy
    from fleetcast.workflows.diagnose import DiagnosePlant
    from fleetcast.workflows.endpoint_keys import MakeKey
    from fleetcast.workflows.forecast import MakeForecast
    from fleetcast.workflows.hold import HoldCircuit, Unblock
    from fleetcast.workflows.inspect_deployments import ShowDeployments
    from fleetcast.workflows.inspect_models import ListModels, ShowModel
    from fleetcast.workflows.inspect_releases import ShowUndeployed
    from fleetcast.workflows.inspect_retired import ListRetired
    from fleetcast.workflows.keep_versions import PinVersions, Vacuum
    from fleetcast.workflows.monitor import Monitor
    from fleetcast.workflows.plan import MakePlan
    from fleetcast.workflows.propose import FindGains, Propose
    from fleetcast.workflows.qa import CheckServed, SignOff
    from fleetcast.workflows.reproduce import Reproduce
    from fleetcast.workflows.rollback import RollBackTo
    from fleetcast.workflows.score import ScoreFleet
    from fleetcast.workflows.score_on_platform import ScoreOnPlatform
    from fleetcast.workflows.status import ShowStatus
    from fleetcast.workflows.trace_forecast import ExplainForecast, FindAffected
    from fleetcast.workflows.train import Train
    from fleetcast.workflows.verify_models import VerifyModels
    from fleetcast.workflows.write_back import WriteBack


FilesOf = Callable[[CircuitKey], Sequence[str]]


def no_files(_key: CircuitKey) -> Sequence[str]:
    """For a fleet that was read from none."""
    return ()


@dataclass(frozen=True, slots=True)
class OpenFleet:
    """A fleet repository with the platform it runs on, ready for workflows."""

    directory: Path
    fleet: Fleet
    platform: Platform
    clock: Clock
    unused: tuple[UnusedSetting, ...] = ()
    """What the settings write and nothing uses yet."""
    scratch: Path | None = None
    """The folder of a dummy, in which it keeps everything; None: in the fleet's state directory."""
    files: tuple[str, ...] = ()
    """What the fleet was read from, as paths below its directory."""
    files_of: FilesOf = no_files
    """The files that decide what a circuit is."""

    @property
    def state(self) -> Path:
        """The folder in which the embedded platform keeps everything."""
        return self.scratch or state_of(self.directory, self.fleet)

    @property
    def books(self) -> OpenBooks:
        """Requests, runs and the audit log."""
        return OpenBooks(
            self.platform.control,
            self.fleet.settings.gates,
            self.fleet.settings.notifications,
            self.fleet.settings.schedules,
            self.clock,
            self.state,
            lambda: self.platform.workspace,
        )

    @property
    def planning(self) -> MakePlan:
        """Comparing what should be with what is."""
        from fleetcast.workflows.plan import MakePlan

        return MakePlan(self.platform, self.clock, self.platform.workspace.quota)

    @property
    def training(self) -> Train:
        """Running the eight stages."""
        from fleetcast.config.assets import ENVIRONMENT_FILE
        from fleetcast.config.settings import SETTINGS_FILE
        from fleetcast.pipeline.runner import StageRunner
        from fleetcast.platforms.git.repository import commit_of
        from fleetcast.platforms.git.writers import GitWriters
        from fleetcast.workflows.train import Train

        runner = StageRunner(self.platform, self.clock, self.books.run_files)
        commit = commit_of(self.directory, self.files)
        writers = GitWriters(
            self.directory,
            commit,
            settings=SETTINGS_FILE,
            environment=ENVIRONMENT_FILE,
            circuit=self.files_of,
        )
        return Train(runner, commit, writers)

    @property
    def forecasting(self) -> MakeForecast:
        """Forecasting a circuit."""
        from fleetcast.workflows.forecast import MakeForecast

        return MakeForecast(self.platform, self.clock)

    @property
    def status(self) -> ShowStatus:
        """How the fleet stands."""
        from fleetcast.workflows.status import ShowStatus

        return ShowStatus(self.platform, self.clock)

    @property
    def models(self) -> ListModels:
        """Which version each circuit uses."""
        from fleetcast.workflows.inspect_models import ListModels

        return ListModels(self.platform, self.clock)

    @property
    def retired(self) -> ListRetired:
        """Circuits that are no longer declared."""
        from fleetcast.workflows.inspect_retired import ListRetired

        return ListRetired(self.platform)

    @property
    def model(self) -> ShowModel:
        """All versions of one model."""
        from fleetcast.workflows.inspect_models import ShowModel

        return ShowModel(self.platform, self.clock)

    @property
    def deployments(self) -> ShowDeployments:
        """How deployments stand."""
        from fleetcast.workflows.inspect_deployments import ShowDeployments

        return ShowDeployments(self.platform)

    def deploying(self, variables: Mapping[str, str]) -> Deploy:
        """Taking releases to clients.

        Args:
            variables: Of the process: an agent of CI says there which branch it builds.
        """
        from fleetcast.domain.branch import branch_of_ci
        from fleetcast.platforms.git.repository import branch_of, commit_of
        from fleetcast.workflows.deploy import Deploy

        branch = branch_of_ci(variables) or branch_of(self.directory)
        return Deploy(self.platform, self.clock, commit_of(self.directory, self.files), branch)

    @property
    def advancing(self) -> AdvanceRollouts:
        """Moving deployments on."""
        from fleetcast.app.opening import comparing_releases
        from fleetcast.workflows.advance_rollouts import AdvanceRollouts

        compare = comparing_releases(self.platform, lambda: self.fleet)
        return AdvanceRollouts(self.platform, self.clock, compare)

    @property
    def scoring(self) -> ScoreFleet:
        """Publishing the forecasts of the fleet."""
        from fleetcast.app.scoring import score_parts
        from fleetcast.platforms.git.repository import commit_of
        from fleetcast.workflows.score import ScoreFleet

        commit = commit_of(self.directory, self.files)
        return ScoreFleet(self.platform, self.clock, commit, partial(score_parts, self.directory))

    @property
    def monitoring(self) -> Monitor:
        """Looking at what is deployed."""
        from fleetcast.app.monitoring import watch_parts
        from fleetcast.pipeline.signals.judging import judged
        from fleetcast.workflows.monitor import Monitor

        return Monitor(self.platform, self.clock, partial(watch_parts, self.directory), judged)

    @property
    def scoring_on_platform(self) -> ScoreOnPlatform:
        """Letting the platform publish the forecasts of the fleet."""
        from fleetcast.platforms.git.repository import commit_of
        from fleetcast.workflows.score_on_platform import ScoreOnPlatform

        return ScoreOnPlatform(self.platform, self.clock, commit_of(self.directory, self.files))

    @property
    def explaining(self) -> ExplainForecast:
        """Saying where a published forecast comes from."""
        from fleetcast.workflows.trace_forecast import ExplainForecast

        return ExplainForecast(self.platform)

    @property
    def finding_affected(self) -> FindAffected:
        """Finding what came of a version of the readings."""
        from fleetcast.workflows.trace_forecast import FindAffected

        return FindAffected(self.platform)

    def published(self, environment: EnvironmentName, day: date, patterns: Sequence[str]) -> pl.DataFrame:
        """The forecasts of a day as readers see them, of the circuits that match; see `ForecastTable`."""
        from fleetcast.domain.identity import matching
        from fleetcast.domain.place import Scope
        from fleetcast.domain.role import Right

        keys = matching([circuit.key for circuit in self.fleet.circuits], patterns)
        self.platform.control.require(
            Right.VIEW,
            *(Scope(environment=environment, plant=plant) for plant in {key.plant for key in keys}),
        )
        return self.platform.workspace.forecasts(environment).read(day, keys if patterns else None)

    @property
    def rolling_back(self) -> RollBackTo:
        """Having clients answered by what served before."""
        from fleetcast.workflows.rollback import RollBackTo

        return RollBackTo(self.platform, self.clock)

    @property
    def writing_back(self) -> WriteBack:
        """Letting the fleet repository declare what was rolled back to."""
        from fleetcast.app.circuits import open_editing
        from fleetcast.workflows.write_back import WriteBack

        return WriteBack(self.platform, open_editing(self.directory, dry_run=False, clock=self.clock))

    @property
    def finding_gains(self) -> FindGains:
        """Finding out which circuits would gain by a retrain."""
        from fleetcast.pipeline.retraining import ExpectedGain
        from fleetcast.workflows.propose import FindGains

        workspace = self.platform.workspace
        gain = ExpectedGain(workspace.artifacts, workspace.tables, workspace.foreign)
        return FindGains(self.platform, gain)

    @property
    def diagnosing(self) -> DiagnosePlant:
        """Finding out what may be wrong at a plant."""
        from fleetcast.workflows.diagnose import DiagnosePlant

        return DiagnosePlant(self.platform, self.clock)

    @property
    def proposing(self) -> Propose:
        """Putting a change of the fleet repository on a branch."""
        from fleetcast.app.circuits import open_editing
        from fleetcast.platforms.git.branches import GitBranches
        from fleetcast.workflows.propose import Propose

        branches = GitBranches(self.directory, self.files)
        return Propose(branches, partial(open_editing, dry_run=False, clock=self.clock))

    @property
    def holding(self) -> HoldCircuit:
        """Having a circuit forecast by something else for a time."""
        from fleetcast.workflows.hold import HoldCircuit

        return HoldCircuit(self.platform, self.clock)

    @property
    def unblocking(self) -> Unblock:
        """Letting a version be used again."""
        from fleetcast.workflows.hold import Unblock

        return Unblock(self.platform)

    @property
    def signing_off(self) -> SignOff:
        """Marking what is served in test as fit for production."""
        from fleetcast.workflows.qa import SignOff

        return SignOff(self.checking_served)

    @property
    def checking_served(self) -> CheckServed:
        """Having what is served in test forecast from recent readings."""
        from fleetcast.pipeline.forecasters.served import OpenServed
        from fleetcast.pipeline.qa import CheckOnRecent
        from fleetcast.workflows.qa import CheckServed

        check = CheckOnRecent(self.platform.workspace.tables, OpenServed.in_force(self.platform))
        return CheckServed(self.platform, check)

    @property
    def making_key(self) -> MakeKey:
        """Making keys of endpoints.

        Raises:
            BadInput: The platform makes its keys itself.
        """
        from secrets import token_urlsafe

        from fleetcast.app.endpoints import keys_of
        from fleetcast.workflows.endpoint_keys import MakeKey

        return MakeKey(self.platform.control, keys_of(self.platform.workspace.endpoints), token_urlsafe)

    @property
    def undeployed(self) -> ShowUndeployed:
        """What deploying the fleet would change."""
        from fleetcast.workflows.inspect_releases import ShowUndeployed

        return ShowUndeployed(self.platform)

    @property
    def verifying_models(self) -> VerifyModels:
        """Reading every byte of the models in use."""
        from fleetcast.workflows.verify_models import VerifyModels

        return VerifyModels(self.platform)

    @property
    def reproducing(self) -> Reproduce:
        """Training a registered version again, to compare the bytes."""
        from fleetcast.workflows.reproduce import Reproduce

        return Reproduce(self.platform)

    def pinning(self, *, dry_run: bool) -> PinVersions:
        """Writing the versions of the tables into the circuits, or only saying what that would change."""
        from fleetcast.app.circuits import open_editing
        from fleetcast.workflows.keep_versions import PinVersions

        editing = open_editing(self.directory, dry_run=dry_run, clock=self.clock)
        return PinVersions(editing, self.platform.workspace.tables)

    def vacuuming(self, source: str | None) -> Vacuum:
        """Removing files that nobody needs from the fleet's own table of readings.

        Raises:
            BadInput: There is no such data source, or somebody else keeps it.
        """
        from fleetcast.app.tables import own_source, own_table
        from fleetcast.workflows.keep_versions import Vacuum

        settings = self.fleet.settings
        own = own_source(settings, source)
        table = own_table(self.directory, own, settings.platform)
        return Vacuum(self.platform, own.name, table)

    @property
    def cleaning(self) -> Clean:
        """Removing what retention lets go."""
        from fleetcast.app.cleaning import own_tables
        from fleetcast.platforms.files.printed import PrintedFiles
        from fleetcast.workflows.clean import Clean

        return Clean(
            self.platform,
            self.clock,
            lambda: own_tables(self.directory, self.fleet.settings),
            PrintedFiles(self.books.schedule_logs),
        )

    def since(self, commit: str) -> Since:
        """What the fleet repository declares differently from an earlier commit.

        Raises:
            BadInput: There is no such commit here.
            InvalidFleet: The repository had mistakes then.
        """
        from tempfile import TemporaryDirectory

        from fleetcast.config.reader import load_fleet
        from fleetcast.domain.since import Since, differences
        from fleetcast.platforms.git.repository import export, files_since

        with TemporaryDirectory() as folder:
            export(self.directory, commit, Path(folder))
            before = load_fleet(Path(folder), now=self.clock.now())
        return Since(commit, files_since(self.directory, commit), differences(before, self.fleet))


def state_of(directory: Path, fleet: Fleet) -> Path:
    """The state directory of a fleet repository."""
    return directory / fleet.settings.platform.state
