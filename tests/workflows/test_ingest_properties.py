from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.desk import Desk

readings = st.lists(
    st.tuples(st.integers(0, 40), st.none() | st.integers(-99, 99), st.none() | st.integers(-99, 99)),
    min_size=1,
    max_size=25,
)
Reading = tuple[int, int | None, int | None]


def csv(rows: list[Reading]) -> str:
    lines = [
        f"{datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ},"
        + ",".join("" if cell is None else str(cell) for cell in cells)
        for hour, *cells in rows
    ]
    return "\n".join(["time,a,b", *lines, "2025-06-01T00:00:00Z,0,0", ""])


quick = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(rows=readings)
def test_ingesting_twice_is_ingesting_once(
    rows: list[Reading], tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.ingest(csv(rows))
    before = desk.stored()
    assert desk.ingest(csv(rows)).version == 0
    assert desk.stored() == before


@quick
@given(rows=readings, cut=st.integers(0, 25))
def test_a_file_in_parts_gives_the_table_of_the_whole(
    rows: list[Reading], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, parts, listed = (Desk(tmp_path_factory.mktemp("desk")) for _ in range(3))
    whole.ingest(csv(rows))
    parts.ingest(csv(rows[:cut]))
    parts.ingest(csv(rows[cut:]))
    listed.ingest(csv(rows[:cut]), csv(rows[cut:]))
    assert parts.stored() == whole.stored() == listed.stored()


@quick
@given(
    rows=st.lists(st.tuples(st.integers(0, 40), st.integers(-9, 9), st.none()), unique_by=lambda row: row[0]),
    seed=st.integers(0, 9),
)
def test_shuffled_and_late_rows_give_the_same_table(
    rows: list[Reading], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ordered, shuffled = (Desk(tmp_path_factory.mktemp("desk")) for _ in range(2))
    ordered.ingest(csv(sorted(rows)))
    mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
    shuffled.ingest(csv(mixed[len(mixed) // 2 :]))
    shuffled.ingest(csv(mixed[: len(mixed) // 2]))
    assert shuffled.stored() == ordered.stored()
