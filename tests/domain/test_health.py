from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.health import (
    Answers,
    Counts,
    Criteria,
    Forecasts,
    Invalid,
    Verdict,
    chance_of_more,
    failed_alike,
    judge,
)

CRITERIA = Criteria()
GOOD = Forecasts(200)


def counts(
    count: int = 200, errors: int = 0, slow: int = 0, forecasts: Forecasts = GOOD, replayed: int = 0
) -> Counts:
    return Counts(Answers(count, errors, slow), forecasts, Forecasts(replayed))


def verdict_of(measure: str, green: Counts, blue: Counts | None = None) -> Verdict:
    return next(one.verdict for one in judge(green, blue, CRITERIA).findings if one.measure == measure)


@pytest.mark.parametrize(
    ("count", "errors", "verdict"),
    [
        (200, 8, Verdict.PASSED),
        (200, 10, Verdict.PASSED),  # exactly 5 %
        (200, 11, Verdict.FAILED),
        (200, 12, Verdict.FAILED),
        (140, 7, Verdict.PASSED),  # 0.05 × 140 is no whole number in binary
        (0, 0, Verdict.NOT_MEASURED),
        (49, 0, Verdict.INCONCLUSIVE),
        (49, 2, Verdict.INCONCLUSIVE),
        (3, 3, Verdict.FAILED),  # of 50 it could not pass any more
        (2, 2, Verdict.INCONCLUSIVE),
    ],
)
def test_errors_are_judged_by_their_share(count: int, errors: int, verdict: Verdict) -> None:
    assert verdict_of("error rate", counts(count, errors)) is verdict


@given(st.lists(st.integers(1, 4_000), min_size=50, max_size=400))
def test_slow_answers_are_judged_by_the_95th_percentile(milliseconds: list[int]) -> None:
    slow = sum(1 for each in milliseconds if each > 2_000)
    rank = -(-len(milliseconds) * 95 // 100)
    fails = sorted(milliseconds)[rank - 1] > 2_000
    assert (verdict_of("latency", counts(len(milliseconds), slow=slow)) is Verdict.FAILED) == fails


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_chance_is_that_of_drawing_so_many(count: int, before: int, data: st.DataObject) -> None:
    bad, bad_before = data.draw(st.integers(0, count)), data.draw(st.integers(0, before))
    bads = bad + bad_before
    plainly = sum(
        comb(count, some) * comb(before, bads - some) for some in range(bad, min(bads, count) + 1)
    ) / comb(count + before, bads)
    assert chance_of_more(bad, count, bad_before, before) == pytest.approx(plainly)


def test_forecasts_are_judged_next_to_those_of_the_release_before() -> None:
    def green(bad: int) -> Counts:
        return counts(forecasts=Forecasts(200, {Invalid.NOT_FINITE: bad}))

    assert verdict_of("forecasts", green(0), counts()) is Verdict.PASSED
    assert verdict_of("forecasts", green(3), counts()) is Verdict.PASSED, "may be chance"
    assert verdict_of("forecasts", green(20), counts()) is Verdict.FAILED
    assert verdict_of("forecasts", green(20), green(20)) is Verdict.PASSED, "blue makes as many"
    assert verdict_of("forecasts", green(20)) is Verdict.FAILED, "without a blue, one without a fault"


def test_few_forecasts_fail_if_all_are_bad_and_pass_nothing() -> None:
    bad = counts(8, forecasts=Forecasts(8, {Invalid.CONSTANT: 8}))
    assert verdict_of("forecasts", bad, counts(8, forecasts=Forecasts(8))) is Verdict.FAILED
    few = counts(8, forecasts=Forecasts(8))
    assert verdict_of("forecasts", few, few) is Verdict.INCONCLUSIVE


def test_replayed_windows_prove_forecasts_and_no_error_rate() -> None:
    replayed = counts(0, forecasts=Forecasts(), replayed=40)
    assert verdict_of("forecasts", replayed, replayed) is Verdict.PASSED
    assert verdict_of("error rate", replayed, replayed) is Verdict.NOT_MEASURED
    assert judge(replayed, replayed, CRITERIA).verdict is Verdict.NOT_MEASURED


def test_the_worst_verdict_counts_and_says_why() -> None:
    health = judge(counts(200, errors=20, slow=20), counts(), CRITERIA)
    assert health.verdict is Verdict.FAILED
    assert [finding.measure for finding in health.reasons] == ["error rate", "latency"]
    assert judge(counts(), counts(), CRITERIA).verdict is Verdict.PASSED


def test_two_that_fail_alike_are_known() -> None:
    sick, well = judge(counts(errors=50), None, CRITERIA), judge(counts(), None, CRITERIA)
    slow_too = judge(counts(errors=50, slow=50), None, CRITERIA)
    assert failed_alike(sick, sick)
    assert failed_alike(sick, slow_too)
    assert not failed_alike(slow_too, sick)
    assert not failed_alike(sick, well)
    assert not failed_alike(well, well)


def test_windows_add_up() -> None:
    one = counts(10, 1, 2, Forecasts(5, {Invalid.CONSTANT: 1}), 3)
    other = counts(20, 2, 0, Forecasts(6, {Invalid.CONSTANT: 2, Invalid.OFF_SCALE: 1}))
    assert one + other == counts(30, 3, 2, Forecasts(11, {Invalid.CONSTANT: 3, Invalid.OFF_SCALE: 1}), 3)
    assert one + Counts() == one


@pytest.mark.parametrize(("count", "errors", "slow"), [*product([1], [2, -1, 0], [2, -1])])
def test_counts_that_cannot_be_are_refused(count: int, errors: int, slow: int) -> None:
    with pytest.raises(BadInput):
        Answers(count, errors, slow)
    with pytest.raises(BadInput):
        Forecasts(count, {Invalid.CONSTANT: slow})
