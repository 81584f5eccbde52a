"""Ridge regression from sums of products (Hoerl & Kennard 1970)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from fleetcast.forecasting.series import Floats

Singles = npt.NDArray[np.float32]
_FAINT = 1e-30


def solve_ridge(gram: Floats, targets: Floats, strength: float) -> Singles:
    """Weights B that minimise |X B − Y|² + strength · v · |B|², v the mean of XᵀX's diagonal.

    Solved in single precision, which is as good as the data; a matrix that is too close to singular for it is
    solved in double precision, and if need be with the least further shrinkage that works.

    Args:
        gram: XᵀX, shape (l, l), symmetric.
        targets: XᵀY, shape (l, h).
        strength: Without unit, not negative.

    Returns:
        Shape (l, h). Zeros where the windows hold no signal at all.
    """
    size = len(gram)
    unit = float(np.trace(gram)) / size
    if not unit > _FAINT:
        return np.zeros(targets.shape, dtype=np.float32)
    single = np.array(gram.T, dtype=np.float32, order="F")  # symmetric, and so copied in the order it lies in
    single /= np.float32(unit)
    single.flat[:: size + 1] += np.float32(strength)
    factor, failed = lapack.spotrf(single, lower=1, clean=0, overwrite_a=1)
    if not failed and float(np.min(np.diagonal(factor))) > 2e-3:
        scaled = np.array(targets, dtype=np.float32, order="F")
        scaled /= np.float32(unit)
        weights, _ = lapack.spotrs(factor, scaled, lower=1, overwrite_b=1)
        return np.ascontiguousarray(weights)
    return _solve_double(gram / unit, targets / unit, strength)


def _solve_double(gram: Floats, targets: Floats, strength: float) -> Singles:
    size = len(gram)
    for jitter in (0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
        shrunk = np.array(gram, order="F")
        shrunk.flat[:: size + 1] += strength + jitter
        factor, failed = lapack.dpotrf(shrunk, lower=1, clean=0, overwrite_a=1)
        if not failed:
            weights, _ = lapack.dpotrs(factor, np.asfortranarray(targets), lower=1)
            return np.ascontiguousarray(weights, dtype=np.float32)
    raise ArithmeticError("a Gram matrix is not positive: the readings are out of any range")
