"""Files with keys: read only where nobody else can have read or written them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.platforms.signing.ed25519 import NoKey

KeyT = TypeVar("KeyT")
_LARGEST = 64 * 1024
_READ_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class UnusableKey(BadInput):
    """A signing key that cannot be read, or that others can; its value is never shown."""


def read_own_file(path: Path, read: Callable[[bytes], KeyT], *, fix: str) -> KeyT:
    """Read a key from a file that fleetcast has written for this user.

    Raises:
        FileNotFoundError: There is none.
        UnusableKey: It is a link, somebody else's, can be read by others, or is torn.
        Unavailable: The disk does not answer.
    """
    content = _content(path, os.O_NOFOLLOW, _READ_BY_OTHERS, allowed=0o600)
    return understood(str(path), content, read, fix=fix)


def read_given_file(path: Path, read: Callable[[bytes], KeyT]) -> KeyT:
    """Read a key from a file that somebody has put there for fleetcast.

    It may be a link and belong to the system, as secrets that are mounted do, and its group may read it.

    Raises:
        FileNotFoundError: There is none.
        UnusableKey: Another user has written it, others can read it, or it is torn.
        Unavailable: The disk does not answer.
    """
    content = _content(path, 0, _WRITTEN_BY_OTHERS | stat.S_IRWXO, allowed=0o640)
    return understood(str(path), content, read, fix="put a private key there: PEM, or 32 bytes in base64")


def understood(place: str, content: bytes, read: Callable[[bytes], KeyT], *, fix: str) -> KeyT:
    """Read a key out of some bytes, or say at which place there is none.

    Raises:
        UnusableKey: There is none in them.
    """
    try:
        return read(content)
    except NoKey as wrong:
        raise UnusableKey(f"the signing key in {place} {wrong}", fix=fix) from None


def check_folder(folder: Path) -> None:
    """Make sure that nobody else can put another key into a folder.

    Raises:
        UnusableKey: Somebody can.
        FileNotFoundError: There is no such folder.
        Unavailable: The disk does not answer.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(folder, error) from error
    if not stat.S_ISDIR(found.st_mode):
        raise UnusableKey(f"{folder} is a link, or no folder", fix="put a folder of your own there")
    _check_owner(folder, found, {os.geteuid()})
    if found.st_mode & _WRITTEN_BY_OTHERS:
        raise UnusableKey(
            f"other users can write to {folder}, where the signing key is", fix=f"chmod 0700 {folder}"
        )


def _content(path: Path, flags: int, forbidden: int, *, allowed: int) -> bytes:
    try:
        # Not blocking: a pipe put in its place would be waited for otherwise.
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnusableKey(
                f"the signing key {path} is a link", fix="put the file itself there, and not a link to it"
            ) from None
        raise _refused(path, error) from error
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise UnusableKey(f"the signing key {path} is no plain file", fix="put a plain file there")
        _check_owner(path, found, {os.geteuid()} if flags & os.O_NOFOLLOW else {0, os.geteuid()})
        if found.st_mode & forbidden:
            raise UnusableKey(
                f"other users can read or write the signing key {path} (mode {stat.S_IMODE(found.st_mode):04o})",
                fix=f"chmod {allowed:04o} {path}, and replace the key if somebody may have read it",
            )
        return os.read(opened, _LARGEST)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        os.close(opened)


def _check_owner(path: Path, found: os.stat_result, owners: set[int]) -> None:
    if found.st_uid not in owners:
        raise UnusableKey(
            f"{path} belongs to another user (uid {found.st_uid})",
            fix="use a key of your own, or name one in FLEETCAST_SIGNING_KEY",
        )


def _refused(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the signing key in {path} cannot be reached: {error.strerror}",
        fix="see whether this user may read and write there, or name a key in FLEETCAST_SIGNING_KEY",
    )
