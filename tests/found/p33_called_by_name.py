"""A file that is not what its name says is called by what it is, with what to do about it."""

from __future__ import annotations

import gzip
import io
import zipfile

import polars as pl

from tests.found.story import Story

CSV = b"time,temperature\n2025-01-01 00:00,20.5\n2025-01-01 01:00,20.6\n"
LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)

LONG = "it makes a file of each kind, and asks of each"


def tell(story: Story) -> None:
    """One file for each kind."""
    fleet = story.fleet(days=0)

    def ingest(name: str, content: bytes) -> tuple[int, str]:
        path = fleet.folder / name
        path.write_bytes(content)
        said = fleet.type("ingest", str(path), "--plant", "P", "--circuit", "C", "--timezone", "UTC")
        return said.code, said.text

    parquet = _parquet()
    for name, content, why, fix in (
        ("text.csv.gz", CSV, "is called as if it were gzipped, but is not", "rename it: text.csv"),
        ("pointer.csv", LFS, "is a Git LFS pointer", "git lfs pull"),
        ("pointer.parquet", LFS, "is a Git LFS pointer", "git lfs pull"),
        ("pointer.csv.gz", LFS, "is a Git LFS pointer", "git lfs pull"),
        ("zipped.csv", _zip("log.csv"), "is a ZIP archive", "unzip zipped.csv"),
        ("sheet.csv", _zip("[Content_Types].xml"), "is an Excel workbook", "CSV UTF-8"),
        ("report.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "is a PDF document", "export"),
        ("page.csv", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is a web page", "login"),
        ("half.parquet", parquet[: len(parquet) // 2], "is cut off or another kind of file", "again"),
        ("text.parquet", CSV, "is cut off or another kind of file", "again"),
        ("latin.csv", CSV.replace(b"20.6", b"20.6 \xb0"), "row 3: byte 0xb0 is not UTF-8", "iconv"),
    ):
        code, text = ingest(name, content)
        story.expect(
            f"{name} is refused as what it is", holds=code == 1 and why in text and fix in text, saw=text
        )
    for name, content in (("packed.csv", gzip.compress(CSV)), ("typed.csv", parquet)):
        code, text = ingest(name, content)
        story.expect(f"{name} is read as what it is", holds=code == 0, saw=text[-200:])


def _zip(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, CSV)
    return content.getvalue()


def _parquet() -> bytes:
    content = io.BytesIO()
    pl.read_csv(CSV, try_parse_dates=True).write_parquet(content)
    return content.getvalue()
