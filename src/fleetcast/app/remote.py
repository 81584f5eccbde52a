"""A fleet at a server: asks what commands ask of a fleet on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import quote

from fleetcast.app import sent
from fleetcast.app.answers import ActorKnown, PlanMade, RunFound, RunsListed
from fleetcast.domain.approval import Choice, Request, RequestState, check_displayed, passing
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.job import JobLog
from fleetcast.ports.clock import SystemClock
from fleetcast.workflows.decide import Awaited, Decided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleetcast.domain.alarm import Alarm
    from fleetcast.domain.canonical import Json
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.domain.since import Since
    from fleetcast.platforms.remote.server import Server
    from fleetcast.workflows.fleet_status import FleetStatus
    from fleetcast.workflows.inspect_models import ModelHistory, ModelRow

_PAGE = 500


@dataclass(frozen=True, slots=True)
class _DecidedRequest:
    """What this reads of a request in the answer to a decision."""

    request_id: int
    state: RequestState


@dataclass(frozen=True, slots=True)
class _AwaitedRequest:
    request_id: int
    missing: int
    may: tuple[str, ...]
    turn: str | None
    until: datetime | None
    is_stuck: bool

    @property
    def awaited(self) -> Awaited:
        return Awaited(self.missing, self.may, self.turn or "", self.until, self.is_stuck)


@dataclass(frozen=True, slots=True)
class _Answered:
    requests: tuple[_DecidedRequest, ...]
    awaited: tuple[_AwaitedRequest, ...]


@dataclass(frozen=True, slots=True)
class AtServer:
    """What a server says of its fleet; as of `Asking`."""

    server: Server

    def plan(self) -> PlanMade:
        """As of `Asking`: of the repository on the server, as it is now."""
        return sent.PLAN.from_json(self.server.values("/plan"), "the server's plan").made

    def since(self, commit: str) -> Since:
        """Nothing: a server has no commits.

        Raises:
            BadInput: Always.
        """
        raise BadInput(
            f"a server does not compare with commit {commit}",
            fix="run this in a clone of the fleet repository, without FLEETCAST_URL",
        )

    def status(self) -> FleetStatus:
        """As of `Asking`."""
        return sent.STATUS.from_json(self.server.values("/status"), "the server's status")

    def models(self, plant: str | None) -> Sequence[ModelRow]:
        """As of `Asking`."""
        found = self.server.values("/models", {"plant_id": plant})
        return sent.MODELS.from_json(found, "the server's list of models").rows

    def model(self, name: str) -> ModelHistory:
        """As of `Asking`."""
        what, _, version = name.partition(":")
        path = "/".join(quote(part, safe="") for part in what.split("/"))
        found = self.server.values(f"/models/{path}", {"version": version or None})
        return sent.MODEL.from_json(found, "the server's model")

    def runs(self) -> RunsListed:
        """As of `Asking`."""
        page = self._runs(None)
        runs = [*page.runs]
        while page.next is not None:
            page = self._runs(page.next)
            runs += page.runs
        return RunsListed(tuple(runs), page.at_work)

    def run(self, run_id: str) -> RunFound:
        """As of `Asking`."""
        return sent.RUN.from_json(self.server.values(f"/runs/{quote(run_id, safe='')}"), "the server's run")

    def log(self, job_id: str) -> JobLog:
        """As of `Asking`."""
        found = self.server.values(f"/jobs/{quote(job_id, safe='')}/log")
        return sent.LOG.from_json(found, "what the server's job said")

    def pending(self) -> Sequence[Request]:
        """As of `Asking`."""
        return self._requests({"state": "pending"}, None)

    def latest(self, count: int) -> Sequence[Request]:
        """As of `Asking`."""
        return self._requests({"newest_first": "true"}, count)[::-1]

    def request(self, number: int) -> Request:
        """As of `Asking`."""
        (found,) = sent.REQUESTS.from_json(
            self.server.values(f"/requests/{number}"), "the server's request"
        ).requests
        return found

    def decide(self, numbers: Sequence[int], choice: Choice, comment: str) -> Sequence[Decided]:
        """As of `Asking`; on what the server shows at this moment."""
        return self._decided([self.request(number) for number in dict.fromkeys(numbers)], choice, comment)

    def approve_passing(self, comment: str, displayed: str | None) -> Sequence[Decided]:
        """As of `Asking`."""
        waiting = passing(self.pending())
        check_displayed(waiting, displayed)
        return self._decided(waiting, Choice.APPROVE, comment)

    def hand_on(self, number: int, name: str, comment: str) -> Decided:
        """As of `Asking`."""
        (decided,) = self._decided([self.request(number)], Choice.HAND_ON, comment, name)
        return decided

    def trains_at(self) -> datetime | None:
        """As of `Asking`: a server does not say it."""
        return None

    def alarms(self, environment: EnvironmentName | None, last: int | None) -> Sequence[Alarm]:
        """As of `Asking`."""
        wanted = {"environment": None if environment is None else environment.value, "last": last}
        return self._alarms("/alarms", wanted)

    def alarm(self, number: int) -> Alarm:
        """As of `Asking`."""
        (found,) = self._alarms(f"/alarms/{number}", {})
        return found

    def acknowledge_alarm(self, number: int, comment: str) -> Alarm:
        """As of `Asking`."""
        self.server.change(f"/alarms/{number}/acknowledge", {"comment": comment}, token_urlsafe(24))
        return self.alarm(number)

    def snooze_alarm(self, number: int, until: datetime) -> Alarm:
        """As of `Asking`."""
        body = {"until": until.isoformat()}
        self.server.change(f"/alarms/{number}/snooze", body, token_urlsafe(24))
        return self.alarm(number)

    def whoami(self) -> ActorKnown:
        """As of `Asking`."""
        return sent.ACTOR.from_json(self.server.values("/whoami"), "what the server knows of you")

    def _alarms(self, path: str, wanted: Mapping[str, object]) -> Sequence[Alarm]:
        return sent.ALARMS.from_json(self.server.values(path, wanted), "the server's alarms").alarms

    def _decided(
        self, shown: Sequence[Request], choice: Choice, comment: str, to: str | None = None
    ) -> Sequence[Decided]:
        if len(shown) > _PAGE:
            raise BadInput(
                f"{len(shown):,} requests at once are more than a server takes",
                fix=f"approve {_PAGE} at a time, by their numbers",
            )
        if not shown:
            return ()
        body: dict[str, Json] = {
            "choice": choice.value,
            "requests": [
                {"request_id": request.id, "subject_digest": request.subject.digest.hex} for request in shown
            ],
            "comment": comment,
            "to": to,
        }
        answered = self.server.change("/decisions", body, token_urlsafe(24))
        return _read_decided(answered, shown)

    def _requests(self, wanted: Mapping[str, str], most: int | None) -> list[Request]:
        found: list[Request] = []
        after: str | None = None
        while most is None or len(found) < most:
            count = _PAGE if most is None else min(_PAGE, most - len(found))
            page = sent.REQUESTS.from_json(
                self.server.values("/requests", {**wanted, "limit": count, "after": after}),
                "the server's requests",
            )
            found += page.requests
            after = page.next
            if after is None:
                break
        return found

    def _runs(self, after: str | None) -> RunsListed:
        found = self.server.values("/runs", {"limit": _PAGE, "after": after})
        return sent.RUNS.from_json(found, "the server's runs")


def open_server(text: str) -> AtServer:
    """The server that an address names, asked with the token that this process was given, or by who has signed in.

    Raises:
        BadInput: It is no address of a server, or what asking one needs is not installed.
    """
    try:
        from fleetcast.platforms.remote.server import Server, server_url
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "httpx":
            raise
        raise BadInput(
            "asking a server needs a library that is not installed", fix="pip install 'fleetcast[web]'"
        ) from error
    from fleetcast.app.kept_logins import kept_secret
    from fleetcast.app.people import TOKEN_VARIABLE

    url = server_url(text)
    token = os.environ.get(TOKEN_VARIABLE)
    return AtServer(Server(url, kept_secret(url) if token is None else token.strip(), SystemClock()))


def _read_decided(answered: Mapping[str, Json], shown: Sequence[Request]) -> Sequence[Decided]:
    """What a server says that became of the requests.

    Raises:
        Unavailable: It says something else; the decision was made.
    """
    from pydantic import TypeAdapter

    subjects = {request.id: request.subject for request in shown}
    try:
        read = TypeAdapter(_Answered).validate_python(answered)
        awaited = {one.request_id: one.awaited for one in read.awaited}
        return [
            Decided(one.request_id, subjects[one.request_id], one.state, awaited.get(one.request_id))
            for one in read.requests
        ]
    except (LookupError, ValueError) as error:
        raise Unavailable(
            "the server took the decision, and answers something else",
            fix="see with `fleetcast approvals list --all` what became of it",
        ) from error
