"""Microsoft's own examples fit its descriptions, but for those that are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.azure_oracle import sloppy
from tests.azure_oracle.devops import devops_oracle, version_of
from tests.azure_oracle.examples import Example, examples_of
from tests.azure_oracle.exchanges import Checked, Standing
from tests.azure_oracle.oracle import oracle
from tests.azure_oracle.sloppy import Sloppy
from tests.azure_oracle.specs import NEEDS_SPECS

pytestmark = NEEDS_SPECS
Told = list[tuple[Example, Checked]]


def machine_learning() -> Told:
    return [(each, oracle().check(each.exchange)) for each in examples_of(oracle().operations)]


def devops() -> Told:
    # They are as old as 4.1; what they show is the version that they stand beside.
    examples = examples_of(devops_oracle().operations, version_of)
    return [(each, devops_oracle().check(each.exchange)) for each in examples]


@pytest.mark.parametrize(
    ("tell", "listed", "fewest"),
    [
        pytest.param(machine_learning, sloppy.MACHINE_LEARNING, 3300, id="machine learning"),
        pytest.param(devops, sloppy.DEVOPS, 120, id="devops"),
    ],
)
def test_each_fits_but_for_those_that_are_listed(
    tell: Callable[[], Told], listed: tuple[Sloppy, ...], fewest: int
) -> None:
    told = tell()
    assert len(told) > fewest
    used: set[tuple[Sloppy, str]] = set()
    wrong: list[str] = []
    for example, checked in told:
        entry = next((each for each in listed if each.is_of(example.file)), None)
        if checked.standing is Standing.UNKNOWN:
            if entry is None or entry.places:
                wrong.append(f"{example.file}: {checked.why}")
            else:
                used.add((entry, ""))
            continue
        assert checked.name == example.operation.id
        for finding in checked.findings:
            place = None if entry is None else entry.place_of(finding.wrong.where)
            if entry is None or place is None:
                wrong.append(f"{example.file}: {finding}")
            else:
                used.add((entry, place))
    assert wrong == []
    unused = [f"{entry.file}: {place}" for entry, place in _all_of(listed) if (entry, place) not in used]
    assert unused == [], "struck out of the list, for they fit"


def _all_of(listed: tuple[Sloppy, ...]) -> Iterator[tuple[Sloppy, str]]:
    for entry in listed:
        for place in entry.places or ("",):
            yield entry, place
