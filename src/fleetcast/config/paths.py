"""Paths that a fleet repository names: always inside it, whatever tricks they use."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fleetcast.config.complaints import shown
from fleetcast.domain.errors import BadInput


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
    if path.is_absolute() or ".." in path.parts or not is_inside(directory, directory / path):
        raise BadInput(f"{shown(text)} leaves the fleet directory", fix=fix)
    return path


def is_inside(directory: Path, path: Path) -> bool:
    """Whether a path, symbolic links followed, lies in a directory."""
    try:
        return path.resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError):
        return False
