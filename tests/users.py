"""Users of the machine: who a command's process runs as, as far as the operating system says."""

from __future__ import annotations

import pwd
import zlib
from collections.abc import Callable

import pytest

AsUser = Callable[[str], int]
"""Go on as another user of this name; gives its number."""


def user_changer(monkeypatch: pytest.MonkeyPatch) -> AsUser:
    """Let the operating system name other users to this process."""

    def change(name: str) -> int:
        number = 10_000 + zlib.crc32(name.encode()) % 10_000
        entry = pwd.struct_passwd((name, "x", number, number, "", "/nonexistent", "/bin/sh"))
        monkeypatch.setattr("os.getuid", lambda: number)
        monkeypatch.setattr("pwd.getpwuid", lambda _: entry)
        return number

    return change
