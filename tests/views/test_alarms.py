"""Alarms in words: what a person reads in the morning, in few lines, and true of this look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fleetcast.domain.alarm import Acknowledged, Alarm, AlarmState, Cause, CauseKind, Raise, Still
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.place import EnvironmentName
from fleetcast.views.alarms import monitored_in_words, observation_in_words, taken_in_words
from fleetcast.workflows.monitor import Monitored

AT = datetime(2025, 11, 3, tzinfo=UTC)
PROD = EnvironmentName.PROD


def seen(circuit: str, sensor: str | None, outcome: Outcome = Outcome.BREACHED) -> Observation:
    return Observation(
        Signal.DATA_DRIFT, PROD, "P1", circuit, sensor, AT, outcome, 0.6, 0.15, p_value=2e-12,
        detail={"wasserstein": 12.5},
    )  # fmt: skip


SHOWN = tuple(seen(circuit, sensor) for circuit in ("C1", "C2", "C3") for sensor in (None, "flow"))
ALARM = Alarm(
    Cause(CauseKind.PROCESS_CHANGED, PROD, "P1"),
    "Ada",
    AlarmState.OPEN,
    since=AT - timedelta(days=1),
    raised_at=AT,
    looked_at=AT,
    seen_at=AT,
    impact=14.2,
    told_impact=14.2,
    shown_by=SHOWN,
    shown_by_count=len(SHOWN),
    number=1,
)


def look(*alarms: Alarm, **more: object) -> Monitored:
    plain = Monitored(
        PROD, AT, 3, {Outcome.FINE: 30, Outcome.BREACHED: 2}, (), alarms, (), (), (), stored=True
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def test_an_alarm_of_a_plant_names_its_circuits_and_leaves_the_finer_numbers_to_show() -> None:
    _, _, *lines = monitored_in_words(look(ALARM, changes=(Raise(ALARM),)))
    assert lines == [
        "  [new] 1 process changed at P1, since 2025-11-02 00:00 UTC, owner Ada; impact 14 × the forecast's error",
        "      in C1, C2, C3",
        "      data-drift of P1/C1 0.6, expected 0.15, p 2e-12",
        "      data-drift of P1/C1/flow 0.6, expected 0.15, p 2e-12",
        "      data-drift of P1/C2 0.6, expected 0.15, p 2e-12",
        "      data-drift of P1/C2/flow 0.6, expected 0.15, p 2e-12",
        "      data-drift of P1/C3 0.6, expected 0.15, p 2e-12",
        "      and 1 more: fleetcast alarms show 1",
        "      see whether it is meant to last; if so, `fleetcast propose` says what a retrain gains",
    ]
    assert observation_in_words(SHOWN[0]).endswith("(wasserstein 12.5)")


def test_what_this_look_found_fine_is_not_shown_by_numbers_of_an_older_one() -> None:
    fine = replace(ALARM, fine_looks=1)
    _, _, *lines = monitored_in_words(look(fine, changes=(Still(fine),)))
    assert lines[1:] == ["      found fine, 1 look in a row of the 2 after which it is over"]


def test_what_is_beyond_a_threshold_by_chance_is_told_apart_from_an_alarm() -> None:
    head, *lines = monitored_in_words(look())
    assert head.endswith("30 fine, 2 breached")
    assert lines == [
        "nothing needs anybody",
        "2 beyond the threshold, and no alarm: chance alone makes some in a fleet of this size",
    ]
    assert "beyond" not in "".join(monitored_in_words(look(outcomes={Outcome.FINE: 32})))


def test_what_could_not_be_measured_is_said_by_circuit_with_why() -> None:
    without = [
        replace(
            seen(circuit, sensor, Outcome.NOT_ENOUGH_DATA), value=None, detail={"why": "too few have come"}
        )
        for circuit in ("C1", "C2", "C3")
        for sensor in ("flow", "heat")
    ]
    age = replace(seen("C2", None, Outcome.NOT_MEASURED), signal=Signal.MODEL_AGE, threshold=None, detail={})
    *_, first, second = monitored_in_words(look(unmeasured=(*without, age)))
    assert first == "  data-drift: not enough data, too few have come: all 3 circuits"
    assert second == (
        "  model-age: not measured, nothing is expected of it, so it is only kept in the table: P1/C2"
    )


def test_who_takes_an_alarm_in_hand_reads_two_lines() -> None:
    taken = replace(
        ALARM, state=AlarmState.ACKNOWLEDGED, acknowledged=Acknowledged("ada", AT, "the pump was swapped")
    )
    assert list(taken_in_words(taken)) == [
        "alarm 1: process changed at prod/P1",
        "  acknowledged by ada, 2025-11-03 00:00 UTC: the pump was swapped",
    ]
