"""Keeping schedules: each due instant is on record before its command starts, and whoever comes next finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.schedule import LONGEST, MOST_ATTEMPTS, Duty, Turn, TurnState
from fleetcast.domain.settings.schedules import Routine, Schedule
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.ports.platform import Control
from fleetcast.workflows.keep_schedules import InspectSchedules, KeepSchedules, log_of
from tests.clocks import FixedClock
from tests.contracts.samples import ADA

SCORE = Duty(Routine.SCORE, EnvironmentName.PROD, "0 2 * * *")
TRAIN = Duty(Routine.TRAIN, None, "0 2 * * *")
MONITOR = Duty(Routine.MONITOR, EnvironmentName.PROD, "0 2 * * *")
TWO = datetime(2025, 12, 2, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Played:
    """A command that ends when a test lets it."""

    words: tuple[str, ...]
    log: Path
    code: int | None = None
    was_ended: bool = False

    def exit_code(self) -> int | None:
        return self.code

    def end(self) -> None:
        self.code, self.was_ended = -15, True


@dataclass
class PlayedCommands:
    """A machine whose processes end when a test lets them."""

    started: list[Played] = field(default_factory=list)
    refuses: str = ""

    def start(self, words: Sequence[str], log: Path) -> Played:
        if self.refuses:
            raise Unavailable(self.refuses)
        self.started.append(Played(tuple(words), log))
        return self.started[-1]


@dataclass
class Scene:
    control: Control
    clock: FixedClock
    duties: list[Duty]
    commands: PlayedCommands = field(default_factory=PlayedCommands)
    said: list[str] = field(default_factory=list)

    def keeper(self) -> KeepSchedules:
        return KeepSchedules(
            self.control, self.clock, lambda: self.duties, self.commands, Path("logs"), self.said.append
        )

    def turns(self) -> Sequence[Turn]:
        held = self.control.schedules.held(datetime(2000, 1, 1, tzinfo=UTC))
        return [turn for turn in held if turn.state is not TurnState.NOTED]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    clock = FixedClock()
    platform = memory_platform({}, tmp_path, actor=ADA, clock=clock)
    yield Scene(platform.control, clock, [SCORE, TRAIN])
    platform.workspace.jobs.close()


def test_what_is_due_starts_once_and_is_over_when_its_command_ended(scene: Scene) -> None:
    keeper = scene.keeper()
    keeper.look()
    assert scene.commands.started == []
    scene.clock.moment = TWO
    for _ in range(3):
        keeper.look()
    score, train = scene.commands.started
    assert score.words[:4] == ("score", "prod", "--date", "2025-12-02")
    assert train.words[0] == "train"
    assert score.log == Path("logs/score-prod/2025-12-02T0200.log")
    score.code = 0
    scene.clock.sleep(MINUTE)
    keeper.look()
    keeper.look()
    states = {turn.duty: (turn.state, turn.exit_code, turn.ended_at) for turn in scene.turns()}
    assert states == {
        "score prod": (TurnState.DONE, 0, TWO + MINUTE),
        "train": (TurnState.RUNNING, None, None),
    }
    assert len(scene.commands.started) == 2


def test_a_forecast_that_begins_after_midnight_is_for_the_day_it_was_due_on(scene: Scene) -> None:
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO + DAY
    keeper.look()
    assert [one.words[3] for one in scene.commands.started if one.words[0] == "score"] == ["2025-12-03"]
    scene.commands.started[0].code = 0
    keeper.look()
    assert scene.commands.started[-1].words[3] == "2025-12-02"


def test_it_is_on_record_before_it_starts_so_that_a_kill_between_starts_nothing_twice(scene: Scene) -> None:
    scene.duties = [SCORE]
    scene.keeper().look()
    scene.clock.moment = TWO
    with pytest.raises(KeyboardInterrupt):
        KeepSchedules(
            scene.control, scene.clock, lambda: [SCORE], _Dies(), Path("logs"), scene.said.append
        ).look()
    assert [turn.state for turn in scene.turns()] == [TurnState.RUNNING]
    after = scene.keeper()
    after.take_over()
    after.look()
    assert [turn.state for turn in scene.turns()] == [TurnState.WAITING]
    assert scene.commands.started == []
    scene.clock.sleep(MINUTE)
    after.look()
    assert [(turn.state, turn.attempts) for turn in scene.turns()] == [(TurnState.RUNNING, 2)]
    assert len(scene.commands.started) == 1


class _Dies:
    def start(self, words: Sequence[str], log: Path) -> Played:
        raise KeyboardInterrupt((*words, log))


def test_what_fails_too_often_is_in_the_log_and_the_next_day_is_a_new_turn(scene: Scene) -> None:
    scene.duties = [SCORE]
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO
    for _ in range(MOST_ATTEMPTS):
        keeper.look()
        scene.commands.started[-1].code = 1
        keeper.look()
        scene.clock.sleep(HOUR)
    keeper.look()
    assert len(scene.commands.started) == MOST_ATTEMPTS
    assert [turn.state for turn in scene.turns()] == [TurnState.FAILED]
    assert "too often: it has failed" in scene.said[-1]
    assert [one.event.subject for one in scene.control.audit.entries()][-1] == "score prod"
    scene.clock.moment = TWO + DAY
    keeper.look()
    assert scene.turns()[-1].state is TurnState.RUNNING


def test_a_command_that_cannot_be_started_is_tried_again(scene: Scene) -> None:
    scene.duties = [SCORE]
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO
    scene.commands.refuses = "no space left"
    keeper.look()
    assert [(turn.state, turn.exit_code) for turn in scene.turns()] == [(TurnState.WAITING, 127)]
    assert "no space left" in scene.said[-1]
    scene.commands.refuses = ""
    scene.clock.sleep(MINUTE)
    keeper.look()
    assert scene.turns()[0].state is TurnState.RUNNING


def test_a_command_that_never_ends_is_ended_and_has_failed(scene: Scene) -> None:
    scene.duties = [SCORE]
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO
    keeper.look()
    scene.clock.sleep(LONGEST + MINUTE)
    keeper.look()
    assert scene.commands.started[0].was_ended
    assert scene.turns()[0].exit_code == -15


def test_when_it_is_over_what_runs_is_ended_and_loses_no_attempt(scene: Scene) -> None:
    scene.keeper().look()
    scene.clock.moment = TWO
    scene.keeper()(MINUTE, ends_after(scene, 3))
    assert [one.was_ended for one in scene.commands.started] == [True, True]
    assert {(turn.state, turn.attempts) for turn in scene.turns()} == {(TurnState.WAITING, 0)}
    scene.keeper()(MINUTE, ends_after(scene, 3))
    assert len(scene.commands.started) == 4
    assert scene.control.schedules.keeper() is None


@pytest.mark.parametrize(("code", "attempts"), [(-15, 0), (-2, 0), (130, 0), (-9, 1), (1, 1)])
def test_what_was_told_to_end_at_the_same_moment_loses_no_attempt_either(
    scene: Scene, code: int, attempts: int
) -> None:
    scene.keeper().look()
    scene.clock.moment = TWO
    over = ends_after(scene, 3)

    def is_over() -> bool:
        if over():
            for one in scene.commands.started:
                one.code = code
            return True
        return False

    scene.keeper()(MINUTE, is_over)
    assert {(turn.state, turn.attempts) for turn in scene.turns()} == {(TurnState.WAITING, attempts)}


def test_settings_that_became_wrong_are_said_once_and_what_runs_goes_on(scene: Scene) -> None:
    scene.keeper().look()
    scene.clock.moment = TWO

    def wrong() -> Sequence[Duty]:
        raise BadInput("line 3 is no YAML")

    KeepSchedules(scene.control, scene.clock, wrong, scene.commands, Path("logs"), scene.said.append)(
        MINUTE, ends_after(scene, 500)
    )
    assert [line for line in scene.said if "line 3" in line] == [
        "schedules are not looked at, and it is tried again: line 3 is no YAML"
    ]


def test_monitoring_starts_its_command(scene: Scene) -> None:
    scene.duties = [MONITOR]
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO
    keeper.look()
    assert [one.words[:2] for one in scene.commands.started] == [("monitor", "prod")]


def test_the_list_says_when_each_is_next_and_how_it_ended_last(scene: Scene) -> None:
    scene.duties = [SCORE]
    keeper = scene.keeper()
    keeper.look()
    scene.clock.moment = TWO
    keeper.look()
    scene.commands.started[0].code = 0
    scene.clock.sleep(MINUTE)
    keeper.look()
    declared = {
        Routine.SCORE: Schedule(Routine.SCORE, SCORE.cron, (EnvironmentName.PROD,)),
        Routine.MONITOR: Schedule(Routine.MONITOR, "0 3 * * *", (EnvironmentName.PROD,)),
    }
    shown = InspectSchedules(scene.control, scene.clock, declared, Path("logs"))()
    score, monitor = shown.rows
    assert score.next_due == TWO + DAY
    assert score.last is not None
    assert score.last.state is TurnState.DONE
    assert score.log == log_of(Path("logs"), score.last)
    assert (monitor.next_due, monitor.last, shown.keeper) == (TWO + HOUR, None, None)


def ends_after(scene: Scene, looks: int) -> Callable[[], bool]:
    """Over once it was asked so often; time passes by what sleeps alone."""
    left = iter(range(looks))

    def is_over() -> bool:
        with suppress(StopIteration):
            next(left)
            return False
        return True

    return is_over
