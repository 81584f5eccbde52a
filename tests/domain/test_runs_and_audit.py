"""How endings add up to an exit code, and how the audit chain shows what was touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, Standing, chained
from fleetcast.domain.identity import Digest
from fleetcast.domain.run import Ending, Run, RunState, StageRecord, worst
from tests.clocks import NOON
from tests.logs import broken_at

RUN = Run("run-0001", Digest.of(b"fleet"), "0123abc", "ada", NOON)


def test_exit_codes_are_those_of_the_specification() -> None:
    assert {ending: ending.exit_code for ending in Ending} == {
        Ending.DONE: 0,
        Ending.FAILED: 1,
        Ending.AWAITING: 3,
        Ending.STILL_RUNNING: 4,
    }


@given(st.lists(st.sampled_from(Ending)))
def test_1_outranks_4_outranks_3_outranks_0(endings: list[Ending]) -> None:
    codes = {ending.exit_code for ending in endings}
    expected = next((code for code in (1, 4, 3) if code in codes), 0)
    assert worst(endings).exit_code == expected


def test_every_ending_of_a_run_is_a_state_of_a_run() -> None:
    assert {RUN.ended(ending, NOON).state for ending in Ending} == set(RunState) - {
        RunState.OPEN,
        RunState.SUPERSEDED,
    }


def test_all_but_finished_and_superseded_runs_can_be_continued() -> None:
    assert {state for state in RunState if not state.can_continue} == {RunState.DONE, RunState.SUPERSEDED}


def test_a_stage_that_runs_again_replaces_its_record() -> None:
    first = StageRecord("RegisterData", Ending.FAILED, "no", NOON, NOON)
    second = replace(first, ending=Ending.DONE, says="yes", ended_at=NOON + timedelta(seconds=2))
    other = replace(first, stage="SubmitTraining")
    run = RUN.with_stage(first).with_stage(other).with_stage(second)
    assert run.stages == (other, second)
    assert second.seconds == 2.0


def log(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(1, length + 1):
        event = AuditEvent("model.registered", f"m:{number}", {"number": number})
        previous = entries[-1].digest if entries else GENESIS
        entries.append(chained(number, NOON, Actor("ada"), event, previous))
    return entries


def test_an_untouched_chain_is_whole() -> None:
    assert broken_at([]) is None
    assert broken_at(log(5)) is None


TAMPERING: dict[str, Callable[[AuditEntry], AuditEntry]] = {
    "time": lambda e: replace(e, at=NOON + timedelta(microseconds=1)),
    "actor": lambda e: replace(e, actor=Actor("eve")),
    "standing": lambda e: replace(e, actor=Actor("ada", Standing.VERIFIED)),
    "action": lambda e: replace(e, event=replace(e.event, action="model.rejected")),
    "subject": lambda e: replace(e, event=replace(e.event, subject="m:99")),
    "detail": lambda e: replace(e, event=replace(e.event, detail={"number": 99})),
    "number": lambda e: replace(e, number=99),
    "previous": lambda e: replace(e, previous=Digest.of(b"x")),
    "digest": lambda e: replace(e, digest=Digest.of(b"x")),
}


@pytest.mark.parametrize("what", TAMPERING)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_touched_entry_is_found(what: str, place: int) -> None:
    entries = log(5)
    entries[place] = TAMPERING[what](entries[place])
    assert broken_at(entries) == entries[place].number


def test_an_entry_rewritten_with_a_fitting_digest_breaks_the_next_one() -> None:
    entries = log(5)
    forged = AuditEvent("model.registered", "m:2", {"number": 99})
    entries[1] = chained(2, NOON, Actor("ada"), forged, entries[0].digest)
    assert broken_at(entries) == entries[2].number


@given(st.integers(0, 3))
def test_an_entry_taken_away_before_the_end_is_missed(place: int) -> None:
    entries = log(5)
    after = entries[place + 1]
    del entries[place]
    assert broken_at(entries) == after.number


def test_two_entries_that_changed_places_are_found() -> None:
    entries = log(5)
    entries[1], entries[2] = entries[2], entries[1]
    assert broken_at(entries) == entries[1].number
