"""Counting votes: who counts, who counts once, in which order, and when a gate opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fleetcast.domain.audit import Actor, Means, Proof, Standing
from fleetcast.domain.commit import Writer
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.freeze import parse_freeze
from fleetcast.domain.gate import ANYONE, GatePolicy
from fleetcast.domain.gate_rule import (
    Asked,
    Bar,
    BrokenGlass,
    ChecksFail,
    Choice,
    Decision,
    Frozen,
    Lapsed,
    NobodyOf,
    NoPolicy,
    NotKnown,
    Opens,
    Rejected,
    Sense,
    TooFew,
    Unsatisfiable,
    Verdict,
    Waits,
    barred,
    counted,
    goes_through,
    same_human,
)
from fleetcast.domain.people import OPEN, Directory, Grant, Group, Kind, Person
from fleetcast.domain.place import Gate, Scope
from fleetcast.domain.role import Role
from tests.clocks import NOON

HERE = Scope(Gate.PROD_DEPLOYMENT, plant="PLANT001")
DESK = Proof(Means.SYSTEM_USER, "uid 1000 on plant-7")
PEOPLE = (
    Person("p1", "ada", aliases=("countess",), identities=(DESK,)),
    Person("p2", "grace"),
    Person("p3", "edsger"),
    Person("p4", "barbara"),
    Person("p5", "robot", Kind.SERVICE),
    Person("p6", "donald"),
)
LEADS, ENGINEERS = Group("leads", frozenset({"p1", "p2"})), Group("engineers", frozenset({"p2", "p3", "p5"}))
ALL = Directory(
    PEOPLE,
    (LEADS, ENGINEERS),
    frozenset(
        {
            *(Grant(person.id, Role.APPROVER) for person in PEOPLE if person.name != "donald"),
            Grant("p4", Role.GLASS_BREAKER, Scope(Gate.PROD_DEPLOYMENT)),
        }
    ),
)
"""Everybody may decide but donald; barbara may break glass at production."""
TWO = GatePolicy(minimum=2)


def who(name: str, *, asserted: bool = False) -> Actor:
    """Somebody on record, by the name they are shown under, who is signed in unless said otherwise."""
    person = ALL.named(name)
    standing = Standing.ASSERTED if asserted else Standing.VERIFIED
    return Actor(name, standing, person=person.id if person else "")


def yes(name: str | Actor, hour: float = 1, *, asserted: bool = False) -> Decision:
    return said(Choice.APPROVE, name, hour, asserted=asserted)


def no(name: str, hour: float = 1) -> Decision:
    return said(Choice.REJECT, name, hour)


def gives(name: str, to: str, hour: float = 1) -> Decision:
    return replace(said(Choice.HAND_ON, name, hour), to=who(to))


def breaks(name: str, hour: float = 1, why: str = "the oven is on fire") -> Decision:
    return replace(said(Choice.BREAK_GLASS, name, hour), comment=why)


def said(choice: Choice, name: str | Actor, hour: float = 1, *, asserted: bool = False) -> Decision:
    by = name if isinstance(name, Actor) else who(name, asserted=asserted)
    return Decision(by, choice, "looks fine", NOON + timedelta(hours=hour))


ASKED = Asked(HERE, NOON, Outcome.PASSING, who("donald"), (Writer("donald"),), (who("donald"),))
LATER = NOON + timedelta(hours=10)


def outcome(
    policy: GatePolicy | NoPolicy,
    *decisions: Decision,
    directory: Directory = ALL,
    asked: Asked = ASKED,
    now: datetime = LATER,
) -> Verdict:
    return counted(policy, directory, asked, decisions, now)


def bar(
    policy: GatePolicy, *decisions: Decision, directory: Directory = ALL, asked: Asked = ASKED
) -> Bar | None:
    return barred(policy, directory, asked, decisions[:-1], decisions[-1])


def opens(*names: str) -> Opens:
    return Opens(tuple(who(name) for name in names))


def but(name: str, **changes: object) -> Directory:
    """The people on record, with one of them changed."""
    changed = tuple(
        replace(person, **changes) if person.name == name else person  # type: ignore[arg-type]  # by name
        for person in PEOPLE
    )
    return replace(ALL, people=changed)


def without_rights(name: str) -> Directory:
    person = ALL.named(name)
    assert person is not None
    return replace(ALL, grants=frozenset(grant for grant in ALL.grants if grant.to != person.id))


LISTED = GatePolicy(("ada", "grace", "edsger"), 2)
GROUPS = GatePolicy((), 2, groups=("leads", "engineers"))
TURNS = GatePolicy(minimum=2, sequence=("leads", "engineers"))
NIGHT = parse_freeze("mon 20:00 to tue 06:00")
"""NOON is a Monday."""
EIGHT = NOON + timedelta(hours=8)


@pytest.mark.parametrize(
    ("policy", "decisions", "verdict"),
    [
        # a minimum of different people
        (GatePolicy(), [], Waits(1)),
        (GatePolicy(), [yes("ada")], opens("ada")),
        (TWO, [yes("ada")], Waits(1)),
        (TWO, [yes("grace"), yes("ada")], opens("grace", "ada")),
        # one human, one vote
        (TWO, [yes("ada"), yes("ada")], Waits(1)),
        (TWO, [yes("ada"), yes(replace(who("ada"), name="ADA"))], Waits(1)),
        (TWO, [yes("ada"), yes(replace(who("ada"), name="countess"))], Waits(1)),
        (TWO, [yes("ada"), yes(Actor("somebody", proof=DESK))], Waits(1)),
        (TWO, [yes("ada"), yes(Actor("ada"))], Waits(1)),
        # only people on record who may decide
        (GatePolicy(), [yes(Actor("nobody"))], Waits(1)),
        (GatePolicy(), [yes("donald")], Waits(1)),
        (GatePolicy(), [yes(Actor("grace"))], Waits(1)),
        (GatePolicy(), [yes(Actor("grace")), yes("grace")], opens("grace")),
        # names and groups
        (LISTED, [yes("ada"), yes("barbara")], Waits(1)),
        (LISTED, [yes("ada"), yes("grace")], opens("ada", "grace")),
        (GROUPS, [yes("barbara"), yes("ada")], Waits(1)),
        (GROUPS, [yes("edsger"), yes("ada")], opens("edsger", "ada")),
        (GatePolicy(("COUNTESS",)), [yes("ada")], opens("ada")),
        # service accounts only where they are listed
        (GatePolicy(), [yes("robot")], Waits(1)),
        (GatePolicy(("robot", "ada")), [yes("robot")], Waits(1)),
        (GROUPS, [yes("robot"), yes("ada")], Waits(1)),
        (GatePolicy(("ada",), services=("robot",)), [yes("robot")], opens("robot")),
        # people who are signed in
        (GatePolicy(verified=True), [yes("ada", asserted=True)], Waits(1)),
        (GatePolicy(verified=True), [yes("ada")], opens("ada")),
        # a sequence
        (TURNS, [], Waits(2, "leads")),
        (TURNS, [yes("edsger")], Waits(2, "leads")),
        (TURNS, [yes("ada")], Waits(1, "engineers")),
        (TURNS, [yes("ada"), yes("edsger")], opens("ada", "edsger")),
        (TURNS, [yes("edsger"), yes("ada")], Waits(1, "engineers")),
        (TURNS, [yes("edsger"), yes("grace"), yes("ada")], Unsatisfiable(NobodyOf("engineers"))),
        (TURNS, [yes("ada"), yes("barbara")], Waits(1, "engineers")),
        (
            replace(TURNS, minimum=3),
            [yes("ada"), yes("edsger"), yes("barbara")],
            opens("ada", "edsger", "barbara"),
        ),
        (replace(TURNS, minimum=1), [yes("ada")], Waits(1, "engineers")),
        # one rejection is final, whoever made it
        (GatePolicy(), [yes("ada"), no("grace"), yes("edsger")], Rejected(who("grace"), "looks fine")),
        (LISTED, [no("barbara")], Rejected(who("barbara"), "looks fine")),
        # times
        (
            replace(TWO, not_before=timedelta(hours=11)),
            [yes("ada")],
            Waits(1, until=NOON + timedelta(hours=11)),
        ),
        (
            GatePolicy(not_before=timedelta(hours=11)),
            [yes("ada")],
            Waits(0, until=NOON + timedelta(hours=11)),
        ),
        (GatePolicy(not_before=timedelta(hours=10)), [yes("ada")], opens("ada")),
        (GatePolicy(lapses_after=timedelta(hours=10)), [], Lapsed(LATER)),
        (GatePolicy(lapses_after=timedelta(hours=2)), [yes("ada", 2)], Lapsed(NOON + timedelta(hours=2))),
        (GatePolicy(lapses_after=timedelta(hours=2)), [yes("ada", 1.9)], opens("ada")),
        (GatePolicy(freezes=(NIGHT,)), [yes("ada")], Frozen(NOON + timedelta(hours=18))),
        (GatePolicy(freezes=(NIGHT,)), [], Waits(1)),
        (GatePolicy(freezes=(parse_freeze("mon 20:00 to mon 22:00"),)), [yes("ada")], opens("ada")),
        # breaking glass
        (GatePolicy(), [breaks("barbara")], Waits(1)),
        (
            replace(TWO, break_glass=True, freezes=(NIGHT,)),
            [breaks("barbara")],
            BrokenGlass(who("barbara"), "the oven is on fire"),
        ),
        (GatePolicy(break_glass=True), [breaks("ada")], Waits(1)),
        (GatePolicy(break_glass=True), [breaks("barbara", why=" ")], Waits(1)),
        (GatePolicy(break_glass=True), [breaks("barbara"), no("ada")], Rejected(who("ada"), "looks fine")),
        # handing on
        (LISTED, [gives("ada", "barbara"), yes("barbara"), yes("grace")], opens("barbara", "grace")),
        (LISTED, [gives("ada", "barbara"), yes("ada"), yes("grace")], Waits(1)),
        (LISTED, [gives("ada", "grace"), yes("grace")], Waits(1)),
        (LISTED, [gives("ada", "donald"), yes("donald"), yes("grace")], Waits(1)),
        (LISTED, [gives("ada", "robot"), yes("robot"), yes("grace")], Waits(1)),
        (LISTED, [gives("barbara", "donald"), yes("ada")], Waits(1)),
        (LISTED, [yes("ada"), gives("ada", "barbara"), yes("barbara")], Waits(1)),
        (TURNS, [gives("ada", "barbara"), yes("barbara")], Waits(2, "leads")),
        # no policy
        (NoPolicy.MISSING, [yes("ada")], Unsatisfiable(NoPolicy.MISSING)),
        (NoPolicy.UNREADABLE, [yes("ada")], Unsatisfiable(NoPolicy.UNREADABLE)),
        # policies that nobody could satisfy
        (GatePolicy(("nobody",)), [], Unsatisfiable(TooFew(1, 0))),
        (GatePolicy(("ada", "countess"), 2), [], Unsatisfiable(TooFew(2, 1))),
        (GatePolicy((), groups=("gone",)), [], Unsatisfiable(TooFew(1, 0))),
        (GatePolicy(minimum=5), [], Unsatisfiable(TooFew(5, 4))),
        (GatePolicy(sequence=("gone",)), [], Unsatisfiable(NobodyOf("gone"))),
        (LISTED, [gives("ada", "barbara"), yes("grace")], Waits(1)),
    ],
)
def test_what_decisions_come_to(
    policy: GatePolicy | NoPolicy, decisions: list[Decision], verdict: Verdict
) -> None:
    assert outcome(policy, *decisions) == verdict


def test_a_freeze_holds_back_what_is_approved_until_it_is_over() -> None:
    policy = GatePolicy(freezes=(NIGHT,))
    before, during = EIGHT - timedelta(microseconds=1), EIGHT
    assert outcome(policy, yes("ada"), now=before) == opens("ada")
    assert outcome(policy, yes("ada"), now=during) == Frozen(NOON + timedelta(hours=18))
    assert outcome(policy, yes("ada"), now=NOON + timedelta(hours=18)) == opens("ada")


@pytest.mark.parametrize(
    ("sense", "rule", "bar_of"),
    [
        (Sense.STARTED_RUN, {"own_request_allowed": False}, Bar.STARTED_RUN),
        (Sense.WROTE_COMMIT, {"own_commit_allowed": False}, Bar.WROTE_COMMIT),
        (Sense.MADE_VERSION, {"own_version_allowed": False}, Bar.MADE_VERSION),
    ],
)
@pytest.mark.parametrize("actor", [who("ada"), Actor("ADA"), Actor("Countess"), Actor("x", proof=DESK)])
def test_who_is_behind_it_cannot_count_where_the_gate_says_so(
    sense: Sense, rule: dict[str, bool], bar_of: Bar, actor: Actor
) -> None:
    field = {
        Sense.STARTED_RUN: "started_by",
        Sense.WROTE_COMMIT: "committed_by",
        Sense.MADE_VERSION: "made_by",
    }[sense]
    behind: dict[Sense, object] = {
        Sense.STARTED_RUN: actor,
        Sense.WROTE_COMMIT: (Writer(actor.name, "countess"),),
        Sense.MADE_VERSION: (who("linus"), actor),
    }
    asked = replace(ASKED, **{field: behind[sense]})  # type: ignore[arg-type]  # by name
    policy = replace(GatePolicy(), **rule)  # type: ignore[arg-type]  # by name
    assert outcome(GatePolicy(), yes("ada"), asked=asked) == opens("ada")
    assert outcome(policy, yes("ada"), asked=asked) == Waits(1)
    assert outcome(policy, yes("grace"), asked=asked) == opens("grace")
    assert bar(policy, yes("ada"), asked=asked) is bar_of
    assert bar(LISTED, gives("grace", "ada"), asked=asked) is Bar.TO_REQUESTER
    if sense is not Sense.STARTED_RUN:
        unknown = replace(ASKED, **{field: ()})  # type: ignore[arg-type]  # by name
        assert outcome(policy, yes("grace"), asked=unknown) == Unsatisfiable(NotKnown(sense))
        assert outcome(GatePolicy(), yes("grace"), asked=unknown) == opens("grace")


def test_a_failed_check_keeps_a_gate_shut_only_where_it_says_so() -> None:
    failing, strict = replace(ASKED, outcome=Outcome.FAILING), GatePolicy(failing_allowed=False)
    assert outcome(GatePolicy(), yes("ada"), asked=failing) == opens("ada")
    assert outcome(strict, yes("ada"), asked=failing) == ChecksFail(Outcome.FAILING)
    assert outcome(strict, asked=failing) == ChecksFail(Outcome.FAILING)
    for other in (Outcome.PASSING, Outcome.NOT_COMPARABLE, Outcome.NOT_MEASURED):
        assert outcome(strict, yes("ada"), asked=replace(ASKED, outcome=other)) == opens("ada")
    assert bar(strict, yes("ada"), asked=failing) is Bar.CHECKS_FAIL
    assert bar(strict, no("ada"), asked=failing) is None


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (but("ada", disabled=True), Bar.DISABLED),
        (without_rights("ada"), Bar.NO_RIGHT),
        (replace(ALL, people=PEOPLE[1:]), Bar.NOT_ON_RECORD),
        (
            replace(ALL, grants=frozenset({Grant("p1", Role.APPROVER, Scope(plant="PLANT002"))})),
            Bar.NO_RIGHT,
        ),
    ],
)
def test_whoever_lost_the_right_meanwhile_no_longer_counts(after: Directory, lost: Bar) -> None:
    assert outcome(GatePolicy(), yes("ada")) == opens("ada")
    assert not goes_through(outcome(GatePolicy(), yes("ada"), directory=after))
    assert bar(GatePolicy(), yes("ada"), directory=after) is lost


def test_who_left_a_group_no_longer_counts_and_who_broke_glass_without_the_right_opened_nothing() -> None:
    left = replace(ALL, groups=(replace(LEADS, members=frozenset({"p2"})), ENGINEERS))
    leads = GatePolicy((), groups=("leads",))
    assert outcome(leads, yes("ada")) == opens("ada")
    assert outcome(leads, yes("ada"), directory=left) == Waits(1)
    broken = GatePolicy(break_glass=True)
    assert goes_through(outcome(broken, breaks("barbara")))
    assert not goes_through(outcome(broken, breaks("barbara"), directory=without_rights("barbara")))


def test_a_vote_handed_on_counts_no_longer_once_who_gave_it_does_not() -> None:
    given = [gives("ada", "barbara"), yes("barbara"), yes("grace")]
    assert goes_through(outcome(LISTED, *given))
    assert not goes_through(outcome(LISTED, *given, directory=but("ada", disabled=True)))


@pytest.mark.parametrize(
    ("policy", "decisions", "why"),
    [
        (GatePolicy(), [yes("ada")], None),
        (GatePolicy(), [yes("ada"), yes("ada", 2)], Bar.HAS_VOTED),
        (GatePolicy(), [yes("ada"), no("ada", 2)], Bar.HAS_VOTED),
        (GatePolicy(), [yes(Actor("nobody"))], Bar.NOT_ON_RECORD),
        (GatePolicy(), [yes("donald")], Bar.NO_RIGHT),
        (LISTED, [yes("barbara")], Bar.NOT_LISTED),
        (LISTED, [no("barbara")], Bar.NOT_LISTED),
        (LISTED, [yes("robot")], Bar.SERVICE),
        (GatePolicy(verified=True), [yes("ada", asserted=True)], Bar.NOT_VERIFIED),
        (TURNS, [yes("edsger")], Bar.OUT_OF_TURN),
        (TURNS, [no("edsger")], None),
        (TURNS, [yes("ada"), yes("edsger", 2)], None),
        (GatePolicy(), [breaks("barbara")], Bar.NO_BREAKING),
        (GatePolicy(break_glass=True), [breaks("barbara")], None),
        (GatePolicy(break_glass=True), [breaks("ada")], Bar.NO_RIGHT),
        (GatePolicy(break_glass=True), [breaks("barbara", why="")], Bar.NO_REASON),
        (GatePolicy(break_glass=True), [yes("ada"), breaks("barbara")], None),
        (LISTED, [gives("ada", "barbara")], None),
        (LISTED, [replace(gives("ada", "barbara"), to=None)], Bar.TO_NOBODY),
        (LISTED, [gives("ada", "ada")], Bar.TO_VOTER),
        (LISTED, [gives("ada", "countess")], Bar.TO_VOTER),
        (LISTED, [replace(gives("ada", "grace"), to=Actor("Countess"))], Bar.TO_VOTER),
        (LISTED, [yes("grace"), gives("ada", "grace", 2)], Bar.TO_VOTER),
        (LISTED, [gives("grace", "barbara"), gives("ada", "grace", 2)], Bar.TO_VOTER),
        (LISTED, [gives("ada", "donald")], Bar.TO_REQUESTER),
        (LISTED, [replace(gives("ada", "grace"), to=Actor("nobody"))], Bar.TO_UNFIT),
        (LISTED, [gives("ada", "robot")], Bar.TO_UNFIT),
        (GROUPS, [gives("ada", "barbara")], Bar.TO_UNFIT),
        (GROUPS, [gives("ada", "grace")], None),
        (LISTED, [gives("barbara", "ada")], Bar.NOT_LISTED),
        (LISTED, [yes("ada"), gives("ada", "barbara", 2)], Bar.HAS_VOTED),
        (LISTED, [gives("ada", "barbara"), gives("barbara", "grace", 2)], Bar.HANDED_TWICE),
        (LISTED, [gives("ada", "grace"), gives("grace", "barbara", 2)], Bar.HANDED_TWICE),
        (LISTED, [gives("ada", "barbara"), yes("ada", 2)], Bar.HANDED_ON),
        (LISTED, [gives("ada", "barbara"), gives("ada", "grace", 2)], None),
        (LISTED, [gives("ada", "barbara"), yes("barbara", 2), gives("ada", "grace", 3)], Bar.HANDED_ON),
        (LISTED, [gives("ada", "barbara"), gives("ada", "grace", 2), yes("barbara", 3)], Bar.NOT_LISTED),
    ],
)
def test_who_cannot_decide_is_told_why_at_once(
    policy: GatePolicy, decisions: list[Decision], why: Bar | None
) -> None:
    assert bar(policy, *decisions) is why


def test_with_nobody_on_record_names_stand_for_themselves() -> None:
    ada, grace = Actor("ada"), Actor("grace")
    asked = replace(ASKED, started_by=ada)
    names = GatePolicy(("ada", "grace"), 2)

    def found(policy: GatePolicy, *by: Actor) -> Verdict:
        return outcome(policy, *map(yes, by), directory=OPEN, asked=asked)

    assert found(names, ada, grace) == Opens((ada, grace))
    assert found(names, ada, Actor("ADA")) == Waits(1)
    assert found(TWO, ada, Actor("ＡDA")) == Waits(1)
    assert found(TWO, Actor("x", proof=DESK), Actor("y", proof=DESK)) == Waits(1)
    assert found(replace(names, own_request_allowed=False)) == Unsatisfiable(TooFew(2, 1))
    assert found(GatePolicy((), groups=("leads",)), ada) == Unsatisfiable(TooFew(1, 0))
    assert found(TURNS, ada) == Unsatisfiable(NobodyOf("leads"))
    assert found(GatePolicy(("ada",), services=("robot",)), Actor("robot")) == Opens((Actor("robot"),))
    broken = GatePolicy(break_glass=True)
    assert bar(broken, breaks("barbara"), directory=OPEN) is Bar.NO_RIGHT
    assert outcome(broken, breaks("barbara"), directory=OPEN) == Waits(1)


# Properties

NAMES = [person.name for person in PEOPLE]
actors = st.one_of(
    st.sampled_from(NAMES).map(who),
    st.sampled_from(NAMES).map(lambda name: who(name, asserted=True)),
    st.sampled_from(["ADA", "countess", "Grace", "nobody"]).map(who),
    st.sampled_from(["ada", "Ada", "grace", "robot", "nobody"]).map(Actor),
    st.just(Actor("somebody", proof=DESK)),
)
ones = st.lists(
    st.builds(
        Decision,
        actors,
        st.sampled_from([Choice.APPROVE] * 6 + [Choice.HAND_ON] * 3 + [Choice.BREAK_GLASS]),
        st.sampled_from(["", "why"]),
        st.integers(0, 60).map(lambda hours: NOON + timedelta(hours=hours)),
        st.none() | actors,
    ),
    max_size=7,
).map(lambda decisions: sorted(decisions, key=lambda decision: decision.at))
names = st.lists(st.sampled_from(["ada", "grace", "edsger", "robot", "barbara"]), unique=True, max_size=4)
groups = st.lists(st.sampled_from(["leads", "engineers"]), unique=True, max_size=2)
freezes = st.lists(
    st.sampled_from(["mon 20:00 to tue 06:00", "mon 18:00 to wed 00:00", "fri 18:00 to mon 06:00"]),
    unique=True,
    max_size=2,
).map(lambda texts: tuple(map(parse_freeze, texts)))


@st.composite
def policies(draw: st.DrawFn) -> GatePolicy:
    listed = draw(st.just([]) | names)
    named = draw(st.just([]) | groups)
    approvers = (ANYONE,) if not (listed or named) or (not named and draw(st.booleans())) else tuple(listed)
    services = draw(st.sampled_from([(), ("robot",)]))
    sequence = tuple(draw(st.just([]) | groups))
    few = 3 if ANYONE in approvers or named else len(approvers) + len(services)
    assume(len(sequence) <= few)
    return GatePolicy(
        approvers,
        draw(st.integers(1, max(1, min(2, few)))),
        draw(st.booleans()),
        draw(st.booleans()),
        tuple(named),
        services,
        sequence,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([0, 2, 20])) * timedelta(hours=1),
        draw(st.sampled_from([24, 720])) * timedelta(hours=1),
        draw(freezes),
        draw(st.booleans()),
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[GatePolicy, GatePolicy]:
    """Two policies that differ in a few fields, so that one of the two often admits the other."""
    one, other = draw(policies()), draw(policies())
    apart = draw(
        st.sets(st.sampled_from([("approvers", "groups"), *((name,) for name in ALONE)]), max_size=2)
    )
    mixed = {name: getattr(one, name) for name in ALONE}
    mixed |= {"approvers": one.approvers, "groups": one.groups}
    mixed |= {name: getattr(other, name) for together in apart for name in together}
    few = len(mixed["approvers"]) + len(mixed["services"])
    enough = ANYONE in mixed["approvers"] or mixed["groups"]
    assume(enough or max(mixed["minimum"], len(mixed["sequence"])) <= few)
    return one, GatePolicy(**mixed)


ALONE = [field.name for field in fields(GatePolicy) if field.name not in ("approvers", "groups")]


@st.composite
def likely(draw: st.DrawFn) -> list[Decision]:
    """Votes that often open a gate: by different people, who are mostly signed in."""
    voters = draw(st.permutations(["ada", "grace", "edsger", "barbara", "robot"]))[: draw(st.integers(1, 5))]
    hours = sorted(draw(st.lists(st.integers(0, 30), min_size=len(voters), max_size=len(voters))))
    found = [
        yes(name, hour, asserted=draw(st.integers(0, 7)) == 0)
        for name, hour in zip(voters, hours, strict=True)
    ]
    if draw(st.integers(0, 5)) == 0:
        found = [breaks("barbara"), *found]
    if draw(st.integers(0, 3)) == 0:
        found = [gives(draw(st.sampled_from(voters)), draw(st.sampled_from(NAMES)), 0), *found]
    return found


names_behind = st.sampled_from(
    [(), *((name,) for name in ("donald", "ada", "grace", "Countess")), ("ada", "edsger")]
)
writers = names_behind.map(lambda names: tuple(map(Writer, names)))
makers = names_behind.map(lambda names: tuple(map(who, names)))
askeds = st.builds(
    Asked,
    st.just(HERE),
    st.just(NOON),
    st.sampled_from([Outcome.PASSING, Outcome.PASSING, Outcome.FAILING]),
    st.sampled_from(["donald", "donald", "ada", "grace"]).map(who),
    writers,
    makers,
)
directories = st.sampled_from(
    [
        ALL,
        ALL,
        ALL,
        ALL,
        OPEN,
        but("ada", disabled=True),
        without_rights("grace"),
        replace(ALL, groups=(LEADS,)),
    ]
)
moments = st.integers(0, 60).map(lambda hours: NOON + timedelta(hours=hours))
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


POOL = [
    GatePolicy(),
    TWO,
    LISTED,
    GROUPS,
    TURNS,
    GatePolicy(("ada",)),
    GatePolicy(("ada", "grace")),
    GatePolicy((), groups=("leads",)),
    GatePolicy(("ada",), groups=("engineers",)),
    GatePolicy(("ada",), services=("robot",)),
    GatePolicy(services=("robot",)),
    GatePolicy(sequence=("leads",)),
    GatePolicy(sequence=("engineers",)),
    GatePolicy(sequence=("engineers", "leads")),
    GatePolicy(minimum=3),
    GatePolicy(own_request_allowed=False),
    GatePolicy(own_commit_allowed=False),
    GatePolicy(own_version_allowed=False),
    GatePolicy(verified=True),
    GatePolicy(failing_allowed=False),
    GatePolicy(not_before=timedelta(hours=4)),
    GatePolicy(lapses_after=timedelta(hours=2)),
    GatePolicy(freezes=(parse_freeze("mon 14:00 to mon 18:00"),)),
    GatePolicy(freezes=(parse_freeze("mon 13:00 to mon 19:00"),)),
    GatePolicy(break_glass=True),
    replace(TWO, break_glass=True),
]
VOTES = [
    *([yes(name)] for name in NAMES),
    *([yes(one, 1), yes(other, 3)] for one, other in permutations(["ada", "grace", "edsger", "robot"], 2)),
    [yes("ada"), yes("grace"), yes("edsger")],
    [yes("edsger"), yes("grace"), yes("ada")],
    [yes("ada", asserted=True)],
    [yes("ada", asserted=True), yes("grace", 3)],
    [yes("ada", 3)],
    [breaks("barbara")],
    [gives("ada", "barbara"), yes("barbara", 2)],
    [gives("ada", "barbara"), yes("barbara", 2), yes("grace", 2)],
]
SITUATIONS = [
    ASKED,
    replace(ASKED, outcome=Outcome.FAILING),
    replace(ASKED, started_by=who("ada")),
    replace(ASKED, committed_by=(Writer("ada"),)),
    replace(ASKED, made_by=()),
]


def test_no_policy_of_many_admits_another_that_other_votes_open() -> None:
    ways = [(votes, asked, hour) for votes in VOTES for asked in SITUATIONS for hour in (3, 5, 8)]
    opened = [
        {
            number
            for number, (votes, asked, hour) in enumerate(ways)
            if goes_through(outcome(policy, *votes, asked=asked, now=NOON + timedelta(hours=hour)))
        }
        for policy in POOL
    ]
    for lax, wide in zip(POOL, opened, strict=True):
        for strict, narrow in zip(POOL, opened, strict=True):
            assert not lax.admits(strict) or narrow <= wide, (lax, strict)
    assert all(opened)


@settings(MANY, max_examples=600)
@given(pairs(), likely() | ones, askeds, directories, moments)
def test_what_opens_a_stricter_gate_opens_the_one_that_admits_it(
    pair: tuple[GatePolicy, GatePolicy],
    decisions: list[Decision],
    asked: Asked,
    directory: Directory,
    now: datetime,
) -> None:
    for lax, strict in (pair, pair[::-1]):
        if lax.admits(strict) and goes_through(counted(strict, directory, asked, decisions, now)):
            assert goes_through(counted(lax, directory, asked, decisions, now))


@MANY
@given(policies(), ones, askeds, directories, moments)
def test_a_gate_opens_only_by_enough_different_people_who_may(
    policy: GatePolicy, decisions: list[Decision], asked: Asked, directory: Directory, now: datetime
) -> None:
    verdict = counted(policy, directory, asked, decisions, now)
    if not isinstance(verdict, Opens):
        return
    assert len(verdict.by) >= max(policy.minimum, len(policy.sequence))
    for one, other in permutations(verdict.by, 2):
        assert not same_human(directory, one, other)
    for actor in verdict.by:
        assert policy.verified <= (actor.standing is Standing.VERIFIED)
        assert policy.own_request_allowed or not same_human(directory, actor, asked.started_by)
        known = directory.recognised(actor)
        if not directory.is_open:
            person = directory.person(known.person)
            assert person is not None
            assert not person.disabled
            assert person.kind is Kind.HUMAN or person.name in policy.services
    assert asked.outcome is not Outcome.FAILING or policy.failing_allowed
    assert now >= NOON + policy.not_before
    assert not any(window.end_at(now) for window in policy.freezes)


@MANY
@given(policies(), ones, askeds, directories, moments, actors, st.integers(0, 7))
def test_a_rejection_ends_it_wherever_it_stands(
    policy: GatePolicy,
    decisions: list[Decision],
    asked: Asked,
    directory: Directory,
    now: datetime,
    by: Actor,
    place: int,
) -> None:
    rejection = Decision(by, Choice.REJECT, "no", NOON)
    with_it = [*decisions[:place], rejection, *decisions[place:]]
    assert counted(policy, directory, asked, with_it, now) == Rejected(by, "no")


@MANY
@given(policies(), ones, askeds, moments)
def test_repeating_every_decision_under_other_spellings_changes_nothing(
    policy: GatePolicy, decisions: list[Decision], asked: Asked, now: datetime
) -> None:
    approvals = [decision for decision in decisions if decision.choice is Choice.APPROVE]
    repeated = [
        said
        for one in approvals
        for said in (one, replace(one, by=replace(one.by, name=one.by.name.upper())))
    ]
    assert counted(policy, ALL, asked, repeated, now) == counted(policy, ALL, asked, approvals, now)


@MANY
@given(policies(), ones, askeds, directories)
def test_decisions_that_are_let_in_one_by_one_are_those_that_count(
    policy: GatePolicy, decisions: list[Decision], asked: Asked, directory: Directory
) -> None:
    let_in: list[Decision] = []
    for decision in decisions:
        in_time = decision.at < NOON + policy.lapses_after
        if in_time and barred(policy, directory, asked, let_in, decision) is None:
            let_in.append(decision)
    now = NOON + timedelta(hours=720)
    unhurried = replace(policy, freezes=(), not_before=timedelta(0))
    verdict = counted(unhurried, directory, asked, let_in, now)
    approvals = [decision.by for decision in let_in if decision.choice is Choice.APPROVE]
    if isinstance(verdict, Opens):
        assert list(verdict.by) == approvals
    elif isinstance(verdict, Lapsed):
        assert len(approvals) < policy.people_needed


@MANY
@given(policies(), ones, askeds, directories, moments)
def test_what_is_stuck_opens_by_no_further_approvals(
    policy: GatePolicy, decisions: list[Decision], asked: Asked, directory: Directory, now: datetime
) -> None:
    verdict = counted(policy, directory, asked, decisions, now)
    assume(isinstance(verdict, Unsatisfiable))
    further: Sequence[Decision] = [
        Decision(who(name), Choice.APPROVE, "", max(now, NOON)) for name in (*NAMES, "leads")
    ]
    for order in (further, list(reversed(further))):
        assert not goes_through(counted(policy, directory, asked, [*decisions, *order], now))
