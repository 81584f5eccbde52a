import numpy as np
import pytest

from fleetcast.forecasting.ridge import solve_ridge
from fleetcast.forecasting.series import Floats


def plain_ridge(inputs: Floats, targets: Floats, strength: float) -> Floats:
    """Least squares over the readings and one pseudo-reading for each weight."""
    size = inputs.shape[1]
    weight = np.sqrt(strength * np.trace(inputs.T @ inputs) / size)
    rows = np.vstack([inputs, weight * np.eye(size)])
    solution: Floats = np.linalg.lstsq(rows, np.vstack([targets, np.zeros((size, targets.shape[1]))]))[0]
    return solution


@pytest.mark.parametrize("strength", [0.0, 1e-3, 0.3, 10.0])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_weights_are_those_of_least_squares_with_pseudo_readings(strength: float, scale: float) -> None:
    random = np.random.default_rng(2)
    inputs, targets = scale * random.normal(size=(90, 12)), scale * random.normal(size=(90, 5))
    found = solve_ridge(inputs.T @ inputs, inputs.T @ targets, strength)
    assert np.allclose(found, plain_ridge(inputs, targets, strength), atol=2e-5)


def test_a_matrix_too_singular_for_single_precision_is_solved_in_double() -> None:
    random = np.random.default_rng(2)
    inputs = random.normal(size=(90, 12))
    inputs[:, 1] = inputs[:, 0] + 1e-5 * inputs[:, 2]
    targets = inputs[:, :1] * 3
    found = solve_ridge(inputs.T @ inputs, inputs.T @ targets, 0.0)
    assert np.allclose(inputs @ found, targets, atol=1e-4)


def test_a_singular_matrix_without_shrinkage_still_has_weights_that_fit() -> None:
    inputs = np.tile(np.random.default_rng(2).normal(size=(50, 1)), (1, 4))
    found = solve_ridge(inputs.T @ inputs, inputs.T @ inputs[:, :1], 0.0)
    assert np.allclose(inputs @ found, inputs[:, :1], atol=1e-3)


def test_windows_without_signal_have_zero_weights() -> None:
    assert not solve_ridge(np.zeros((4, 4)), np.zeros((4, 2)), 0.1).any()
