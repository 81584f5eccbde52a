"""What fleetcast keeps itself: requests, runs and the audit log. Needs no circuits and no platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleetcast.domain.audit import Actor
    from fleetcast.domain.gate import GatePolicy
    from fleetcast.domain.place import Gate
    from fleetcast.domain.settings import NotificationSettings, Routine, Schedule
    from fleetcast.ports.approvals import AuditLog
    from fleetcast.ports.platform import Control, Workspace
    from fleetcast.ports.runs import RunBook
    from fleetcast.workflows.answer_once import AnswerOnce
    from fleetcast.workflows.audit import VerifyAudit
    from fleetcast.workflows.audit_report import ReportAudit
    from fleetcast.workflows.browse import Browse
    from fleetcast.workflows.decide import Decide
    from fleetcast.workflows.handle_alarms import HandleAlarms
    from fleetcast.workflows.inspect_releases import InspectReleases
    from fleetcast.workflows.keep_schedules import InspectSchedules, KeepSchedules
    from fleetcast.workflows.links import InvitePerson
    from fleetcast.workflows.look import LookAtJobs, LookIntoBooks
    from fleetcast.workflows.manage_people import ManagePeople
    from fleetcast.workflows.notices import Notices
    from fleetcast.workflows.requests import Requests
    from fleetcast.workflows.tokens import ManageTokens


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """The books of one fleet, open in one person's name."""

    control: Control
    gates: Mapping[Gate, GatePolicy]
    """As the fleet's settings declare them."""
    notifications: NotificationSettings
    """As they declare them too."""
    schedules_declared: Mapping[Routine, Schedule]
    """Likewise."""
    clock: Clock
    state: Path
    """The folder in which the files of runs are."""
    workspace: Callable[[], Workspace]
    """Opens what exists on the platform, in the same name; without tables of readings."""

    @property
    def deciding(self) -> Decide:
        """What waits for a decision, and recording decisions."""
        from fleetcast.workflows.decide import Decide

        return Decide(self.control, self.gates, self.clock)

    @property
    def requests(self) -> Requests:
        """Every request as it stands now, with its evidence and decisions."""
        return self._looking.requests(self.clock.now())

    @property
    def audit(self) -> AuditLog:
        """The log of every change."""
        return self._looking.audit()

    @property
    def verifying(self) -> VerifyAudit:
        """Checking the log, and that the rows beside it say nothing else."""
        from fleetcast.ports.platform import Platform
        from fleetcast.workflows.audit import VerifyAudit

        return VerifyAudit(Platform(self.workspace(), self.control), self.clock)

    @property
    def reporting(self) -> ReportAudit:
        """What an auditor asks of each gate."""
        from fleetcast.workflows.audit_report import ReportAudit

        return ReportAudit(self.control, self.clock)

    @property
    def runs(self) -> RunBook:
        """Past and present runs."""
        return self._looking.runs()

    @property
    def jobs(self) -> LookAtJobs:
        """What training jobs said, and where the platform shows them."""
        from fleetcast.workflows.look import LookAtJobs

        return LookAtJobs(self.control, self.workspace)

    @property
    def releases(self) -> InspectReleases:
        """What each plant is served by, and what was before."""
        from fleetcast.workflows.inspect_releases import InspectReleases

        return InspectReleases(self.control)

    @property
    def alarms(self) -> HandleAlarms:
        """What monitoring found that somebody should see to."""
        from fleetcast.workflows.handle_alarms import HandleAlarms

        return HandleAlarms(self.control)

    @property
    def browsing(self) -> Browse:
        """Requests, the audit log and runs, page by page."""
        from fleetcast.workflows.browse import Browse

        return Browse(self.control, self.clock)

    @property
    def answering(self) -> AnswerOnce:
        """Doing once what is asked for again."""
        from fleetcast.workflows.answer_once import AnswerOnce

        return AnswerOnce(self.control)

    @property
    def people(self) -> ManagePeople:
        """Who is on record, and what they may do."""
        from fleetcast.app.people import new_person_id
        from fleetcast.workflows.manage_people import ManagePeople

        return ManagePeople(self.control, new_person_id)

    @property
    def tokens(self) -> ManageTokens:
        """Secrets for programs and command lines."""
        from secrets import token_urlsafe

        from fleetcast.workflows.tokens import ManageTokens

        return ManageTokens(self.control, self.clock, token_urlsafe)

    @property
    def schedules(self) -> InspectSchedules:
        """What starts by itself, and what came of it."""
        from fleetcast.workflows.keep_schedules import InspectSchedules

        return InspectSchedules(self.control, self.clock, self.schedules_declared, self.schedule_logs)

    def keeping_schedules(self, directory: Path, say: Callable[[str], None]) -> KeepSchedules:
        """Starting what schedules say, as commands on a fleet repository.

        Args:
            directory: The fleet repository; its settings are read anew each time.
            say: Told what happens, a line each.
        """
        from fleetcast.config.settings_reader import load_settings
        from fleetcast.domain.schedule import duties
        from fleetcast.platforms.commands import CommandProcesses
        from fleetcast.workflows.keep_schedules import KeepSchedules

        return KeepSchedules(
            self.control,
            self.clock,
            lambda: duties(load_settings(directory).schedules),
            CommandProcesses(directory),
            self.schedule_logs,
            say,
        )

    @property
    def inviting(self) -> InvitePerson:
        """One-time links by which people on record choose a password."""
        from secrets import token_urlsafe

        from fleetcast.workflows.links import InvitePerson

        return InvitePerson(self.control, self.clock, token_urlsafe)

    @property
    def notices(self) -> Notices:
        """What people are told, and what waits to be."""
        from fleetcast.workflows.notices import Notices

        return Notices(self.control, self.notifications)

    @property
    def _looking(self) -> LookIntoBooks:
        from fleetcast.workflows.look import LookIntoBooks

        return LookIntoBooks(self.control)

    @property
    def schedule_logs(self) -> Path:
        """Where is kept what scheduled commands printed, one folder for each duty."""
        return self.state / "schedules"

    @property
    def run_files(self) -> Path:
        """Where runs write their files, one folder a run."""
        return self.state / "runs"


