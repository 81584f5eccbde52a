from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetcast.domain.ingest import ConflictingReadings, OnConflict
from tests.workflows.desk import Cells, Desk

readings = st.lists(
    st.tuples(st.integers(0, 40), st.none() | st.integers(-99, 99), st.none() | st.integers(-99, 99)),
    min_size=1,
    max_size=25,
)
Reading = tuple[int, float | None, float | None]


def csv(rows: Sequence[Reading]) -> str:
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


few = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.none() | st.sampled_from((1, 2, 3)),
        st.none() | st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: x / 7),
    ),
    min_size=1,
    max_size=12,
)


@quick
@given(rows=few, seed=st.integers(0, 99), cut=st.integers(0, 12))
@pytest.mark.parametrize("choice", [OnConflict.MEAN, OnConflict.DROP, OnConflict.REFUSE])
def test_no_order_of_rows_and_files_changes_how_a_conflict_is_settled(
    rows: list[tuple[int, int | None, float | None]],
    seed: int,
    cut: int,
    choice: OnConflict,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
    whole = settled(Desk(tmp_path_factory.mktemp("desk")), choice, csv(rows))
    parts = settled(Desk(tmp_path_factory.mktemp("desk")), choice, csv(mixed[cut:]), csv(mixed[:cut]))
    assert parts == whole


def settled(desk: Desk, choice: OnConflict, *texts: str) -> tuple[Cells | None, int]:
    """What the table holds, and how many conflicts there were; the second time changes nothing."""
    try:
        report = desk.ingest(*texts, on_conflict=choice)
        assert desk.ingest(*texts, on_conflict=choice).rows_written == 0
    except ConflictingReadings:
        return None, 0
    left_out = sum(file.rows_read - file.rows_kept for file in report.files)
    folded = report.exact_duplicates + report.conflicting_duplicates + report.joined_rows
    assert report.rows_read == left_out + folded + report.inserted
    return desk.stored(), report.conflicts
