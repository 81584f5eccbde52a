"""What is proposed: what pays and would change something, the largest gain first."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.proposal import Candidate, GainMeasured, GainUnknown, Proposal

BEFORE, AFTER = Cutoff.parse("2025-11-01"), Cutoff.parse("2025-12-01")
RATIOS = st.floats(0.0, 3.0, allow_nan=False)


def candidate(number: int, ratio: float | None, cutoff: Cutoff = AFTER) -> Candidate:
    gain = (
        GainUnknown("no model is in use")
        if ratio is None
        else GainMeasured("m:1", datetime(2025, 11, 20, tzinfo=UTC), 24, ratio)
    )
    return Candidate(CircuitKey("LYON", f"C{number:03}"), BEFORE, cutoff, 3, 3, gain)


@given(st.lists(st.none() | RATIOS, max_size=20), st.floats(-1.0, 1.0))
def test_everything_that_was_looked_at_is_in_one_of_two_places(
    ratios: list[float | None], at_least: float
) -> None:
    candidates = [candidate(number, ratio) for number, ratio in enumerate(ratios)]
    found = Proposal.of(candidates, at_least)
    assert sorted([*found.proposed, *found.left], key=lambda one: one.key) == candidates
    shares = [one.gain.share for one in found.proposed if isinstance(one.gain, GainMeasured)]
    assert len(shares) == len(found.proposed)
    assert shares == sorted(shares, reverse=True)
    assert all(share >= at_least for share in shares)


def test_what_is_declared_so_already_is_not_proposed() -> None:
    assert Proposal.of([candidate(1, 0.5, BEFORE)], 0.02).proposed == ()


def test_what_could_not_be_measured_is_left_to_people() -> None:
    assert Proposal.of([candidate(1, None)], -1.0).proposed == ()
