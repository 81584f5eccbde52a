"""What runs all the time is started again when it ends, later each time, and ends together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.app.up import Group, Member
from fleetcast.domain.errors import BadInput
from tests.clocks import FixedClock

pytestmark = pytest.mark.slow

SECOND = timedelta(seconds=1)
ENDS_AT_ONCE = Member("it", ("validate",))
"""As the folder holds no fleet."""


def looks_once_it_ended(group: Group) -> None:
    (process,) = group.processes
    process.wait(60)
    group.look()


def test_what_ends_is_started_again_later_each_time(tmp_path: Path) -> None:
    clock, said = FixedClock(), list[str]()
    group = Group([ENDS_AT_ONCE], tmp_path, clock, said.append)
    group.look()
    for pause in (1, 2, 4):
        looks_once_it_ended(group)
        assert said.pop() == f"it ended with 1, and is started again in {pause} s"
        clock.sleep(pause * SECOND - SECOND / 2)
        group.look()
        assert not group.processes
        clock.sleep(SECOND)
        group.look()
    (process,) = group.processes
    process.wait(60)


def test_one_that_was_well_for_a_while_is_started_again_soon(tmp_path: Path) -> None:
    clock, said = FixedClock(), list[str]()
    group = Group([ENDS_AT_ONCE], tmp_path, clock, said.append)
    group.look()
    looks_once_it_ended(group)
    clock.sleep(SECOND)
    group.look()
    clock.sleep(timedelta(minutes=2))
    looks_once_it_ended(group)
    assert said[-1] == "it ended with 1, and is started again in 1 s"


def test_all_end_together(tmp_path: Path) -> None:
    clock, said = FixedClock(), list[str]()
    group = Group([ENDS_AT_ONCE, ENDS_AT_ONCE], tmp_path, clock, said.append)
    group.look()
    processes = list(group.processes)
    group.end()
    group.run()
    assert len(processes) == 2
    assert all(process.poll() is not None for process in processes)


def test_a_clock_that_is_put_back_delays_nobody(tmp_path: Path) -> None:
    clock = FixedClock()
    group = Group([ENDS_AT_ONCE], tmp_path, clock, lambda _: None)
    group.look()
    looks_once_it_ended(group)
    assert not group.processes
    clock.moment -= timedelta(hours=1)
    group.look()
    (process,) = group.processes
    process.wait(60)


def test_whoever_the_settings_ask_for_joins_and_whoever_they_do_not_ends(tmp_path: Path) -> None:
    clock, said = FixedClock(), list[str]()
    other = Member("other", ("validate",))
    declared = [ENDS_AT_ONCE]

    def read() -> list[Member]:
        if not declared:
            raise BadInput("line 3: no")
        return list(declared)

    group = Group([ENDS_AT_ONCE], tmp_path, clock, said.append, read)
    group.look()
    (first,) = group.processes
    declared.append(other)
    group.look()
    assert (said, list(group.processes)) == ([], [first])
    clock.sleep(5 * SECOND)
    group.look()
    assert said[0] == "other is started, as the settings ask for it now"
    *_, second = group.processes
    declared.clear()
    for _ in range(2):
        clock.sleep(5 * SECOND)
        group.look()
    assert said.count("what runs stays as it is, as the settings cannot be read: line 3: no") == 1
    declared.append(other)
    clock.sleep(5 * SECOND)
    group.look()
    assert "it is ended, as the settings ask for it no more" in said
    assert first.poll() is not None
    declared[0] = ENDS_AT_ONCE
    clock.sleep(5 * SECOND)
    group.look()
    assert second.poll() is not None
    group.end()
    group.run()
    assert all(process.poll() is not None for process in group.processes)
