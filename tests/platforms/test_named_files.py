"""Files that people name: plain ones are read up to a bound; what is something else is said to be that."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import IngestOptions
from fleetcast.platforms.files import bounded_text, raw_file
from fleetcast.platforms.files.readings_file import LocalReadingsFiles
from fleetcast.stored.named_file import NotAFile, TooLarge, read_named

ROWS = "time,t\n2025-01-01 00:00,1\n2025-01-01 01:00,2\n"


def parse(path: Path) -> int:
    return len(LocalReadingsFiles().parse(path, IngestOptions(plant="P", circuit="C", timezone="UTC")).rows)


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.csv")
    with pytest.raises(NotAFile, match="is a pipe"):
        read_named(tmp_path / "log.csv")
    with pytest.raises(BadInput, match="is a pipe"):
        parse(tmp_path / "log.csv")


def test_a_device_and_a_folder_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="is a device"):
        read_named(Path("/dev/zero"))
    with pytest.raises(NotAFile, match="is a folder"):
        read_named(tmp_path)


def test_a_link_to_a_file_is_followed_and_no_more_than_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_named(tmp_path / "link", 5) == b"12345"
    with pytest.raises(TooLarge):
        read_named(tmp_path / "link", 4)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("bound", "most", "why"),
    [
        ("MOST_OF_A_LINE", 12, "row 2: a line of more than"),
        ("MOST_BYTES", 40, "of text"),
        ("MOST_CELLS", 2, "up to 2 of a file are read"),
    ],
)
def test_what_is_too_much_is_refused_plain_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, why: str, *, packed: bool
) -> None:
    path = tmp_path / ("log.csv.gz" if packed else "log.csv")
    path.write_bytes(gzip.compress(ROWS.encode()) if packed else ROWS.encode())
    assert parse(path) == 2
    monkeypatch.setattr(bounded_text, bound, most)
    monkeypatch.setattr(bounded_text, "_PIECE", 8)
    with pytest.raises(BadInput, match=why):
        parse(path)


def test_a_parquet_file_with_too_many_cells_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.read_csv(ROWS.encode(), try_parse_dates=True).write_parquet(tmp_path / "log.parquet")
    assert parse(tmp_path / "log.parquet") == 2
    monkeypatch.setattr(raw_file, "MOST_CELLS", 3)
    with pytest.raises(BadInput, match="has 4 cells"):
        parse(tmp_path / "log.parquet")


def test_letters_are_read_right_wherever_the_file_is_cut_for_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.csv").write_text("time,t,zählwerk\n2025-01-01 00:00,1,2\n")
    for size in range(1, 12):
        monkeypatch.setattr(bounded_text, "_PIECE", size)
        with pytest.raises(BadInput, match="zählwerk"):
            parse(tmp_path / "log.csv")
    (tmp_path / "log.csv").write_bytes(ROWS.encode() + b"2025-01-01 02:00,\xc3")
    with pytest.raises(BadInput, match="row 4: byte 0xc3 is not UTF-8"):
        parse(tmp_path / "log.csv")


@pytest.mark.parametrize(
    ("name", "start", "why"),
    [
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        ("a.csv", b"PK\x03\x04 and more", "ZIP archive"),
        ("a.xlsx", b"PK\x03\x04 and more", "Excel workbook"),
        ("a.csv", b"%PDF-1.4\n", "PDF document"),
        ("a.csv", b"BZh91AY", "packed with bzip2"),
        ("a.csv", b"\x28\xb5\x2f\xfd0", "packed with zstd"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "early Excel"),
        ("a.csv", b"\n <html><body>", "web page"),
        ("a.csv.gz", ROWS.encode(), "called as if it were gzipped"),
        ("a.parquet", ROWS.encode(), "cut off or another kind"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(
    tmp_path: Path, name: str, start: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(BadInput, match=why) as refused:
        parse(tmp_path / name)
    assert refused.value.fix
