"""What a file is that was named as one of readings and is none, by its first bytes: its name, and what to do."""

from __future__ import annotations

from pathlib import Path

from fleetcast.domain.errors import BadInput

_LFS = b"version https://git-lfs.github.com/spec/"
_EXCEL = b"[Content_Types].xml"
_PACKED = {
    b"BZh": ("packed with bzip2", "unpack it: bunzip2"),
    b"\xfd7zXZ": ("packed with xz", "unpack it: unxz"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it: unzstd"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it: 7z x"),
}
_DOCUMENTS = {
    b"%PDF-": "a PDF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a workbook of an early Excel, or another old Office file",
    b"SQLite format 3\0": "a SQLite database",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 or NetCDF4 file",
}


def refuse_other_kinds(path: Path, head: bytes) -> None:
    """Refuse what cannot be a CSV or Parquet file.

    Args:
        path: The file, for the error.
        head: Its first bytes: a thousand or more, if it has so many.

    Raises:
        BadInput: It is of a kind that is known; the text names it.
    """
    if head.startswith(_LFS):
        raise BadInput(
            f"{path} is a Git LFS pointer, not the file that it stands for",
            fix=f"fetch that: git lfs pull --include '{path.name}'",
        )
    if head.startswith(b"PK\x03\x04"):
        if _EXCEL in head or path.suffix.lower() in (".xlsx", ".xlsm"):
            raise BadInput(f"{path} is an Excel workbook, not CSV", fix="save its sheet as CSV UTF-8")
        raise BadInput(f"{path} is a ZIP archive", fix=f"unpack it and name its files: unzip {path.name}")
    for start, (kind, how) in _PACKED.items():
        if head.startswith(start):
            raise BadInput(f"{path} is {kind}, which is not read", fix=f"{how} {path.name}")
    for start, kind in _DOCUMENTS.items():
        if head.startswith(start):
            raise BadInput(
                f"{path} is {kind}, not CSV or Parquet", fix="export its readings as CSV or Parquet"
            )
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        raise BadInput(
            f"{path} is a web page, not CSV",
            fix="download the file itself: a page that asks for a login is often saved in its place",
        )
    if text.startswith(b"<?xml"):
        raise BadInput(f"{path} is XML, not CSV", fix="export its readings as CSV or Parquet")
