"""Moving a folder into its place in one step, from another disk too."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path


def move_folder(source: Path, target: Path) -> None:
    """Move a folder to a place where nothing is; others see it whole there, or not at all.

    A folder of another disk is copied next to its place and brought to that disk's keeping first.

    Raises:
        OSError: The disk refuses; the source is still there.
    """
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_over(source, target)


def _copy_over(source: Path, target: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", suffix=".partial", dir=target.parent))
    try:
        shutil.copytree(source, partial, symlinks=True, dirs_exist_ok=True)
        for path in (*partial.rglob("*"), partial):
            if not path.is_symlink():
                _sync(path)
        partial.replace(target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(source, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
