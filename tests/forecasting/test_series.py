"""Steps of a series by moments: what had been read by then, and what came from then on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.series import Series

START = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERIES = Series(START, HOUR, ("a",), np.arange(10.0)[:, None])


@given(st.integers(61, 20 * 60))
def test_a_moment_divides_a_series_and_no_step_is_in_both_parts(minutes: int) -> None:
    moment = START + timedelta(minutes=minutes)
    before, first = SERIES.until(moment), SERIES.first_step_from(moment)
    assert before.end <= max(moment, SERIES.start)
    assert START + first * HOUR >= moment
    assert len(before) <= min(first, len(SERIES))
    assert first - len(before) <= 1 or first > len(SERIES)


def test_the_first_step_is_not_before_the_series() -> None:
    assert SERIES.first_step_from(START - timedelta(days=3)) == 0


def test_nothing_was_read_before_the_first_step_ended() -> None:
    with pytest.raises(BadInput, match="nothing was read before"):
        SERIES.until(START + timedelta(minutes=59))


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="has no time zone"):
        SERIES.until(datetime(2025, 1, 2))  # noqa: DTZ001  # that is the matter
