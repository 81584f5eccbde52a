"""Retention: what any reason keeps never goes, and what nothing keeps goes at its age."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.identity import Digest
from fleetcast.domain.retention import (
    KeptLog,
    Stays,
    Version,
    VersionToJudge,
    counted_reasons,
    decide_days,
    decide_logs,
    decide_models,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEED_NO_AGE = [reason for reason in Stays if reason not in (Stays.YOUNG, Stays.UNLIMITED, Stays.SAME_FILES)]


def version(number: int, files: str = "", *, age: float = 100.0) -> VersionToJudge:
    artifact = Digest.of((files or f"files of {number}").encode())
    return VersionToJudge("m", number, artifact, 10, NOW - timedelta(days=age))


def test_what_nothing_keeps_goes_oldest_first() -> None:
    decided = decide_models([version(2, age=40), version(1, age=50)], {}, 30, NOW)
    assert [one.versions[0].version for one in decided.goes] == [1, 2]
    assert (decided.bytes, decided.stays) == (20, {})


@pytest.mark.parametrize("reason", NEED_NO_AGE)
def test_each_reason_keeps_a_version_whatever_its_age(reason: Stays) -> None:
    decided = decide_models([version(1)], {("m", 1): {reason}}, 30, NOW)
    assert decided.goes == ()
    assert decided.stays == {("m", 1): (reason,)}


@pytest.mark.parametrize(
    ("age", "days", "reasons"),
    [
        (29.9, 30, (Stays.YOUNG,)),
        (30.0, 30, (Stays.YOUNG,)),
        (30.1, 30, ()),
        (-5.0, 30, (Stays.YOUNG,)),
        (9_999.0, None, (Stays.UNLIMITED,)),
    ],
)
def test_an_age_decides_where_nothing_else_does(
    age: float, days: int | None, reasons: tuple[Stays, ...]
) -> None:
    decided = decide_models([version(1, age=age)], {}, days, NOW)
    assert decided.stays == ({("m", 1): reasons} if reasons else {})
    assert len(decided.goes) == (0 if reasons else 1)


def test_files_that_two_versions_have_go_only_with_both() -> None:
    old, young = version(1, "same"), version(2, "same", age=1)
    decided = decide_models([old, young], {}, 30, NOW)
    assert decided.goes == ()
    assert decided.stays == {("m", 1): (Stays.SAME_FILES,), ("m", 2): (Stays.YOUNG,)}
    decided = decide_models([old, version(2, "same", age=31)], {}, 30, NOW)
    assert [[one.version for one in gone.versions] for gone in decided.goes] == [[1, 2]]
    assert decided.bytes == 10


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[VersionToJudge], Mapping[Version, frozenset[Stays]]]:
    count = draw(st.integers(0, 12))
    versions = [
        version(number, f"files {draw(st.integers(0, 5))}", age=draw(st.floats(-10, 100)))
        for number in range(1, count + 1)
    ]
    held = draw(
        st.dictionaries(
            st.tuples(st.just("m"), st.integers(1, 12)),
            st.frozensets(st.sampled_from(NEED_NO_AGE), max_size=3),
        )
    )
    return versions, held


@given(fleets(), st.none() | st.integers(1, 60))
def test_nothing_goes_that_any_reason_names(
    fleet: tuple[list[VersionToJudge], Mapping[Version, frozenset[Stays]]], days: int | None
) -> None:
    versions, held = fleet
    decided = decide_models(versions, held, days, NOW)
    gone = {one.key for one in decided.versions}
    assert gone.isdisjoint(key for key, reasons in held.items() if reasons)
    assert gone.isdisjoint(decided.stays)
    assert gone | set(decided.stays) == {one.key for one in versions}
    assert days is not None or not gone
    by_key = {one.key: one for one in versions}
    assert {by_key[key].artifact for key in gone}.isdisjoint(by_key[key].artifact for key in decided.stays)
    assert all(reasons for reasons in decided.stays.values())
    assert sum(counted_reasons(decided.stays.values()).values()) == len(decided.stays)


@given(fleets(), st.integers(1, 60))
def test_what_is_kept_has_a_reason_that_holds(
    fleet: tuple[list[VersionToJudge], Mapping[Version, frozenset[Stays]]], days: int
) -> None:
    versions, held = fleet
    decided = decide_models(versions, held, days, NOW)
    for one in versions:
        reasons = decided.stays.get(one.key, ())
        is_young = NOW - one.registered_at <= timedelta(days=days)
        assert (Stays.YOUNG in reasons) is (one.key in decided.stays and is_young)
        if reasons == (Stays.SAME_FILES,):
            twins = [twin for twin in versions if twin.artifact == one.artifact and twin.key != one.key]
            assert any(decided.stays[twin.key] != (Stays.SAME_FILES,) for twin in twins)


@pytest.mark.parametrize(
    ("ended", "days", "why"),
    [
        (None, 14, Stays.RUNNING),
        (15.0, None, Stays.UNLIMITED),
        (13.0, 14, Stays.YOUNG),
        (15.0, 14, None),
    ],
)
def test_logs_go_once_their_jobs_ended_long_ago(
    ended: float | None, days: int | None, why: Stays | None
) -> None:
    log = KeptLog("j", None if ended is None else NOW - timedelta(days=ended), 7)
    decided = decide_logs([log], days, NOW)
    assert decided.stays == ({} if why is None else {"j": why})
    assert decided.goes == ((log,) if why is None else ())
    assert decided.bytes == (7 if why is None else 0)


def test_forecasts_go_by_their_day_and_the_newest_stays() -> None:
    today = date(2026, 1, 1)
    days = [today - timedelta(days=age) for age in (400, 181, 180, 1)]
    decided = decide_days(days, 180, today)
    assert decided.goes == (days[0], days[1])
    assert decided.stays == {days[2]: Stays.YOUNG, days[3]: Stays.YOUNG}
    assert decide_days(days[:2], 180, today).stays == {days[1]: Stays.NEWEST}
    assert decide_days(days, None, today).stays == dict.fromkeys(sorted(days), Stays.UNLIMITED)
    assert decide_days([], 180, today).goes == ()
