"""Promotion checks: thresholds, single sensors and the champion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.evidence import (
    ChampionCheck,
    CheckVerdict,
    Compared,
    Comparison,
    Evidence,
    Incomparable,
    NoChampion,
    NotComparable,
    Outcome,
)
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.promotion import promotion_checks
from fleetcast.domain.scores import ModelScores
from fleetcast.domain.settings import DEFAULT_ENVIRONMENTS
from fleetcast.domain.thresholds import Limits, Thresholds
from fleetcast.views.evidence import says as words
from tests.clocks import NOON
from tests.contracts.samples import SCORES

NO_ORIGIN = "version 3: no backtest origin after its cutoff 2025-12-01 12:00 UTC"
PASSED, FAILED, NEITHER = CheckVerdict.PASSED, CheckVerdict.FAILED, CheckVerdict.NOT_COMPARABLE
UNMEASURED = CheckVerdict.NOT_MEASURED


@pytest.mark.parametrize(
    ("limits", "verdict", "says"),
    [
        (Limits(min_skill=0.1), PASSED, "skill 0.125, at least 0.1"),
        (Limits(min_skill=0.125), PASSED, "skill 0.125, at least 0.125"),
        (Limits(min_skill=0.2), FAILED, "skill 0.125, at least 0.2"),
        (Limits(min_accuracy=0.95), FAILED, "accuracy 0.9, at least 0.95"),
        (Limits(max_mase=1.0), UNMEASURED, "MASE could not be measured"),
        (Limits(min_coverage_80=0.7), PASSED, "80 % intervals cover 80 %, at least 70 %"),
        (Limits(min_coverage_80=0.82), FAILED, "80 % intervals cover 80 %, at least 82 %"),
        (Limits(max_coverage_80=0.79), FAILED, "80 % intervals cover 80 %, at most 79 %"),
    ],
)
def test_each_bound_is_held_against_its_metric(limits: Limits, verdict: CheckVerdict, says: str) -> None:
    check, _champion = promotion_checks(ModelScores(SCORES, {}), Thresholds(limits), NoChampion())
    assert (check.verdict, words(check)) == (verdict, says)


def test_intervals_that_cover_too_little_or_too_much_fail_unless_a_fleet_says_otherwise() -> None:
    plain = DEFAULT_ENVIRONMENTS[EnvironmentName.DEV].thresholds
    for covered, fails in ((0.69, True), (0.70, False), (0.92, False), (0.93, True)):
        scores = ModelScores(replace(SCORES, coverage_80=covered), {})
        verdicts = [check.verdict for check in promotion_checks(scores, plain, NoChampion())]
        assert (FAILED in verdicts) is fails
    loose = Thresholds(Limits(min_coverage_80=0.5).over(plain.circuit))
    scores = ModelScores(replace(SCORES, coverage_80=0.6), {})
    assert FAILED not in [check.verdict for check in promotion_checks(scores, loose, NoChampion())]


def test_a_coverage_that_was_not_measured_is_an_outcome_of_its_own() -> None:
    scores = ModelScores(replace(SCORES, coverage_80=None), {})
    checks = promotion_checks(scores, Thresholds(Limits(0.0, min_coverage_80=0.7)), NoChampion())
    assert [check.verdict for check in checks] == [PASSED, UNMEASURED, NEITHER]
    assert Evidence(checks, ()).outcome is Outcome.NOT_MEASURED


@pytest.mark.parametrize(
    ("limits", "verdict", "says"),
    [
        (Limits(max_mae=1.5), PASSED, "mae 1.5, at most 1.5"),
        (Limits(max_mae=1.4), FAILED, "mae 1.5, at most 1.4"),
        (Limits(max_rmse=2.0), FAILED, "rmse 2.25, at most 2"),
    ],
)
def test_errors_in_units_are_held_against_each_sensor_never_their_mean(
    limits: Limits, verdict: CheckVerdict, says: str
) -> None:
    scores = ModelScores(
        replace(SCORES, mae=99.0), {"pressure": replace(SCORES, mae=0.1, rmse=0.1), "a": SCORES}
    )
    checks = {check.name: check for check in promotion_checks(scores, Thresholds(limits), NoChampion())}
    (bound,) = [name for name in ("max_mae", "max_rmse") if getattr(limits, name)]
    assert list(checks) == [f"pressure {bound}", f"a {bound}", "champion"]
    assert checks[f"pressure {bound}"].verdict is PASSED
    assert (checks[f"a {bound}"].verdict, words(checks[f"a {bound}"])) == (verdict, says)


def test_the_mean_over_sensors_has_no_measure_in_units() -> None:
    several = ModelScores(SCORES, {"temperature": SCORES, "pressure": SCORES}).overall
    assert (several.mae, several.rmse, several.pinball, several.naive_mae) == (None,) * 4
    assert (several.skill, several.mase) == (SCORES.skill, SCORES.mase)
    assert ModelScores(SCORES, {"temperature": SCORES}).overall == SCORES


def test_a_single_sensor_may_have_closer_bounds() -> None:
    scores = ModelScores(SCORES, {"pressure": SCORES, "temperature": SCORES})
    thresholds = Thresholds(Limits(max_mae=2.0), {"temperature": Limits(max_mae=1.0)})
    checks = promotion_checks(scores, thresholds, NoChampion())
    assert [(check.name, check.verdict) for check in checks] == [
        ("pressure max_mae", PASSED),
        ("temperature max_mae", FAILED),
        ("champion", NEITHER),
    ]


def test_a_bound_for_a_sensor_that_was_left_out_is_not_a_failure() -> None:
    thresholds = Thresholds(Limits(), {"pressure": Limits(max_mae=0.0)})
    checks = promotion_checks(ModelScores(SCORES, {}), thresholds, NoChampion())
    assert [check.name for check in checks] == ["champion"]


@pytest.mark.parametrize(
    ("comparison", "verdict", "says"),
    [
        (NoChampion(), NEITHER, "the first model of this circuit"),
        (
            NotComparable(3, Incomparable.NO_ORIGIN, NOON),
            NEITHER,
            NO_ORIGIN,
        ),
        (Compared(3, 4, 0.9), PASSED, "MAE -10.0% against version 3 on 4 origins"),
        (Compared(3, 1, 1.0), PASSED, "MAE +0.0% against version 3 on 1 origin"),
        (Compared(3, 4, 1.02), PASSED, "MAE +2.0% against version 3 on 4 origins"),
        (Compared(3, 4, 1.021), FAILED, "MAE +2.1% against version 3 on 4 origins"),
    ],
)
def test_a_challenger_is_better_worse_or_not_comparable(
    comparison: Comparison, verdict: CheckVerdict, says: str
) -> None:
    check = ChampionCheck(comparison)
    assert check.verdict is verdict
    assert words(check).startswith(says)
