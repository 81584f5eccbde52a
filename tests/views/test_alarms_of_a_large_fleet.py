"""What ten thousand alarms look like: one page to read, and JSON that does not grow with what shows each."""

from __future__ import annotations

import io
import json
from datetime import timedelta

from fleetcast.cli.alarms_views import print_alarms
from fleetcast.cli.plain_rich import Console
from fleetcast.domain.alarm import Alarm, AlarmState, Cause, CauseKind, Gone, Raise, Recover
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.place import EnvironmentName
from fleetcast.views.alarms import alarm_as_json, alarms_as_json, monitored_as_json, monitored_in_words
from fleetcast.workflows.monitor import Monitored
from tests.clocks import NOON

PROD = EnvironmentName.PROD
COUNT, SHOWN_BY = 10_000, 30


def alarm(number: int) -> Alarm:
    plant, circuit = f"PLANT{number // 100:03d}", f"CIRCUIT{number % 100:02d}"
    kind = CauseKind.DATA_STALE if number % 4 == 0 else CauseKind.PROCESS_CHANGED
    shown_by = tuple(
        Observation(Signal.DATA_DRIFT, PROD, plant, circuit, f"s{one}", NOON, Outcome.BREACHED, 0.5, 0.15)
        for one in range(SHOWN_BY)
    )
    return Alarm(
        Cause(kind, PROD, plant, circuit), None, AlarmState.OPEN, NOON, NOON, NOON, NOON, 1.0, 1.0,
        shown_by, SHOWN_BY, number=number,
    )  # fmt: skip


ALARMS = [alarm(number) for number in range(1, COUNT + 1)]


def looked(*, over: bool = False) -> Monitored:
    unmeasured = [
        Observation(
            Signal.COVERAGE, PROD, one.cause.plant, one.cause.circuit, None, NOON, Outcome.NOT_MEASURED
        )
        for one in ALARMS
    ]
    changes = [Raise(one) for one in ALARMS]
    gone = [Recover(replaced(one)) for one in ALARMS]
    return Monitored(
        PROD,
        NOON,
        COUNT,
        {Outcome.NOT_MEASURED: COUNT},
        tuple(gone if over else changes),
        () if over else tuple(ALARMS),
        tuple(unmeasured),
        (),
        (),
        stored=True,
    )


def replaced(one: Alarm) -> Alarm:
    return Alarm(
        one.cause, None, AlarmState.RECOVERED, NOON, NOON, NOON, NOON, 1.0, 1.0, one.shown_by, SHOWN_BY,
        recovered_at=NOON + timedelta(hours=1), gone=Gone.FINE, number=one.number,
    )  # fmt: skip


def test_a_look_that_finds_thousands_of_alarms_is_read_on_a_few_pages() -> None:
    lines = list(monitored_in_words(looked()))
    assert lines[1] == "needs somebody: 10,000 alarms, the most harmful first"
    assert sum(line.startswith("  [new]") for line in lines) == 20
    assert "  and 9,980 more (7,485 process changed, 2,495 data stale): fleetcast alarms list prod" in lines
    assert len(lines) < 200


def test_thousands_that_are_over_at_once_are_counted() -> None:
    lines = list(monitored_in_words(looked(over=True)))
    assert sum(line.startswith("recovered: ") for line in lines) == 21
    assert "recovered: 9,980 more: fleetcast alarms list prod --all" in lines


def test_programs_get_every_alarm_with_the_strongest_of_what_shows_it() -> None:
    said = json.loads(json.dumps(monitored_as_json(looked())))
    assert [one["alarm_id"] for one in said["alarms"]] == list(range(1, COUNT + 1))
    assert {(len(one["shown_by"]), one["shown_by_count"]) for one in said["alarms"]} == {(5, SHOWN_BY)}
    assert said["alarms"][0]["shown_by"] == alarm_as_json(ALARMS[0])["shown_by"][:5]  # type: ignore[index]
    (unmeasured,) = said["unmeasured"]
    assert (unmeasured["count"], len(unmeasured["places"])) == (COUNT, 100)
    assert said["alarms"] == json.loads(json.dumps(alarms_as_json(ALARMS)))


def test_one_alarm_alone_is_told_with_all_that_shows_it() -> None:
    assert len(alarm_as_json(ALARMS[0])["shown_by"]) == SHOWN_BY  # type: ignore[arg-type]


def test_a_list_of_thousands_says_how_many_lines_are_missing() -> None:
    to = io.StringIO()
    print_alarms(ALARMS, Console(file=to, width=160))
    said = to.getvalue()
    assert "These are the first 200; 9,800 more with --format json." in said
    assert "10,000 alarms. One: fleetcast alarms show ALARM" in said
    assert said.count("prod/PLANT") == 200
