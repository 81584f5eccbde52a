"""Who is told what, when: routes, quiet hours, digests, floods, pages and reminders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import GENESIS, Actor, AuditEvent, chained
from fleetcast.domain.canonical import Json
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.gate_rule import Choice, Decision
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.letter import (
    MOST_NOTICES,
    ChannelState,
    Letter,
    Routed,
    closed,
    gathered,
    too_many,
)
from fleetcast.domain.notice import EventKind, Fact, Notice, NoticeLink
from fleetcast.domain.notice_routing import channels_for, reached, routed
from fleetcast.domain.page import ENDS_AFTER, Page, escalated
from fleetcast.domain.people import OPEN, Directory, Grant, Group, Person
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.role import Role
from fleetcast.domain.run import Run, RunState
from fleetcast.domain.settings.notifications import (
    AzureDevOpsChannel,
    Escalation,
    NotificationSettings,
    QuietHours,
    Route,
    Weekday,
)
from fleetcast.domain.telling import Known, deciders, lapse_reminders, long_running, notice_of
from tests.clocks import NOON
from tests.contracts.samples import digest, request

KEY = CircuitKey("P1", "C1")
ROOM, ADAS, LEADS = (
    AzureDevOpsChannel("room"),
    AzureDevOpsChannel("adas", ("ada",)),
    AzureDevOpsChannel("leads", ("leads",)),
)
PEOPLE = Directory(
    (Person("p1", "ada"), Person("p2", "grace"), Person("p3", "li", disabled=True)),
    (Group("leads", frozenset({"p2", "p3"})),),
    frozenset(Grant(person, Role.APPROVER) for person in ("p1", "p2", "p3")),
)


def notice(
    kind: EventKind = EventKind.ALARM, name: str = "n", *, plant: str | None = "P1", owner: str | None = "ada",
    environment: EnvironmentName | None = EnvironmentName.PROD, people: tuple[str, ...] = (),
) -> Notice:  # fmt: skip
    return Notice(name, kind, NOON, name, (), environment, plant, None, owner, people)


def settings(
    *routes: Route, channels: Sequence[AzureDevOpsChannel] = (ROOM, ADAS, LEADS)
) -> NotificationSettings:
    return NotificationSettings(tuple(channels), routes)


# Routing

TO_ADA = Route(("adas",), owners=("ada",))


@pytest.mark.parametrize(
    ("one", "routes", "channels"),
    [
        (notice(), (), ("room", "adas", "leads")),
        (notice(), (TO_ADA,), ("adas",)),
        (notice(owner="eve"), (TO_ADA,), ()),
        (notice(owner=None), (TO_ADA,), ()),
        (notice(), (TO_ADA, Route(("room", "adas"))), ("room", "adas")),
        (notice(), (Route(("room",), frozenset({EventKind.ALARM, EventKind.DRIFT})),), ("room",)),
        (notice(), (Route(("room",), frozenset({EventKind.DRIFT})),), ()),
        (notice(), (Route(("room",), plants=("P*",)),), ("room",)),
        (notice(), (Route(("room",), plants=("p*", "Q1")),), ()),
        (notice(plant=None), (Route(("room",), plants=("*",)),), ()),
        (notice(), (Route(("room",), environments=frozenset({EnvironmentName.PROD})),), ("room",)),
        (notice(environment=None), (Route(("room",), environments=frozenset(EnvironmentName)),), ()),
        (notice(EventKind.DATA_STALE, owner="eve"), (TO_ADA,), ("room", "adas", "leads")),
        (notice(EventKind.DATA_STALE), (TO_ADA,), ("adas",)),
        (notice(EventKind.CHANNEL_DISABLED, owner=None), (TO_ADA,), ("room", "adas", "leads")),
        (notice(EventKind.SCHEDULE_FAILED, owner=None), (TO_ADA,), ("room", "adas", "leads")),
    ],
)
def test_all_routes_that_take_a_notice_count_and_a_page_is_never_lost(
    one: Notice, routes: tuple[Route, ...], channels: tuple[str, ...]
) -> None:
    assert channels_for(one, settings(*routes), reached(PEOPLE)) == channels


def test_a_channel_is_not_told_that_it_is_gone() -> None:
    gone = replace(notice(EventKind.CHANNEL_DISABLED), facts=(Fact("channel", "room"),))
    assert channels_for(gone, settings(), reached(PEOPLE)) == ("adas", "leads")


@pytest.mark.parametrize(
    ("people", "routes", "channels"),
    [
        (("ada",), (), ("adas",)),
        (("ADA",), (), ("adas",)),
        (("grace",), (), ("leads",)),
        (("ada", "grace"), (), ("adas", "leads")),
        (("ada", "eve"), (), ("room", "adas")),
        (("eve",), (), ("room",)),
        (("ada",), (Route(("leads", "room")),), ("room",)),
        (("ada",), (Route(("leads",)),), ()),
    ],
)
def test_what_is_for_certain_people_goes_to_what_reaches_them_alone(
    people: tuple[str, ...], routes: tuple[Route, ...], channels: tuple[str, ...]
) -> None:
    asked = notice(EventKind.APPROVAL_REQUIRED, people=people)
    assert channels_for(asked, settings(*routes), reached(PEOPLE)) == channels


# Quiet hours

NIGHT = QuietHours(time(22), time(6), frozenset({Weekday.FRI}))
WEEKEND = QuietHours(time(0), time(0), frozenset({Weekday.SAT, Weekday.SUN}))


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        # Berlin is an hour east of UTC in winter; 5 December 2025 is a Friday.
        (NIGHT, "2025-12-05T20:59", False),
        (NIGHT, "2025-12-05T21:00", True),
        (NIGHT, "2025-12-06T04:59", True),
        (NIGHT, "2025-12-06T05:00", False),
        (NIGHT, "2025-12-06T21:30", False),
        (NIGHT, "2025-12-05T04:00", False),
        (WEEKEND, "2025-12-05T22:59", False),
        (WEEKEND, "2025-12-05T23:00", True),
        (WEEKEND, "2025-12-07T22:59", True),
        (WEEKEND, "2025-12-07T23:00", False),
        (QuietHours(time(12), time(13)), "2025-12-05T11:30", True),
        (QuietHours(time(12), time(13)), "2025-12-05T12:00", False),
        # Clocks go forward on 29 March 2026 at 01:00 UTC, and back on 25 October at 01:00 UTC.
        (QuietHours(time(1), time(4)), "2026-03-29T01:59", True),
        (QuietHours(time(1), time(4)), "2026-03-29T02:00", False),
        (QuietHours(time(2), time(3)), "2026-10-25T00:30", True),
        (QuietHours(time(2), time(3)), "2026-10-25T01:30", True),
        (QuietHours(time(2), time(3)), "2026-10-25T02:00", False),
    ],
)
def test_quiet_hours_go_by_the_clocks_of_the_place(hours: QuietHours, at: str, quiet: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    said = NotificationSettings(time_zone="Europe/Berlin", quiet_hours=(hours,))
    assert said.is_quiet(moment) is quiet


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-12-05T06:29", "2025-12-05T06:30"),
        ("2025-12-05T06:30", "2025-12-06T06:30"),
        ("2026-03-28T20:00", "2026-03-29T05:30"),
        ("2025-12-05T23:30", "2025-12-06T06:30"),
    ],
)
def test_the_daily_digest_comes_at_its_local_time(now: str, due: str) -> None:
    said = NotificationSettings(time_zone="Europe/Berlin", daily=time(7, 30))
    assert said.next_daily(datetime.fromisoformat(now).replace(tzinfo=UTC)) == datetime.fromisoformat(
        due
    ).replace(tzinfo=UTC)


# Gathering

KINDS = st.sampled_from(list(EventKind))
NEWS = st.lists(
    st.tuples(KINDS, st.sampled_from(["ada", "eve", None]), st.sampled_from(["", "run-0001"])), max_size=30
)


@given(st.lists(NEWS, max_size=4))
def test_each_notice_is_in_exactly_one_letter_of_each_channel_and_order_is_kept(
    looks: list[list[tuple[EventKind, str | None, str]]],
) -> None:
    waiting: list[Letter] = []
    told = []
    for look, news in enumerate(looks):
        now = NOON + timedelta(minutes=look)
        ways: list[Routed] = []
        for place, (kind, owner, run) in enumerate(news):
            one = notice(kind, f"{look}.{place:02d}", owner=owner)
            told.append(one.id)
            ways += routed(one, run, settings(), reached(PEOPLE), now)
        for letter in gathered(waiting, ways, now):
            if letter.number:
                waiting = [letter if old.number == letter.number else old for old in waiting]
            else:
                waiting.append(replace(letter, number=len(waiting) + 1))
    for channel in ("room", "adas", "leads"):
        mine = [letter for letter in waiting if letter.channel == channel]
        assert sorted(one.id for letter in mine for one in letter.notices) == sorted(told)
        for letter in mine:
            ids = [one.id for one in letter.notices]
            assert ids == sorted(ids)
            assert not letter.is_page or len(ids) == 1
        assert len({letter.id for letter in mine}) == len(mine)


def letter(number: int, key: str = "", **more: object) -> Letter:
    made = Letter(number, "room", f"id {number}", key, (notice(name=f"{number:04d}"),), NOON, NOON)
    return replace(made, **more)  # type: ignore[arg-type]


def test_nothing_is_added_to_what_may_have_been_sent() -> None:
    way = Routed("room", notice(name="new"), "k", NOON)
    (added,) = gathered([letter(1, "k")], [way], NOON)
    assert (added.number, added.id, len(added.notices)) == (1, "id 1", 2)
    (other,) = gathered([letter(1, "k", sealed=True)], [way], NOON)
    assert (other.number, [one.id for one in other.notices]) == (0, ["new"])


def test_a_digest_of_very_many_lists_failures_and_counts_the_rest() -> None:
    done = [notice(EventKind.TRAINING_COMPLETED, f"{n:04d}") for n in range(500)]
    ways = [Routed("room", one, "k", NOON) for one in (*done, notice(EventKind.TRAINING_FAILED, "9999"))]
    (made,) = gathered([], ways, NOON)
    assert len(made.notices) == MOST_NOTICES
    assert made.left_out == 401
    assert made.notices[-1].kind is EventKind.TRAINING_FAILED
    assert [one.id for one in made.notices[:-1]] == [one.id for one in done[: MOST_NOTICES - 1]]
    assert made.told[-1].title == "and 401 more, which `fleetcast audit list` shows"
    assert made.subject == "501 notices about circuits of ada: 99 training-completed, 1 training-failed"


def test_digests_of_a_run_are_due_when_it_is_over() -> None:
    later = NOON + timedelta(hours=4)
    mine, other = letter(1, "run-0001/a", due_at=later), letter(2, "run-00011/a", due_at=later)
    assert closed([mine, other], {"run-0001": NOON}) == (replace(mine, due_at=NOON),)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60), st.integers(1, 20))
def test_however_many_wait_they_become_few_and_nothing_is_lost(
    flood: list[tuple[bool, bool]], most: int
) -> None:
    waiting = [letter(n, is_page=page, sealed=sealed) for n, (page, sealed) in enumerate(flood, start=1)]
    dropped, folded = too_many(waiting, most)
    gone = {one.number for one in dropped}
    left = [
        folded if folded is not None and one.number == folded.number else one
        for one in waiting
        if one.number not in gone
    ]
    assert len([one for one in left if not one.is_page and not one.sealed]) <= most
    assert sum(len(one.notices) + one.left_out for one in left) == len(waiting)
    assert {one.number for one in waiting if one.is_page or one.sealed} <= {one.number for one in left}


# Channels that fail


def test_a_channel_that_fails_is_left_alone_for_twice_as_long_each_time_but_an_hour_at_most() -> None:
    state, pauses = ChannelState("room", 0), []
    for _ in range(12):
        state = state.failed(NOON, None)
        assert state.next_try is not None
        pauses.append((state.next_try - NOON).total_seconds())
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == 3600
    assert state.succeeded() == ChannelState("room", 0)


def test_how_long_a_channel_asks_to_be_left_alone_counts_up_to_a_week() -> None:
    state = ChannelState("room", 0)
    assert state.failed(NOON, timedelta(hours=2)).next_try == NOON + timedelta(hours=2)
    assert state.failed(NOON, timedelta(seconds=1)).next_try == NOON + timedelta(seconds=5)
    assert state.failed(NOON, timedelta(days=9999)).next_try == NOON + timedelta(days=7)


# Pages

STEPS = (Escalation(timedelta(minutes=15), ("adas",)), Escalation(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("after", "taken", "channels", "count"),
    [
        (timedelta(minutes=14), 0, [], None),
        (timedelta(minutes=15), 0, ["adas"], 1),
        (timedelta(minutes=15), 1, [], None),
        (timedelta(hours=1), 1, ["room", "adas", "leads"], 2),
        (timedelta(hours=1), 0, ["adas", "room", "leads"], 2),
        (timedelta(hours=5), 2, [], None),
        (ENDS_AFTER, 0, [], None),
    ],
)
def test_a_page_goes_further_step_by_step(
    after: timedelta, taken: int, channels: list[str], count: int | None
) -> None:
    page = Page(3, notice(EventKind.DATA_STALE), NOON, taken)
    pages, letters = escalated([page], replace(settings(), escalations=STEPS), NOON + after)
    assert [one.channel for one in letters] == channels
    assert [one.escalations for one in pages] == ([] if count is None else [count])
    assert all(one.is_page and one.notices[0].facts[0].value.endswith("ack 3") for one in letters)
    assert len({one.id for one in letters}) == min(1, len(letters))


def test_a_page_that_somebody_takes_care_of_goes_no_further() -> None:
    page = Page(3, notice(EventKind.DATA_STALE), NOON).ended(NOON, "ada")
    assert escalated([page], replace(settings(), escalations=STEPS), NOON + timedelta(hours=2)) == ((), ())


# Reminders


@pytest.mark.parametrize(
    ("since", "now", "reminders"),
    [(25, 23.9, 1), (25, 24.1, 0), (24, 23.9, 0), (25, 1, 1), (23, 1.9, 1), (1.9, 1, 0), (25, -1, 0)],
)
def test_a_request_is_reminded_of_once_for_all_times_that_came(
    since: float, now: float, reminders: int
) -> None:
    asked = replace(request(), id=1)
    before = (timedelta(hours=24), timedelta(hours=2))
    found = list(
        lapse_reminders(
            [asked],
            before,
            Known(),
            asked.lapses_at - timedelta(hours=since),
            asked.lapses_at - timedelta(hours=now),
        )
    )
    assert [one.kind for one in found] == [EventKind.APPROVAL_EXPIRING] * reminders


def test_a_reminder_is_the_same_however_often_it_is_made() -> None:
    asked = replace(request(), id=1)
    before = (timedelta(hours=24),)
    since, now = asked.lapses_at - timedelta(hours=25), asked.lapses_at - timedelta(hours=20)
    (one,) = lapse_reminders([asked], before, Known(), since, now)
    (again,) = lapse_reminders([asked], before, Known(), since, now + timedelta(hours=1))
    assert one.id == again.id


def test_only_those_are_asked_who_can_still_decide() -> None:
    asked = request()
    assert deciders(asked, OPEN) == ()
    named = replace(asked, policy=GatePolicy(approvers=("ada", "grace", "li")))
    assert deciders(named, OPEN) == ("ada", "grace", "li")
    assert deciders(named, PEOPLE) == ("ada", "grace")
    voted = replace(named, decisions=(Decision(Actor("ada", person="p1"), Choice.APPROVE, "", NOON),))
    assert deciders(voted, PEOPLE) == ("grace",)
    assert deciders(replace(asked, policy=GatePolicy(approvers=("nobody",))), PEOPLE) == ()


@pytest.mark.parametrize(
    ("since", "now", "told"), [(0, 3.9, False), (0, 4, True), (4, 7.9, False), (4, 8.1, True), (0, 20, True)]
)
def test_training_that_goes_on_is_told_of_each_four_hours(since: float, now: float, told: bool) -> None:
    run = Run("run-0001", digest("fleet"), "abc", "ada", NOON)
    at = [NOON + timedelta(hours=hours) for hours in (since, now)]
    found = long_running(run, timedelta(hours=4), Known(), *at)
    assert (found is not None) is told
    assert long_running(replace(run, state=RunState.DONE), timedelta(hours=4), Known(), *at) is None


# What is news


@pytest.mark.parametrize(
    ("event", "kind", "title"),
    [
        (
            ("run.began", "run-0001", {"commit": "abc", "jobs": 3}),
            "training-started",
            "run-0001 began to train",
        ),
        (("run.ended", "run-0001", {"state": "done"}), "training-completed", "run-0001 ended: done"),
        (("run.ended", "run-0001", {"state": "failed"}), "training-failed", "run-0001 ended: failed"),
        (
            ("run.ended", "run-0001", {"state": "jobs still running"}),
            "training-long-running",
            "run-0001 ended: jobs still running",
        ),
        (("model.registered", "m:1", {}), "training-completed", "m:1 was trained"),
        (
            ("job.failed", "m.1", {"plant": "P1", "circuit": "C1"}),
            "training-failed",
            "training of P1/C1 failed",
        ),
        (("request.opened", "m:1", {"request": 7}), "approval-required", "request 7 waits: m:1"),
        (("request.approved", "m:1", {"request": 7}), "approval-decided", "request 7 for m:1: approved"),
        (
            ("request.broken-glass", "m:1", {"request": 7}),
            "approval-decided",
            "request 7 for m:1: broken-glass",
        ),
        (("request.decided", "m:1", {"request": 7}), None, ""),
        (("deployment.changed", "prod:4", {"state": "awaiting approval"}), None, ""),
        (
            ("deployment.changed", "prod:4", {"state": "running"}),
            "deployment-started",
            "deployment 4 to prod began",
        ),
        (
            ("deployment.changed", "prod:4", {"state": "halted"}),
            "deployment-completed",
            "deployment 4 to prod ended: halted",
        ),
        (("rollout.changed", "prod/P1", {"phase": "starting"}), None, ""),
        (("rollout.changed", "prod/P1", {"phase": "rolled back"}), "rolled-back", "prod/P1 was rolled back"),
        (
            ("rollout.changed", "prod/P1", {"phase": "done"}),
            "deployment-step",
            "prod/P1: the new release serves everything",
        ),
        (
            ("traffic.shifted", "prod/P1", {"share": 10}),
            "deployment-step",
            "prod/P1: the new release gets 10 % of the traffic",
        ),
        (("alarm.raised", "1", {"kind": "process changed", "plant": "P1"}), "drift", "process changed: P1"),
        (("alarm.raised", "1", {"kind": "gateway down", "plant": "P1"}), "data-stale", "gateway down: P1"),
        (
            ("alarm.raised", "1", {"kind": "endpoint down", "plant": "P1"}),
            "endpoint-down",
            "endpoint down: P1",
        ),
        (
            ("alarm.raised", "1", {"kind": "data stale", "plant": "P1", "page": False}),
            "alarm",
            "data stale: P1",
        ),
        (
            ("alarm.recovered", "1", {"kind": "data stale", "plant": "P1", "circuit": "C1"}),
            "recovered",
            "data stale: P1/C1 is over",
        ),
        (("alarm.acknowledged", "1", {"kind": "data stale"}), None, ""),
        (
            ("channel.disabled", "ops", {"why": "410"}),
            "channel-disabled",
            "the channel ops takes no messages any more",
        ),
        (
            ("schedule.failed", "score prod", {"due": "2026-11-02T02:00:00+00:00", "attempts": 5}),
            "schedule-failed",
            "score prod failed 5 times and is not tried again",
        ),
        (("person.added", "li", {}), None, ""),
        (("page.acknowledged", "page 1", {}), None, ""),
    ],
)
def test_what_people_are_told_of_an_entry(
    event: tuple[str, str, dict[str, Json]], kind: str | None, title: str
) -> None:
    action, subject, detail = event
    made = chained(1, NOON, Actor("ada"), AuditEvent(action, subject, detail), GENESIS)
    told = notice_of(made, Known())
    assert (None if told is None else told.kind.value) == kind
    if told is not None:
        assert told.title == title
        assert told.id == made.digest.hex[:24]


def test_the_owner_of_a_circuit_is_known_by_the_name_of_its_model() -> None:
    made = chained(1, NOON, Actor("ada"), AuditEvent("model.registered", "m:1", {}), GENESIS)
    told = notice_of(made, Known({KEY: "grace"}, {"m": KEY}))
    assert told is not None
    assert (told.plant, told.circuit, told.owner) == ("P1", "C1", "grace")


def test_an_alarm_is_told_to_its_owner_with_where_to_look_even_of_a_whole_plant() -> None:
    detail: dict[str, Json] = {
        "number": 12,
        "kind": "process changed",
        "environment": "prod",
        "plant": "P1",
        "owner": "grace",
        "impact": 14.1763,
        "since": "2025-10-31T00:00:00+00:00",
    }
    raised, recovered = (
        notice_of(chained(1, NOON, Actor("ada"), AuditEvent(action, "prod/P1:12", detail), GENESIS), Known())
        for action in ("alarm.raised", "alarm.recovered")
    )
    assert raised is not None
    assert recovered is not None
    assert raised.owner == recovered.owner == "grace"
    assert raised.facts == (
        Fact("alarm", "prod/P1:12"),
        Fact("since", "2025-10-31 00:00 UTC"),
        Fact("impact", "14 × the forecast's error"),
        Fact("look", "fleetcast alarms show 12"),
    )
    assert recovered.facts == (Fact("alarm", "prod/P1:12"),)


def test_a_runbook_of_the_fleet_takes_the_place_of_the_usual_one() -> None:
    event = AuditEvent("rollout.changed", "prod/P1", {"phase": "rolled back"})
    made = chained(1, NOON, Actor("ada"), event, GENESIS)
    usual, own = notice_of(made, Known()), notice_of(made, Known(runbooks={EventKind.ROLLED_BACK: "wiki"}))
    assert usual is not None
    assert own is not None
    assert (usual.runbook, own.runbook) == ("docs/DEPLOYMENT.md", "wiki")


def test_what_is_asked_leads_to_the_page_where_it_is_decided() -> None:
    asked = replace(request(), id=7)
    made = chained(1, NOON, Actor("ada"), AuditEvent("request.opened", "m:1", {"request": 7}), GENESIS)
    site = "https://fleet.example.com"
    told = notice_of(made, Known(requests={7: asked}, site=site))
    assert told is not None
    assert told.links == (NoticeLink("Look and decide", f"{site}/approvals/7"),)
    unknown = notice_of(made, Known(site=site))
    assert unknown is not None
    assert unknown.links[0].url == f"{site}/approvals/7"
    nowhere = notice_of(made, Known(requests={7: asked}))
    assert nowhere is not None
    assert nowhere.links == ()


def test_what_was_decided_leads_to_what_was_looked_at() -> None:
    event = AuditEvent("request.approved", "m:1", {"request": 7})
    made = chained(1, NOON, Actor("ada"), event, GENESIS)
    told = notice_of(made, Known(site="https://fleet.example.com"))
    assert told is not None
    assert told.links == (NoticeLink("Look", "https://fleet.example.com/approvals/7"),)
