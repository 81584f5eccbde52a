"""From an event to a message: what is told to whom, once, in order, whatever channels do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.canonical import Json
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.letter import LetterState
from fleetcast.domain.notice import EventKind
from fleetcast.domain.people import Denied, Person
from fleetcast.domain.run import Ending
from fleetcast.domain.settings import (
    AzureDevOpsChannel,
    Escalation,
    NotificationSettings,
    QuietHours,
    Route,
)
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.channels import Gone, Refused, Sent, TryLater
from fleetcast.ports.platform import Control
from fleetcast.ports.runs import RunInProgress
from fleetcast.workflows.deliver import DeclaredCircuits, Deliver, Delivered
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA, component, digest, job, readings, request
from tests.recording_channels import RecordingChannel
from tests.sealing import SEALING

AT_ONCE = timedelta(0)
ONE, OPS = AzureDevOpsChannel("one"), AzureDevOpsChannel("ops")
BOTH = NotificationSettings((ONE, OPS))
KEY = CircuitKey("PLANT001", "CIRCUIT01")


@dataclass(slots=True)
class Office:
    """The books of a fleet, and its channels."""

    folder: Path
    settings: NotificationSettings = BOTH
    clock: FixedClock = field(default_factory=FixedClock)
    channels: dict[str, RecordingChannel] = field(default_factory=dict)
    declared: DeclaredCircuits = field(default_factory=lambda: DeclaredCircuits({KEY: "ada"}, {"m": KEY}))
    session: Session = field(init=False)
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        database = ControlDatabase(sqlite(self.folder / "control.db"), clock=self.clock, sealing=SEALING)
        ensure_schema(database)
        self.session = Session(database, ADA)
        self.control = control(self.session, timedelta(seconds=60))

    def deliver(self, after: timedelta = timedelta(0)) -> Delivered:
        self.clock.moment += after
        work = Deliver(
            self.control, self.settings, lambda one: self.channel(one.name), lambda: self.declared, self.clock
        )
        return work(lock_timeout=AT_ONCE)

    def channel(self, name: str) -> RecordingChannel:
        return self.channels.setdefault(name, RecordingChannel())

    def tell(self, *events: AuditEvent) -> None:
        self.session.tell(events)

    def trouble(self, number: int = 1, kind: str = "model worse") -> None:
        detail: dict[str, Json] = {"kind": kind, "environment": "prod", "plant": "PLANT001", "impact": 0.5}
        self.tell(AuditEvent("alarm.raised", f"alarm {number}", detail))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.deliver()
    return made


SOON = BOTH.wait


def test_without_channels_nothing_is_collected(tmp_path: Path) -> None:
    office = Office(tmp_path, NotificationSettings())
    office.trouble()
    assert office.deliver() == Delivered(0, ())
    assert office.control.outbox.told() is None


def test_a_new_channel_does_not_get_the_past(office: Office) -> None:
    office.trouble(1)
    office.settings = replace(BOTH, channels=(ONE, OPS, AzureDevOpsChannel("new")))
    office.deliver(SOON)
    office.trouble(2)
    office.deliver()
    office.deliver(SOON)
    assert [len(office.channel(name).ids) for name in ("one", "new")] == [2, 1]


def test_each_event_is_told_once_to_each_channel(office: Office) -> None:
    office.trouble(1)
    office.trouble(2)
    office.deliver()
    office.trouble(3)
    for _ in range(4):
        office.deliver(SOON)
    for name in ("one", "ops"):
        (message,) = office.channel(name).sent
        assert [notice.title for notice in message.notices] == ["model worse: PLANT001"] * 3
        assert len(set(office.channel(name).ids)) == 3


def test_a_page_is_sent_at_once_and_alone_even_in_quiet_hours(office: Office) -> None:
    office.settings = replace(BOTH, quiet_hours=(QuietHours(time(11), time(13)),), escalations=())
    office.trouble(1)
    office.trouble(2, "data stale")
    office.deliver(SOON)
    (message,) = office.channel("one").sent
    assert message.notices[0].kind is EventKind.DATA_STALE
    assert message.notices[0].runbook == "docs/MONITORING.md"
    assert message.notices[0].facts[0].value == "fleetcast notifications ack 1"
    office.deliver(timedelta(hours=1))
    assert office.channel("one").titles == ["data stale: PLANT001", "model worse: PLANT001"]


def test_an_unacknowledged_page_escalates_step_by_step_until_somebody_takes_care(office: Office) -> None:
    steps = (Escalation(timedelta(minutes=15), ("ops",)), Escalation(timedelta(hours=1)))
    office.settings = NotificationSettings((ONE, OPS), (Route(("one",)),), escalations=steps)
    office.trouble(1, "endpoint down")
    office.deliver()
    office.deliver(timedelta(minutes=14))
    assert (len(office.channel("one").sent), len(office.channel("ops").sent)) == (1, 0)
    office.deliver(timedelta(minutes=1))
    office.deliver()
    assert office.channel("ops").titles == ["nobody has acknowledged: endpoint down: PLANT001"]
    page = office.control.outbox.acknowledge(1)
    assert page.ended_by == "ada"
    office.deliver(timedelta(hours=2))
    assert (len(office.channel("one").sent), len(office.channel("ops").sent)) == (1, 1)


@pytest.mark.parametrize("action", ["alarm.recovered", "alarm.acknowledged"])
def test_a_page_ends_with_its_alarm(office: Office, action: str) -> None:
    office.trouble(1, "endpoint down")
    office.trouble(2, "endpoint down")
    office.deliver()
    office.tell(AuditEvent(action, "alarm 1", {"kind": "endpoint down"}))
    office.deliver()
    assert [page.number for page in office.control.outbox.open_pages()] == [2]


def test_a_run_is_one_digest_for_each_owner_when_it_ends(office: Office) -> None:
    runs = office.control.runs
    run = runs.begin(digest("fleet"), "0123abc")
    runs.note_training(run, 2)
    office.deliver(timedelta(hours=1))
    assert office.channel("one").titles == []
    office.deliver(SOON)
    assert office.channel("one").titles == ["run-0001 began to train"]
    office.tell(AuditEvent("model.registered", "m:1", {}), AuditEvent("model.registered", "other:1", {}))
    runs.note_failed([job(readings(KEY), component(), name="m").failed("no rows", NOON)])
    office.deliver(timedelta(hours=1))
    assert len(office.channel("one").sent) == 1
    runs.save(run.ended(Ending.FAILED, office.clock.now()))
    office.deliver()
    _, ada, nobody = office.channel("one").sent
    assert [notice.title for notice in ada.notices] == [
        "m:1 was trained",
        "training of PLANT001/CIRCUIT01 failed",
    ]
    assert ada.subject == "2 notices about circuits of ada: 1 training-completed, 1 training-failed"
    assert [notice.title for notice in nobody.notices] == ["other:1 was trained", "run-0001 ended: failed"]


def test_a_run_that_dies_is_told_of_all_the_same(office: Office) -> None:
    run = office.control.runs.begin(digest("fleet"), "0123abc")
    office.control.runs.note_training(run, 1)
    office.tell(AuditEvent("model.registered", "m:1", {}))
    office.deliver()
    office.deliver(timedelta(hours=4))
    assert "m:1 was trained" in office.channel("one").titles
    office.deliver(SOON)
    assert "run-0001 has been training for 4h" in office.channel("one").titles


def test_a_channel_that_fails_is_left_alone_ever_longer_and_gets_everything_in_order(office: Office) -> None:
    one = office.channel("one")
    one.answers = [TryLater("busy"), TryLater("busy", timedelta(minutes=10))]
    office.trouble(1, "endpoint down")
    office.trouble(2, "endpoint down")
    office.deliver()
    office.deliver(timedelta(seconds=4))
    assert len(one.offered) == 1
    office.deliver(timedelta(seconds=1))
    office.deliver(timedelta(minutes=9))
    assert (len(one.offered), one.sent) == (2, [])
    (waits, _) = office.control.outbox.waiting("one")
    assert (waits.tries, waits.why) == (2, "busy")
    office.deliver(timedelta(minutes=1))
    assert [message.notices[0].facts[1].value for message in one.sent] == ["alarm 1", "alarm 2"]
    assert one.offered[0] == one.offered[1] == one.sent[0]
    assert len(office.channel("ops").sent) == 2


def test_a_message_that_is_refused_stops_no_other(office: Office) -> None:
    office.channel("one").answers = [Refused("too large")]
    office.trouble(1, "endpoint down")
    office.trouble(2, "endpoint down")
    office.deliver()
    assert len(office.channel("one").sent) == 1
    (refused,) = [one for one in office.control.outbox.ended(9) if one.state is LetterState.REFUSED]
    assert refused.why == "too large"


def test_what_was_left_out_of_a_message_that_was_taken_is_kept_with_it(office: Office) -> None:
    office.channel("one").answers = [Sent("bob@example.com was refused")]
    office.trouble(1, "endpoint down")
    office.deliver()
    sent = {one.channel: one for one in office.control.outbox.ended(9) if one.state is LetterState.SENT}
    assert {name: letter.why for name, letter in sent.items()} == {
        "one": "bob@example.com was refused",
        "ops": "",
    }


def test_a_channel_that_is_gone_is_disabled_and_the_others_are_told(office: Office) -> None:
    one = office.channel("one")
    one.answers = [Gone("410")]
    office.trouble(1, "endpoint down")
    office.deliver()
    office.deliver()
    office.deliver(timedelta(minutes=1))
    assert (len(one.offered), one.sent) == (1, [])
    assert office.channel("ops").titles == [
        "endpoint down: PLANT001",
        "the channel one takes no messages any more",
    ]
    office.control.outbox.retry([], "one")
    office.deliver()
    assert one.titles == ["endpoint down: PLANT001"]


def test_a_channel_that_breaks_its_word_stops_no_other(office: Office) -> None:
    def breaks() -> None:
        raise RuntimeError("https://secret")

    office.channel("one").on_send = breaks
    office.trouble(1, "endpoint down")
    done = office.deliver()
    assert [turn.trouble for turn in done.turns] == ["it failed by itself: RuntimeError", ""]
    assert len(office.channel("ops").sent) == 1


def test_a_slow_channel_makes_room_for_the_others(office: Office) -> None:
    office.settings = NotificationSettings((ONE,))
    office.deliver()

    def slow() -> None:
        office.clock.moment += timedelta(seconds=9)

    office.channel("one").on_send = slow
    for number in range(4):
        office.trouble(number, "endpoint down")
    office.deliver()
    assert len(office.channel("one").sent) == 2
    office.deliver()
    assert len(office.channel("one").sent) == 4


class Killed(BaseException):
    """As if the process were gone."""


def test_what_was_sent_and_not_recorded_is_sent_again_the_same(office: Office) -> None:
    office.settings = NotificationSettings((ONE,))
    office.deliver()
    one = office.channel("one")

    def die() -> None:
        raise Killed

    one.on_send = die
    office.trouble(1)
    office.deliver()
    with pytest.raises(Killed):
        office.deliver(SOON)
    one.on_send = lambda: None
    office.trouble(2)
    office.deliver()
    office.deliver(SOON)
    assert one.offered[0] == one.offered[1]
    assert [message.id for message in one.sent] == [one.offered[0].id, one.sent[1].id]
    assert len(set(one.ids)) == 2


def test_one_process_delivers_at_a_time(office: Office) -> None:
    other = control(Session(office.session.database, ADA), timedelta(seconds=60))
    with other.outbox.exclusive("somebody", AT_ONCE), pytest.raises(RunInProgress, match="somebody"):
        office.deliver()


def test_only_who_operates_the_fleet_delivers(office: Office) -> None:
    office.control.people.add([Person("p1", "eve")], first=True)
    with pytest.raises(Denied):
        office.deliver()


def test_a_flood_stays_bounded_and_pages_are_never_folded(office: Office) -> None:
    office.settings = NotificationSettings((ONE,))
    office.deliver()
    office.channel("one").answers = [TryLater("dead")] * 1000
    office.trouble(0, "endpoint down")
    office.tell(
        *(
            AuditEvent(
                "alarm.raised", f"alarm {n}", {"kind": "model worse", "plant": f"P{n}", "circuit": "C"}
            )
            for n in range(3000)
        )
    )
    office.declared = DeclaredCircuits({CircuitKey(f"P{n}", "C"): f"owner {n}" for n in range(3000)})
    office.deliver()
    waiting = office.control.outbox.waiting("one")
    assert len(waiting) == 1001
    assert sum(letter.is_page for letter in waiting) == 1
    assert sum(len(letter.notices) + letter.left_out for letter in waiting) == 3001


def test_what_waited_for_a_week_is_given_up_but_pages(office: Office) -> None:
    office.channel("one").answers = [TryLater("dead")] * 1000
    office.trouble(1)
    office.trouble(2, "endpoint down")
    office.deliver()
    office.deliver(timedelta(days=8))
    assert all(letter.is_page for letter in office.control.outbox.waiting("one"))
    given_up = [one for one in office.control.outbox.ended(9) if one.state is LetterState.EXPIRED]
    assert [letter.notices[0].title for letter in given_up] == ["model worse: PLANT001"] * 2


def test_a_channel_that_was_taken_out_keeps_nothing_waiting(office: Office) -> None:
    office.trouble(1)
    office.deliver()
    office.settings = NotificationSettings((ONE,))
    office.deliver()
    assert {letter.channel for letter in office.control.outbox.waiting()} == {"one"}
    (ended,) = office.control.outbox.ended(9)
    assert "taken out" in ended.why


def test_whoever_can_decide_is_asked_and_reminded_once_before_each_time(office: Office) -> None:
    (opened,) = office.control.approvals.open([request()])
    office.deliver()
    office.deliver(SOON)
    titles = office.channel("one").titles
    assert titles == ["request 1 waits: m:1 at registry-promotion"]
    office.deliver(opened.lapses_at - timedelta(hours=24) - office.clock.now())
    for _ in range(3):
        office.deliver(SOON)
    office.deliver(opened.lapses_at - timedelta(hours=1) - office.clock.now())
    office.deliver(SOON)
    assert office.channel("one").titles[1:] == [
        "request 1 for m:1 lapses in 1d",
        "request 1 for m:1 lapses in 1h",
    ]


def test_a_daily_digest_waits_for_its_hour_but_not_with_what_has_to_be_answered(office: Office) -> None:
    office.settings = replace(BOTH, daily=time(7, 30), time_zone="Europe/Berlin")
    office.trouble(1)
    office.control.approvals.open([request()])
    office.deliver()
    office.deliver(SOON)
    assert office.channel("one").titles == ["request 1 waits: m:1 at registry-promotion"]
    office.deliver(timedelta(hours=18))
    assert office.channel("one").titles[1:] == []
    office.deliver(timedelta(minutes=30))
    assert office.channel("one").titles[1:] == ["model worse: PLANT001"]
