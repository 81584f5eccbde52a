"""Suspects are ranked by what speaks against them, and a change weighs more where trouble followed it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.alarm import Alarm, AlarmState, Cause, CauseKind
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.fallback import Unused
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.suspicion import (
    Alarmed,
    Breached,
    Clue,
    JobFailed,
    Moved,
    Replaced,
    RolledBack,
    Stale,
    Suspect,
    ranked,
)

NOW = datetime(2025, 11, 30, 12, tzinfo=UTC)
KEY = CircuitKey("LYON", "C1")
PROD = EnvironmentName.PROD


def alarmed(kind: CauseKind, since: datetime = NOW) -> Alarmed:
    return Alarmed(
        Alarm(Cause(kind, PROD, "LYON"), None, AlarmState.OPEN, since, since, NOW, NOW, 0.1, 0.1, (), 0)
    )


def breached(signal: Signal) -> Breached:
    return Breached(Observation(signal, PROD, "LYON", "C1", "flow", NOW, Outcome.BREACHED))


CLUES: list[Clue] = [
    *(alarmed(kind) for kind in CauseKind),
    *(breached(signal) for signal in Signal),
    *(Replaced(KEY, why, 24, 1.0) for why in Unused),
    Stale(KEY, NOW - timedelta(days=2), 48.0),
    Stale(KEY, None, 720.0),
    Moved("prod/LYON:7", NOW - timedelta(hours=2)),
    RolledBack(Endpoint(PROD, "LYON"), NOW, "too slow"),
    JobFailed(KEY, "lyon-c1.0123.1", NOW, "out of memory"),
]


@given(st.lists(st.sampled_from(CLUES), max_size=12))
def test_every_clue_speaks_against_one_suspect_and_suspects_are_in_order(clues: list[Clue]) -> None:
    found = ranked(clues)
    assert sum(len(one.clues) for one in found) == len(clues)
    weights = [one.weight for one in found]
    assert weights == sorted(weights, reverse=True)
    assert all(0 < weight <= 1 for weight in weights)


@given(st.lists(st.sampled_from(CLUES), min_size=1, max_size=8), st.sampled_from(CLUES))
def test_one_more_clue_takes_nothing_from_any_suspect(clues: list[Clue], more: Clue) -> None:
    before = {one.suspect: one.weight for one in ranked(clues)}
    after = {one.suspect: one.weight for one in ranked([*clues, more])}
    assert all(after[suspect] >= weight for suspect, weight in before.items())


@pytest.mark.parametrize(
    ("clues", "suspect"),
    [
        ([alarmed(CauseKind.DATA_STALE), breached(Signal.ACCURACY)], Suspect.DATA),
        ([alarmed(CauseKind.SENSOR_BROKEN), breached(Signal.DATA_DRIFT)], Suspect.SENSOR),
        ([alarmed(CauseKind.PROCESS_CHANGED), Moved("prod/LYON:7", NOW - timedelta(days=2))], Suspect.MODEL),
        ([alarmed(CauseKind.MODEL_WORSE), Moved("prod/LYON:7", NOW - timedelta(hours=2))], Suspect.RELEASE),
        ([JobFailed(KEY, "j", NOW, "out of memory")], Suspect.PLATFORM),
    ],
    ids=["no readings", "a sensor", "the process", "a release before it", "a job"],
)
def test_who_is_suspected_first(clues: list[Clue], suspect: Suspect) -> None:
    assert ranked(clues)[0].suspect is suspect


def test_a_release_after_the_first_sign_did_not_cause_it() -> None:
    later = Moved("prod/LYON:7", NOW + timedelta(hours=1))
    found = {one.suspect: one.weight for one in ranked([alarmed(CauseKind.MODEL_WORSE), later])}
    assert found[Suspect.RELEASE] < found[Suspect.MODEL]


def test_a_reading_that_is_hardly_late_speaks_against_nobody() -> None:
    assert ranked([Stale(KEY, NOW, 3.0)]) == ()


def test_without_a_clue_nobody_is_suspected() -> None:
    assert ranked([]) == ()
