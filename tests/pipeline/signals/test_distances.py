from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.combining import combined, discoveries
from fleetcast.pipeline.signals.distances import (
    beyond_chance,
    bin_edges,
    counts_of,
    jensen_shannon,
    kolmogorov_smirnov,
    wasserstein,
)


def samples(seed: int, size: int = 50, moved: float = 0.0) -> Floats:
    found: Floats = np.random.default_rng(seed).normal(moved, 1.0, size)
    return found


@pytest.mark.parametrize("moved", [0.0, 0.5, 4.0])
def test_distances_are_those_of_scipy(moved: float) -> None:
    one, other = samples(1, 4000), samples(2, 60, moved)
    edges = bin_edges(one[:, None])
    p, q = counts_of(one[:, None], edges, 4000)[0, 0], counts_of(other[:, None], edges, 60)[0, 0]
    quantiles = np.quantile(one, (np.arange(1000) + 0.5) / 1000)

    assert jensen_shannon(q, p) == pytest.approx(distance.jensenshannon(q, p, base=2))
    assert kolmogorov_smirnov(np.sort(one), other) == pytest.approx(stats.ks_2samp(one, other).statistic)
    assert wasserstein(quantiles, other) == pytest.approx(stats.wasserstein_distance(one, other), rel=0.05)


def test_unchanged_small_samples_lie_about_nothing_apart_once_chance_is_taken_away() -> None:
    reference = samples(1, 20_000)[:, None]
    edges = bin_edges(reference)
    counts = counts_of(reference, edges, len(reference))[0]
    drawn = counts_of(samples(2, 48 * 400)[:, None], edges, 48)
    raw = jensen_shannon(drawn, counts)[:, 0]

    again = counts_of(samples(3, 48 * 400)[:, None], edges, 48)
    corrected = beyond_chance(jensen_shannon(again, counts)[:, 0], np.full(400, raw.mean()))

    assert raw.mean() == pytest.approx(0.19, abs=0.02)
    assert corrected.mean() < 0.03


def test_nothing_in_common_stays_as_far_as_can_be() -> None:
    assert beyond_chance(np.array([1.0]), np.array([0.4])) == 1.0
    assert np.isnan(jensen_shannon(np.zeros(3), np.ones(3)))


def test_one_of_many_p_values_that_is_small_makes_the_whole_small_and_unknown_ones_do_not_count() -> None:
    assert combined(np.array([1e-20, 0.5, 0.9])) == pytest.approx(3e-20, rel=0.01)
    assert combined(np.array([0.2, np.nan])) == pytest.approx(0.2)
    assert np.isnan(combined(np.array([np.nan, np.nan])))
    assert 0 < combined(np.array([0.0, 1.0])) < 1e-200
    assert combined(np.array([1e-6, 1.0])) == pytest.approx(2e-6, rel=0.01)


def test_p_values_of_nothing_combine_to_one_that_is_uniform() -> None:
    drawn = np.random.default_rng(1).uniform(size=(20_000, 5))

    found = combined(drawn)

    for level in (0.5, 0.1, 0.01):
        assert (found <= level).mean() == pytest.approx(level, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_discoveries_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chances = np.concatenate([rng.uniform(size=200), rng.uniform(0, 1e-3, size=20)])

    assert (discoveries(chances, 0.05) == (stats.false_discovery_control(chances) <= 0.05)).all()
