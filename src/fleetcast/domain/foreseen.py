"""Errors of the system that are nobody's mistake in the program: a full disk, missing rights, no memory."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.domain.secrets import first_line

_SAID = {
    errno.ENOSPC: ("the disk is full", "free space there, then run the same again"),
    errno.EDQUOT: (
        "the quota of the disk is used up",
        "free space there, or ask for more, then run the same again",
    ),
    errno.EFBIG: (
        "a file would be longer than this process may write",
        "raise the limit (ulimit -f), then run the same again",
    ),
    errno.EIO: (
        "the disk does not read or write as it should",
        "check the disk and what the system's log says",
    ),
    errno.EROFS: ("the disk is read-only", "mount it for writing, then run the same again"),
    errno.EMFILE: (
        "this process has as many files open as it may",
        "raise the limit (ulimit -n), then run the same again",
    ),
    errno.ENFILE: ("this machine has as many files open as it can", "end something, then run the same again"),
    errno.ENOMEM: ("memory ran out", "end something, or use a machine with more, then run the same again"),
    errno.EACCES: ("this user may not use it", "give this user the right to read and write it"),
    errno.EPERM: (
        "this user may not do that",
        "give this user the right to, or run it as the one who owns it",
    ),
    errno.EISDIR: ("is a folder, where a file is expected", "move it away"),
    errno.ENOTDIR: ("a part of its path is a file, where a folder is expected", "move that file away"),
    errno.ELOOP: ("its symbolic links lead in a circle", "mend the links"),
    errno.ENAMETOOLONG: ("the name is longer than the disk takes", "use a shorter name or folder"),
    errno.ESTALE: ("the network disk has lost it", "mount it anew, then run the same again"),
}
_NO_TEMPORARY_FOLDER = -1
"""How Python says it has no number of the system."""
_SAID[_NO_TEMPORARY_FOLDER] = (
    "no folder for temporary files can be written to",
    "free space there, and let this user write there",
)
_IN_WORDS = (
    (re.compile(r"No usable temporary directory"), _NO_TEMPORARY_FOLDER),
    (re.compile(r"(?i)no space left on device|os error 28\b|database or disk is full"), errno.ENOSPC),
    (re.compile(r"(?i)disk quota exceeded|os error 122\b"), errno.EDQUOT),
    (re.compile(r"(?i)file too large|os error 27\b"), errno.EFBIG),
    (re.compile(r"(?i)read-only file system|os error 30\b|readonly database"), errno.EROFS),
    (re.compile(r"(?i)too many open files|os error 24\b"), errno.EMFILE),
    (re.compile(r"(?i)input/output error|os error 5\b|disk i/o error"), errno.EIO),
    (re.compile(r"os error 13\b"), errno.EACCES),
    (re.compile(r"(?i)cannot allocate memory|failed to map segment|unable to allocate"), errno.ENOMEM),
)
"""How libraries that hide the system's error say it."""
_OF_OTHERS = re.compile(
    r"\b(AZURE|AWS|RAY|MLFLOW|GOOGLE|POLARS|RUST|OPENBLAS|MKL|OMP|SSL|REQUESTS|CURL|HTTPS?|NO|ALL|GIT|XDG|SQLALCHEMY)"
    r"_[A-Z][A-Z_]+\b|\bPG[A-Z]{3,}\b|\bTMPDIR\b|\bodbc\b|pip install|https?://(aka\.ms|sqlalche\.me|errors\.pydantic)"
)
"""Variables, commands and pages of other libraries."""
_NUMBERS = re.compile(
    r"\[Errno -?\d+\] ?| ?\(os error \d+\)| ?\(_ssl\.c:\d+\)|\[SSL[^\]]*\] ?|^Kernel error: "
)
"""What libraries put around what they say."""
_LONGEST_CHAIN = 20


def foreseen(error: BaseException) -> FleetcastError | None:
    """What a person is told of an error of the system, wherever it arose; None: nobody foresaw it.

    Args:
        error: As it was caught; those that it was made of are looked at too.
    """
    number, place = _number(error)
    return None if number is None else _unavailable(number, place)


def why(error: BaseException, said: str = "") -> str:
    """Why something failed, in one line without secrets, to stand behind a colon of ours.

    What the system does is said in our words. Of what a library says, sentences are left out that speak of variables,
    options and commands of its own: nobody who uses fleetcast is to set those.

    Args:
        error: As it was caught.
        said: What it says, where that was already made plainer; else its own text.
    """
    number, _ = _number(error)
    if number is not None:
        return _SAID[number][0]
    parts = re.split(r"(?<=[.;!?])\s+", _NUMBERS.sub("", first_line(said or str(error))))
    kept = " ".join(part for part in parts if not _OF_OTHERS.search(part)).rstrip(" .;")
    return kept or f"it does not say why ({type(error).__name__})"


def _number(error: BaseException) -> tuple[int | None, object]:
    """The system's number of an error, and the file that it is about."""
    for one in _chain(error):
        if isinstance(one, MemoryError):
            return errno.ENOMEM, None
        if isinstance(one, OSError) and one.errno in _SAID:
            return one.errno, one.filename
    for one in _chain(error):
        number = next((number for words, number in _IN_WORDS if words.search(str(one))), None)
        if number is not None:
            return number, None
    return None, None


def _unavailable(number: int, place: object) -> Unavailable:
    what, fix = _SAID[number]
    named = place.decode(errors="replace") if isinstance(place, bytes) else place
    where = f"{named}: " if isinstance(named, str) or hasattr(named, "__fspath__") else ""
    return Unavailable(f"{where}{what}", fix=fix)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it was made of; what was merely being handled may have nothing to do with it."""
    following: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if following is None:
            return
        yield following
        following = following.__cause__