def open_books(directory: Path, clock: Clock | None = None, *, actor: Actor | None = None) -> OpenBooks:
    """Open the books of a fleet; reads `fleetcast.yaml` alone, whatever state its circuits are in.

    Args:
        directory: The fleet repository.
        clock: Tells the time.
        actor: Who acts; None: whoever the token of this process says, else the user of this machine.

    Raises:
        InvalidFleet: `fleetcast.yaml` is missing or has mistakes.
        BadInput: There is no such directory, the platform does not outlive a command, or another version of
            fleetcast made the database.
        Unavailable: The database does not answer.
    """
    from fleetcast.app.database import open_database_in
    from fleetcast.app.people import whoever
    from fleetcast.app.platforms import Ground, lasting_door
    from fleetcast.config.settings_reader import read_settings_file
    from fleetcast.platforms.control.opening import control
    from fleetcast.platforms.database.session import Session
    from fleetcast.workflows.tokens import ByToken

    clock = clock or SystemClock()
    reading = read_settings_file(directory)
    settings, gates = reading.settings.platform, reading.settings.gates
    opening = lasting_door(settings.kind, reading.setting("platform", "kind"))
    state = directory / settings.state
    database = open_database_in(state, clock, reading.settings.signing)
    acts = whoever(database, settings.lease, directory) if actor is None else ByToken(actor)
    session = Session(database, acts.actor)
    kept = control(session, settings.lease, acts.only)
    kept.policies.take_first(gates)
    ground = Ground(directory, state, {}, reading.settings, clock)
    told, schedules = reading.settings.notifications, reading.settings.schedules
    return OpenBooks(kept, gates, told, schedules, clock, state, lambda: opening.open(ground)(session))
