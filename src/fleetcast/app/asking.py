"""What commands ask of a fleet, wherever it is: in a repository on this machine, or at a server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fleetcast.ports.served import URL_VARIABLE

if TYPE_CHECKING:
    from datetime import datetime

    from fleetcast.app.answers import ActorKnown, PlanMade, RunFound, RunsListed
    from fleetcast.app.books import OpenBooks
    from fleetcast.app.fleet import OpenFleet
    from fleetcast.domain.alarm import Alarm
    from fleetcast.domain.approval import Choice, Request
    from fleetcast.domain.job import JobLog
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.domain.since import Since
    from fleetcast.workflows.decide import Decide, Decided
    from fleetcast.workflows.fleet_status import FleetStatus
    from fleetcast.workflows.inspect_models import ModelHistory, ModelRow


class Asking(Protocol):
    """One fleet, asked in one person's name.

    Every call raises `Denied` where that person may not, `BadInput` where what it names is not there, `InvalidFleet`
    where the repository has mistakes that matter to it, and `Unavailable` where a database or a server does not answer.
    """

    def plan(self) -> PlanMade:
        """What differs between the fleet repository and what exists."""
        ...

    def since(self, commit: str) -> Since:
        """What the fleet repository declares differently from an earlier commit."""
        ...

    def status(self) -> FleetStatus:
        """How the fleet stands."""
        ...

    def models(self, plant: str | None) -> Sequence[ModelRow]:
        """Declared circuits with the model that each uses; of one plant, or all."""
        ...

    def model(self, name: str) -> ModelHistory:
        """Every version of one model, by PLANT/CIRCUIT or its name, with :VERSION or without."""
        ...

    def runs(self) -> RunsListed:
        """All runs, newest first."""
        ...

    def run(self, run_id: str) -> RunFound:
        """One run."""
        ...

    def log(self, job_id: str) -> JobLog:
        """What one training job said."""
        ...

    def pending(self) -> Sequence[Request]:
        """What waits for a decision, oldest first."""
        ...

    def latest(self, count: int) -> Sequence[Request]:
        """The last so many requests, whatever their state, oldest first."""
        ...

    def request(self, number: int) -> Request:
        """One request."""
        ...

    def decide(self, numbers: Sequence[int], choice: Choice, comment: str) -> Sequence[Decided]:
        """Decide on requests, all or none.

        Raises:
            NotDecidable: One of them has ended, or this person may not decide on it; nothing was decided.
        """
        ...

    def approve_passing(self, comment: str, displayed: str | None) -> Sequence[Decided]:
        """Approve everything that waits and whose checks pass.

        Args:
            comment: Why.
            displayed: Digest of the set that was shown, whole or its beginning; None: nothing is compared.

        Raises:
            NotDecidable: What waits is not what was displayed.
        """
        ...

    def hand_on(self, number: int, name: str, comment: str) -> Decided:
        """Give one's vote on a request to somebody else.

        Raises:
            NotDecidable: It has ended, the vote is used, or the other may not decide on it.
        """
        ...

    def trains_at(self) -> datetime | None:
        """When training starts by itself next, aware UTC; None: it does not, or that is not known here."""
        ...

    def alarms(self, environment: EnvironmentName | None, last: int | None) -> Sequence[Alarm]:
        """Open alarms, the most harmful first; with `last` the last so many of all, newest first."""
        ...

    def alarm(self, number: int) -> Alarm:
        """One alarm."""
        ...

    def acknowledge_alarm(self, number: int, comment: str) -> Alarm:
        """Say that one has an alarm in hand."""
        ...

    def snooze_alarm(self, number: int, until: datetime) -> Alarm:
        """Have nobody told of an alarm before a moment, aware UTC."""
        ...

    def whoami(self) -> ActorKnown:
        """In whose name this asks."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """A fleet repository on this machine; each call opens what it needs."""

    directory: Path

    def plan(self) -> PlanMade:
        """As of `Asking`."""
        from fleetcast.app.answers import PlanMade

        opened = self._fleet()
        return PlanMade(opened.planning(opened.fleet), opened.unused)

    def since(self, commit: str) -> Since:
        """As of `Asking`."""
        return self._fleet().since(commit)

    def status(self) -> FleetStatus:
        """As of `Asking`."""
        opened = self._fleet()
        return opened.status(opened.fleet)

    def models(self, plant: str | None) -> Sequence[ModelRow]:
        """As of `Asking`."""
        opened = self._fleet()
        return opened.models(opened.fleet, plant)

    def model(self, name: str) -> ModelHistory:
        """As of `Asking`."""
        opened = self._fleet()
        return opened.model(opened.fleet, name)

    def runs(self) -> RunsListed:
        """As of `Asking`."""
        from fleetcast.app.answers import RunsListed

        book = self._books().runs
        return RunsListed(tuple(book.listed()), book.at_work() is not None)

    def run(self, run_id: str) -> RunFound:
        """As of `Asking`."""
        return run_found(self._books(), run_id)

    def log(self, job_id: str) -> JobLog:
        """As of `Asking`."""
        return self._books().jobs.log(job_id)

    def pending(self) -> Sequence[Request]:
        """As of `Asking`."""
        return self._books().deciding.pending()

    def latest(self, count: int) -> Sequence[Request]:
        """As of `Asking`."""
        return self._books().requests.latest(count)

    def request(self, number: int) -> Request:
        """As of `Asking`."""
        return self._books().requests.find(number)

    def decide(self, numbers: Sequence[int], choice: Choice, comment: str) -> Sequence[Decided]:
        """As of `Asking`."""
        deciding = self._books().deciding
        return _decided(deciding, deciding(numbers, choice, comment))

    def approve_passing(self, comment: str, displayed: str | None) -> Sequence[Decided]:
        """As of `Asking`."""
        deciding = self._books().deciding
        return _decided(deciding, deciding.passing(comment, displayed))

    def hand_on(self, number: int, name: str, comment: str) -> Decided:
        """As of `Asking`."""
        deciding = self._books().deciding
        (decided,) = _decided(deciding, [deciding.hand_on(number, name, comment)])
        return decided

    def trains_at(self) -> datetime | None:
        """As of `Asking`."""
        from fleetcast.domain.settings.schedules import Routine

        shown = self._books().schedules()
        rows = [row for row in shown.rows if row.duty.routine is Routine.TRAIN]
        return rows[0].next_due if rows and shown.keeper is not None else None

    def alarms(self, environment: EnvironmentName | None, last: int | None) -> Sequence[Alarm]:
        """As of `Asking`."""
        alarms = self._books().alarms
        return alarms.open_ones(environment) if last is None else alarms.listed(environment, last)

    def alarm(self, number: int) -> Alarm:
        """As of `Asking`."""
        return self._books().alarms.find(number)

    def acknowledge_alarm(self, number: int, comment: str) -> Alarm:
        """As of `Asking`."""
        return self._books().alarms.acknowledge(number, comment)

    def snooze_alarm(self, number: int, until: datetime) -> Alarm:
        """As of `Asking`."""
        return self._books().alarms.snooze(number, until)

    def whoami(self) -> ActorKnown:
        """As of `Asking`."""
        return actor_known(self._books())

    def _books(self) -> OpenBooks:
        from fleetcast.app.books import open_books

        return open_books(self.directory)

    def _fleet(self) -> OpenFleet:
        from fleetcast.app.desk import open_fleet

        return open_fleet(self.directory)


def open_asking(directory: Path) -> Asking:
    """The fleet that a command is about: at the server that `FLEETCAST_URL` names, else in a repository here.

    Raises:
        BadInput: The variable names no server, or what asking one needs is not installed.
    """
    text = os.environ.get(URL_VARIABLE)
    if text is None:
        return Here(directory)
    from fleetcast.app.remote import open_server

    return open_server(text)


def run_found(books: OpenBooks, run_id: str) -> RunFound:
    """One run, with who is at work on it, where its files are and where the platform shows its jobs.

    Raises:
        BadInput: There is no such run.
    """
    from fleetcast.app.answers import RunFound

    run = books.runs.find(run_id)
    return RunFound(
        run,
        run.state.is_unfinished and books.runs.at_work() is not None,
        books.run_files / run.id,
        books.jobs.pages(run.id),
    )


def actor_known(books: OpenBooks) -> ActorKnown:
    """In whose name books are open, and what is on record about them."""
    from fleetcast.app.answers import ActorKnown

    actor, directory = books.control.actor, books.control.people.directory()
    person = directory.person(actor.person)
    granted = () if person is None else sorted(directory.grants_of(person), key=str)
    return ActorKnown(actor, directory.is_open, person is not None, tuple(granted))


def _decided(deciding: Decide, requests: Sequence[Request]) -> Sequence[Decided]:
    from fleetcast.workflows.decide import Decided

    return [
        Decided(request.id, request.subject, request.state, deciding.awaited(request)) for request in requests
    ]
