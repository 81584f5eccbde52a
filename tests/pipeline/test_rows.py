"""Training rows as a file: what was written is what is read, or an error says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.pipeline.rows import read_rows, write_rows
from fleetcast.ports.readings import Readings
from tests.pipeline.world import ONE, TWO, readings

HOLES = readings(ONE, days=1, pressure=np.array([np.nan, np.inf, -np.inf, *range(21)]))


def test_rows_are_read_bit_for_bit_as_they_were_written(tmp_path: Path) -> None:
    write_rows(HOLES, tmp_path / "rows.parquet")
    found = read_rows(tmp_path / "rows.parquet", ONE, HOLES.fingerprint())
    assert found.sensors == ("temperature", "pressure")
    np.testing.assert_array_equal(found.times, HOLES.times)
    np.testing.assert_array_equal(found.values, HOLES.values)


def test_rows_belong_to_the_circuit_that_asks(tmp_path: Path) -> None:
    write_rows(HOLES, tmp_path / "rows.parquet")
    assert read_rows(tmp_path / "rows.parquet", TWO).key == TWO


def test_writing_leaves_one_file_in_a_folder_that_was_not_there(tmp_path: Path) -> None:
    write_rows(HOLES, tmp_path / "new" / "rows.parquet")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["rows.parquet"]


def test_rows_without_sensors_keep_their_times(tmp_path: Path) -> None:
    nothing = Readings(ONE, (), frozenset(), HOLES.times, np.empty((24, 0)))
    write_rows(nothing, tmp_path / "rows.parquet")
    found = read_rows(tmp_path / "rows.parquet", ONE, nothing.fingerprint())
    assert (found.sensors, found.values.shape) == ((), (24, 0))


def test_rows_that_were_never_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the rows of P1/C1 are not in"):
        read_rows(tmp_path / "rows.parquet", ONE)


def test_a_file_cut_short_is_named_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_rows(HOLES, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"the rows of P1/C1 in .* are damaged: "):
        read_rows(path, ONE)


def test_a_file_damaged_anywhere_is_one_error_that_names_it(tmp_path: Path) -> None:
    rows, file = readings(), tmp_path / "rows.parquet"
    write_rows(rows, file)
    whole = file.read_bytes()
    chance = np.random.default_rng(1)
    cut = [whole[:length] for length in (0, 1, 2, len(whole) // 2, len(whole) - 1)]
    for content in (*cut, b"null"):
        file.write_bytes(content)
        assert "damaged" in refusal(file, rows)
    for _ in range(60):
        file.write_bytes(with_changed_bytes(whole, chance))
        assert refusal(file, rows) in ("", f"the rows of {rows.key} in {file} are damaged")


def refusal(file: Path, rows: Readings) -> str:
    """What is said of a file, as far as it is not somebody else's words; empty if it is whole."""
    try:
        read_rows(file, rows.key, rows.fingerprint())
    except BadInput as error:
        return str(error).partition(": ")[0]
    return ""


def with_changed_bytes(whole: bytes, chance: np.random.Generator) -> bytes:
    content = bytearray(whole)
    for place in chance.integers(len(content) - 600, len(content), size=chance.integers(1, 6)):
        content[place] = int(chance.integers(256))
    return bytes(content)


def test_rows_that_are_not_those_that_were_frozen_are_refused(tmp_path: Path) -> None:
    write_rows(HOLES, tmp_path / "rows.parquet")
    with pytest.raises(BadInput, match="they are not those that were frozen"):
        read_rows(tmp_path / "rows.parquet", ONE, Digest.of(b"others"))


def test_a_place_that_cannot_be_written_is_named_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet" / "in the way").mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"cannot write rows\.parquet: "):
        write_rows(HOLES, tmp_path / "rows.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]
