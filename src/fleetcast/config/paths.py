"""Paths that a fleet repository names: always inside it, whatever tricks they use."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fleetcast.config.complaints import shown
from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import climbs


def inside(directory: Path, text: str) -> PurePosixPath:
    """Read a relative path that stays in the fleet directory, symbolic links followed.

    Raises:
        BadInput: It is absolute, leaves the directory, or is not a path on every system.
    """
    path = PurePosixPath(text)
    fix = "write a relative path inside the fleet directory, with forward slashes"
    odd = "\\" in text or ":" in text or not text.isprintable() or text != text.strip() or len(text) > 400
    if odd or text.startswith("~") or not path.parts:
        raise BadInput(f"{shown(text)} is not a path that works everywhere", fix=fix)
    if path.is_absolute() or climbs(text) or not is_inside(directory, directory / path):
        raise BadInput(f"{shown(text)} leaves the fleet directory", fix=fix)
    return path


def anywhere(text: str) -> str:
    """Read a path that may lead anywhere, but must say so in plain: `..` and not `%2e%2e`.

    Raises:
        BadInput: It hides where it leads, or has signs that nobody can see.
    """
    if climbs("/".join(part for part in text.split("/") if part != "..")):
        raise BadInput(f"{shown(text)} hides where it leads", fix="write its dots and slashes as they are")
    if not text.isprintable() or text != text.strip():
        raise BadInput(f"{shown(text)} has signs that cannot be seen", fix="write the path without them")
    return text


def one_name(text: str) -> str:
    """Read the name of one folder, which cannot lead out of the one that it is in.

    Raises:
        BadInput: It can, or there is none.
    """
    if text in ("", ".") or "/" in text or "\\" in text or climbs(text) or not text.isprintable():
        raise BadInput(
            f"{shown(text)} is not the name of one folder", fix="write a name without slashes and `..`"
        )
    return text


def is_inside(directory: Path, path: Path) -> bool:
    """Whether a path, symbolic links followed, lies in a directory."""
    try:
        return path.resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError):
        return False
