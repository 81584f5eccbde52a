"""Releases whose controller, server or batch scorer is killed: whoever comes next brings them to the same end.

Where the controller is killed is taken from the effects' journal of a rollout in peace: at each of its entries, right
after it was intended, when it was done and nobody had said so, and right after that.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fleetcast.app import open_fleet
from fleetcast.domain.place import EnvironmentName
from tests.chaos.ordeal import PATIENCE, Wrong, differences
from tests.scenarios.repository import Repository, write_fleet
from tests.servers.scoring import quick, started

ROOT = Path(__file__).parents[2]
BAD_SERVER = ROOT / "examples" / "rollout" / "server.py"
ON_RELEASE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"}
MOMENTS = ("intended", "done", "recorded")
PORTIONS = (0.1, 0.4, 0.7)
"""Of the time that scoring takes in peace, after which it is killed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kill, and what should be there when somebody has typed the command again."""

    name: str
    tell: Callable[[], dict[str, object]]
    peace: dict[str, object]


class Stage:
    """Fleets with a release that serves and another on its way, of which one goes well and the other does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        os.environ.update(ON_RELEASE)
        fleet = write_fleet(folder / "fleet", circuits=2, family="seasonal_naive")
        quick(fleet)
        fleet.promote()
        self._asked(fleet)
        with self.server(fleet, ""):
            typed(fleet, 0, "deploy", "test", "--wait")
        fleet.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
        fleet.promote()
        self._asked(fleet)
        typed(fleet, 0, "deploy", "test")
        self.fleet = fleet

    def another(self) -> Repository:
        """A fleet whose second release was approved, and has not begun."""
        self.count += 1
        return self.fleet.copy_to(self.folder / f"fleet-{self.count}")

    @contextmanager
    def server(self, fleet: Repository, how: str) -> Iterator[subprocess.Popen[str]]:
        """A server whose green is well, or not in one of the ways that the example of rollouts knows."""
        file = fleet.folder / "how"
        file.write_text(how)
        process, _ = started(
            subprocess.Popen(
                [sys.executable, str(BAD_SERVER), str(fleet.folder), "test", "0", str(file)],
                env={**os.environ, **fleet.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @staticmethod
    def _asked(fleet: Repository) -> None:
        typed(fleet, 3, "deploy", "test")
        fleet.approve_all()
        typed(fleet, None, "deploy", "test")


def main(seed: int) -> int:
    """Go through all kills; gives how many ended otherwise than in peace."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        stage = Stage(Path(folder))
        wrong = 0
        for case in _cases(stage, random.Random(seed)):  # noqa: S311  # moments, not secrets
            try:
                amiss = differences(case.peace, case.tell())
            except Wrong as error:
                amiss = [str(error)]
            print(f"{'✗' if amiss else '✓'} {case.name}", flush=True)
            for one in amiss:
                print(f"    {one[:3000]}", flush=True)
            wrong += bool(amiss)
        return wrong


def _cases(stage: Stage, chance: random.Random) -> Iterator[Case]:
    for how, code in (("", 0), ("nan", 1)):
        peace, keys = _in_peace(stage, how, code)
        print(f"\n━━ a release that is {how or 'well'}: {len(keys)} entries in the journal", flush=True)
        for key in keys:
            for moment in MOMENTS:
                yield Case(
                    f"controller killed at `{key}`, {moment}",
                    partial(_controller, stage, how, code, key, moment),
                    peace,
                )
        yield Case(
            "controller killed five times",
            partial(_at_random, stage, how, code, chance),
            peace,
        )
    peace, _ = _in_peace(stage, "", 0)
    print("\n━━ a server that is killed", flush=True)
    for killed in (1, 3):
        yield Case(f"server killed, {killed} times", partial(_server, stage, killed, chance), peace)
    scored, key, seconds = _scored_in_peace(stage)
    print("\n━━ a batch scorer that is killed", flush=True)
    for moment in MOMENTS:
        yield Case(f"scorer killed at `{key}`, {moment}", partial(_scorer, stage, key, moment), scored)
    for portion in PORTIONS:
        yield Case(
            f"scorer killed after {portion:.0%} of its time",
            partial(_scorer_after, stage, portion * seconds),
            scored,
        )


def _in_peace(stage: Stage, how: str, code: int) -> tuple[dict[str, object], list[str]]:
    """What a rollout comes to, and what it wrote into the journal."""
    fleet = stage.another()
    before = set(_journal(fleet))
    with stage.server(fleet, how):
        typed(fleet, code, "deploy", "test", "--wait")
    keys = [key for key in _journal(fleet) if key not in before]
    return _state(fleet, how), keys


def _controller(stage: Stage, how: str, code: int, key: str, moment: str) -> dict[str, object]:
    fleet = stage.another()
    with stage.server(fleet, how):
        _dies(fleet, "deploy", moment, key)
        _ended(fleet, code)
    return _state(fleet, how)


def _at_random(stage: Stage, how: str, code: int, chance: random.Random) -> dict[str, object]:
    fleet = stage.another()
    with stage.server(fleet, how):
        for _ in range(5):
            _killed_after(fleet, chance.uniform(0.5, 4.0), "deploy", "test", "--wait")
        _ended(fleet, code)
    return _state(fleet, how)


def _server(stage: Stage, times: int, chance: random.Random) -> dict[str, object]:
    """The controller goes on all the while."""
    fleet = stage.another()
    waiting = fleet.start("deploy", "test", "--wait")
    for _ in range(times):
        with stage.server(fleet, "") as process:
            try:
                waiting.wait(chance.uniform(1.0, 5.0))
            except subprocess.TimeoutExpired:
                process.kill()
    with stage.server(fleet, ""):
        waiting.communicate(timeout=PATIENCE)
        _ended(fleet, 0)
    return _state(fleet, "")


def _scored_in_peace(stage: Stage) -> tuple[dict[str, object], str, float]:
    fleet = stage.another()
    before = set(_journal(fleet))
    began = time.monotonic()
    typed(fleet, 0, "score", "test")
    seconds = time.monotonic() - began
    (key,) = [key for key in _journal(fleet) if key not in before]
    return _forecasts(fleet), key, seconds


def _scorer(stage: Stage, key: str, moment: str) -> dict[str, object]:
    fleet = stage.another()
    _dies(fleet, "score", moment, key)
    typed(fleet, 0, "score", "test")
    return _forecasts(fleet)


def _scorer_after(stage: Stage, seconds: float) -> dict[str, object]:
    fleet = stage.another()
    _killed_after(fleet, seconds, "score", "test")
    typed(fleet, 0, "score", "test")
    return _forecasts(fleet)


def _ended(fleet: Repository, code: int) -> None:
    """See the deployment to its end: the command may have ended before it was killed."""
    if fleet.rows("SELECT number FROM deployments WHERE state = 'running'"):
        typed(fleet, code, "deploy", "test", "--wait")
    elif code == 0:
        typed(fleet, 0, "deploy", "test")
    typed(fleet, 0, "audit", "verify")


def _state(fleet: Repository, how: str) -> dict[str, object]:
    """What a rollout came to, without times, and the way there of one that goes well.

    One that does not goes back as soon as somebody looks, whatever step it has come to by then.
    """
    kinds = ("release", "model", "deployment", *(() if how else ("traffic",)))
    events = Counter(
        f"{event['action']} {event['subject']} {event['detail'].get('share', '')}"
        for event in _events(fleet)
        if event["action"].partition(".")[0] in kinds
    )
    rollouts = [json.loads(content) for (content,) in fleet.rows("SELECT content FROM rollouts")]
    left = fleet.rows("SELECT key FROM effects WHERE NOT recorded")
    return {
        "events": events,
        "rollouts": [(one["rollout"]["phase"], one["rollout"]["share"]) for one in rollouts],
        "live": fleet.rows("SELECT environment, plant, number FROM live_releases"),
        "left": left,
        "refused": sorted(fleet.rows("SELECT name, version FROM refused_models")),
    }


def _forecasts(fleet: Repository) -> dict[str, object]:
    """Which forecasts readers see, without times."""
    table = open_fleet(fleet.folder).platform.workspace.forecasts(EnvironmentName.TEST)
    (day,) = table.days()
    rows = table.read(day)
    columns = [name for name in rows.columns if name != "made_at"]
    return {
        "rows": rows.select(columns).rows(),
        "issues": [issue.number for issue in table.issues(day)],
        "events": Counter(
            event["subject"] for event in _events(fleet) if event["action"] == "forecasts.published"
        ),
        "left": fleet.rows("SELECT key FROM effects WHERE NOT recorded"),
    }


def _events(fleet: Repository) -> list[dict[str, Any]]:
    held = fleet.rows("SELECT content FROM audit ORDER BY number")
    return [json.loads(content)["event"] for (content,) in held]


def _journal(fleet: Repository) -> list[str]:
    return [str(key) for (key,) in fleet.rows("SELECT key FROM effects ORDER BY position")]


def _dies(fleet: Repository, what: str, moment: str, key: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.dying_controller", str(fleet.folder), what, moment, key],
        cwd=ROOT,
        env={**os.environ, **fleet.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != -signal.SIGKILL:
        raise Wrong(f"it was not killed: {done.returncode} {done.stderr[-2000:]}")


def _killed_after(fleet: Repository, seconds: float, *words: str) -> None:
    process = subprocess.Popen(
        fleet.command(*words),
        env={**os.environ, **fleet.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def typed(fleet: Repository, code: int | None, *words: str) -> None:
    """Type a command, which must end so; None: in any way but with a traceback."""
    process = fleet.start(*words)
    out, err = process.communicate(timeout=PATIENCE)
    if "Traceback" in err:
        raise Wrong(f"a traceback:\n{err[-3000:]}")
    if code is not None and process.returncode != code:
        raise Wrong(f"{' '.join(words)} ended with {process.returncode} instead of {code}: {out}{err}")
