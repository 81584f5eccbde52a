"""How many nodes a plan would use, and what fits into a quota."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.quota import CoresAllowed, NotKnown, QuotaUse, nodes_for

CORES = CoresAllowed("westeurope", "Standard DSv2 Family", cores_each=4, limit=16, used=4)


@pytest.mark.parametrize(
    ("circuits", "batch_size", "most", "nodes"),
    [(0, 50, 4, 0), (1, 50, 4, 1), (50, 50, 4, 1), (51, 50, 4, 2), (200, 50, 4, 4), (200, 10, 4, 4)],
)
def test_each_batch_has_a_node_as_far_as_the_cluster_grows(
    circuits: int, batch_size: int, most: int, nodes: int
) -> None:
    assert nodes_for(circuits, batch_size, most) == nodes


@pytest.mark.parametrize(
    ("cores", "fit"),
    [
        (CORES, 3),
        (replace(CORES, used=0), 4),
        (replace(CORES, used=5), 2),
        (replace(CORES, used=99), 0),
        (replace(CORES, limit=-1, used=99), 4),
        (replace(CORES, limit=0, used=0), 0),
    ],
)
def test_so_many_of_four_nodes_fit(cores: CoresAllowed, fit: int) -> None:
    use = QuotaUse(4, cores)
    assert (use.needed, use.nodes_that_fit, use.fits) == (16, fit, fit == 4)


def test_what_is_not_known_neither_fits_nor_does_not() -> None:
    use = QuotaUse(4, NotKnown("Azure does not answer"))
    assert (use.needed, use.nodes_that_fit, use.fits) == (None, None, None)
