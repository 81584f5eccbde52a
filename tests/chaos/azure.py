"""A fleet on Azure ML that is trained, shared and deployed while Azure does what it does badly, or while it is killed.

Each case is a whole run of its own, from a copy of the same fleet and of the same Azure. A command may end with one
error that says what to do, and is then typed again; at the end everything in Azure and in the control database is as
after a run in peace.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fleetcast.serving.managed import ManagedDeployment
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault, Kind
from tests.azure_emulator.messages import Answer, Json, Request, part, refusal
from tests.azure_fleet import write_azure_fleet
from tests.chaos.ordeal import PATIENCE, Wrong, differences, state_of
from tests.chaos.releases import ON_RELEASE
from tests.contracts.azure import SETUP, azure_emulated, led_to
from tests.scenarios.repository import Repository, Said
from tests.servers.scoring import quick

CIRCUITS, BATCH = 6, 3
TRIES = 12
"""Times that a command may be typed until it ends as it should: it meets most faults of a case."""
PLACES: Mapping[str, tuple[str, str]] = {
    "environment": ("PUT", r"/workspaces/[^/]+/environments/fleetcast-training/"),
    "component": ("PUT", "/components/training_pipeline_batch/"),
    "pipeline": ("PUT", "/components/training_pipeline/"),
    "data": ("PUT", "/data/plant001-circuit02-data/"),
    "job": ("PUT", "/jobs/fleetcast-"),
    "look": ("GET", "/jobs/fleetcast-"),
    "model": ("PUT", "/workspaces/[^/]+/models/plant001-circuit03/"),
    "share": ("POST", "/import$"),
    "endpoint": ("PUT", "/onlineEndpoints/[^/]+$"),
    "deployment": ("PUT", "/deployments/blue$"),
}
"""Where in a run things go wrong."""
WRITES = tuple(name for name in PLACES if name != "look")
SOME = ("data", "job", "model", "share", "deployment")
TRAFFIC = "endpoint"
"""Sharing traffic out writes the endpoint again."""
OPERATIONS = ("share", "endpoint", "deployment")
"""Writes that Azure takes its time for."""


@dataclass(frozen=True, slots=True)
class Case:
    """What goes wrong in one run."""

    name: str
    faults: Sequence[Fault] = ()
    tokens: timedelta = timedelta(hours=1)
    """For how long a token holds."""
    kills: Sequence[tuple[str, str]] = ()
    """Places and moments, `asked` or `done`, at which the process is killed, in the order of the run."""


def cases() -> Sequence[Case]:
    """All of them."""
    refused = partial(_everywhere, "refuse")
    return (
        Case("429 with Retry-After", refused(PLACES, status=429, code="TooManyRequests", retry_after=1)),
        Case("503", refused(PLACES)),
        Case("done, but reported as 503", _everywhere("done_but_failed", WRITES)),
        Case(
            "done, but reported as 409", _everywhere("done_but_failed", WRITES, status=409, code="Conflict")
        ),
        Case("401", refused(PLACES, status=401, code="InvalidAuthenticationToken")),
        Case(
            "409",
            refused([one for one in WRITES if one not in OPERATIONS], status=409, code="Conflict"),
        ),
        Case(
            "an endpoint that is busy",
            refused(("deployment",), status=409, code="Conflict", message="it is in Updating state"),
        ),
        Case("operations that fail", _everywhere("fail_operation", OPERATIONS)),
        Case("copies that show late", _everywhere("late", ("share",), times=3, reads=2)),
        Case(
            "a copy that is made, reported as failed, and not found for a minute",
            [Fault("done_but_failed", *PLACES["share"], seconds=60)],
        ),
        Case("tokens that end after a second", tokens=timedelta(seconds=1)),
        Case("killed before writes", kills=[(place, "asked") for place in (*SOME, TRAFFIC)]),
        Case("killed after each write, unrecorded", kills=[(place, "done") for place in (*WRITES, TRAFFIC)]),
    )


SHORT = ("401", "done, but reported as 409", "operations that fail")
"""The cases of the short form."""


def _everywhere(kind: Kind, places: Collection[str], **more: Any) -> list[Fault]:
    return [replace(Fault(kind, *PLACES[place]), **more) for place in places]


class DeadlyAzure(AzureEmulator):
    """Kills who asks for certain things, before they are done or before the answer is sent."""

    victim: subprocess.Popen[str] | None = None
    place: tuple[str, str] | None = None
    """Where, and at which moment."""

    def answer(self, request: Request) -> Answer:
        if self._meets(request, "asked"):
            self._kill()
            return refusal(503, "ServiceUnavailable", "nobody hears this")
        answer = super().answer(request)
        if self._meets(request, "done"):
            self._kill()
        return answer

    def _meets(self, request: Request, moment: str) -> bool:
        if self.place is None or self.place[1] != moment:
            return False
        return Fault("refuse", *PLACES[self.place[0]]).meets(request.method, request.path)

    def _kill(self) -> None:
        assert self.victim is not None
        self.place = None
        os.killpg(self.victim.pid, signal.SIGKILL)


@dataclass(slots=True)
class Journey:
    """One fleet on its way from declared to deployed."""

    fleet: Repository
    azure: DeadlyAzure
    kills: list[tuple[str, str]] = field(default_factory=list)
    """Those that are left."""
    typed: int = 0
    failed: int = 0
    killed: int = 0

    def go(self) -> dict[str, object]:
        """Go all the way; gives what the fleet has come to, here and in Azure."""
        self._until(3, "train")
        self.fleet.approve_all()
        self._until(0, "train")
        self._until(3, "deploy", "test")
        self.fleet.approve_all()
        self._until(0, "deploy", "test")
        for _ in range(TRIES):
            self._once(0, "deploy", "--step")
            if not self.fleet.rows("SELECT number FROM deployments WHERE state = 'running'"):
                break
            self._containers_look()
        else:
            raise Wrong("the deployment does not end")
        if self.kills:
            raise Wrong(f"nobody was killed at {self.kills}")
        self._until(0, "audit", "verify")
        unknown = [f"{one.method} {one.path}" for one in self.azure.exchanges() if not one.known]
        if unknown:
            raise Wrong(f"the emulator does not know {unknown[:3]}")
        return outcome(self.fleet, self.azure)

    def _until(self, code: int, *words: str) -> None:
        """Type a command until it ends as it should."""
        for _ in range(TRIES):
            if self._once(code, *words):
                return
        raise Wrong(f"{' '.join(words)} does not end with {code}")

    def _once(self, code: int, *words: str) -> bool:
        """Type a command, in a process of its own while somebody is to be killed; gives whether it ended so."""
        self.typed += 1
        said = self._doomed(*words) if self.kills and words[0] != "audit" else self.fleet.type(*words)
        if said is None:
            return False
        if "Traceback" in said.err:
            raise Wrong(f"a traceback:\n{said.err[-3000:]}")
        if said.code == code:
            return True
        errors = re.findall(r"^ *error: .*", said.err, re.MULTILINE)
        if len(errors) != 1 or "fix: " not in said.err:
            raise Wrong(f"{' '.join(words)} ended with {said.code}:\n{said.out[-1500:]}{said.err[-1500:]}")
        self.failed += 1
        return False

    def _doomed(self, *words: str) -> Said | None:
        """Type a command that is killed when it comes to the next place; None: it was."""
        self.azure.place = self.kills[0]
        process = subprocess.Popen(
            self.fleet.command(*words),
            env={**os.environ, **self.fleet.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.azure.victim = process
        out, err = process.communicate(timeout=PATIENCE)
        if process.returncode == -signal.SIGKILL:
            self.killed += 1
            del self.kills[0]
            return None
        self.azure.place = None
        return Said(process.returncode, out, err)

    def _containers_look(self) -> None:
        """What the container of each deployment does every few seconds, as far as it was made."""
        for identity, body in resources(self.azure).items():
            if "/deployments/" in identity:
                variables = part(body, "properties", "environmentVariables")
                told = {name: str(value) for name, value in variables.items()}
                ManagedDeployment.open(self.fleet.folder, told).look()


def main(*, short: bool) -> int:
    """Go through all cases, or three of them; gives how many ended otherwise than in peace."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, patch.dict(os.environ, ON_RELEASE):
        declared = Path(folder) / "declared"
        declared.mkdir()
        with azure_emulated(declared / "azure") as emulator:
            fleet = write_azure_fleet(declared / "fleet", emulator, circuits=CIRCUITS, batch_size=BATCH)
            quick(fleet)
        began = time.monotonic()
        calm, journey = _gone_through(declared, Path(folder) / "peace", Case("in peace"))
        print(
            f"\n━━ Azure ML: {CIRCUITS} circuits, {journey.typed} commands in {time.monotonic() - began:.0f} s"
        )
        chosen = [case for case in cases() if not short or case.name in SHORT]
        wrong = 0
        for number, case in enumerate(chosen, start=1):
            began = time.monotonic()
            place = Path(folder) / f"case-{number}"
            try:
                found, journey = _gone_through(declared, place, case)
                amiss = differences(calm, found)
                told = f"{journey.typed} commands, {journey.failed} failed, {journey.killed} killed"
            except Wrong as error:
                amiss, told = [str(error)], "not to the end"
            print(
                f"{'✗' if amiss else '✓'} {case.name}: {told}, {time.monotonic() - began:.0f} s", flush=True
            )
            for one in amiss:
                print(f"    {one[:3000]}", flush=True)
            wrong += bool(amiss)
            shutil.rmtree(place, ignore_errors=True)
        return wrong


def _gone_through(declared: Path, place: Path, case: Case) -> tuple[dict[str, object], Journey]:
    """Take a copy of the fleet, and of Azure, through a case."""
    shutil.copytree(declared, place)
    with DeadlyAzure(place / "azure", SETUP) as azure, led_to(azure):
        for fault in case.faults:
            azure.faults.add(fault)
        azure.faults.token_lifetime = case.tokens
        journey = Journey(Repository(place / "fleet"), azure, list(case.kills))
        return journey.go(), journey


def resources(azure: AzureEmulator) -> Mapping[str, Json]:
    """Everything that Azure holds, by its id."""
    said = [json.loads(file.read_bytes()) for file in (azure.state / "resources").glob("*.json")]
    return {one["id"]: one["body"] for one in said if not one["id"].startswith("/operations")}


def outcome(fleet: Repository, azure: AzureEmulator) -> dict[str, object]:
    """What a fleet has come to, here and in Azure, without times."""
    held: dict[str, object] = {}
    for identity, body in resources(azure).items():
        # Code is held under a name by chance; what is there already is taken.
        if "/codes/" not in identity:
            said = part(body, "properties")
            tags = part(body, "tags") or part(said, "tags")
            state = said.get("provisioningState") or said.get("status")
            held[identity.rpartition("Services/")[2]] = (state, said.get("traffic"), sorted(tags.items()))
    return {
        **state_of(fleet),
        "handed over": sorted(fleet.rows("SELECT job, name FROM handed_over")),
        "environments shared": sorted(fleet.rows("SELECT name, version FROM shared_environments")),
        "live": fleet.rows("SELECT environment, plant, number FROM live_releases"),
        "deployments": fleet.rows("SELECT number, state FROM deployments"),
        "left": fleet.rows("SELECT key FROM effects WHERE NOT recorded"),
        "azure": held,
    }
