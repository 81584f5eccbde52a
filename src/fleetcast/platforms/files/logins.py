"""Where a command line keeps as whom it has signed in: a file for each fleet, which its user alone may read."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.login import Login
from fleetcast.stored.durable import write_secret
from fleetcast.stored.form import Stored

_FIX = "sign in anew: `fleetcast login`"
_LOGIN = Stored(Login, fix=_FIX)
_LARGEST = 16 * 1024


class Logins:
    """The logins of one user of this machine."""

    def __init__(self, state: Path) -> None:
        """Choose the folder `fleetcast` of the user's state."""
        self._folder = state / "logins"

    def find(self, place: str) -> Login | None:
        """As whom somebody has signed in there; None: as nobody.

        Raises:
            Unreadable: The file is torn.
            BadInput: Others can read or write it, or it is another user's.
            Unavailable: The disk does not answer.
        """
        path = self._path(place)
        try:
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from error
        try:
            found = os.fstat(opened)
            others = stat.S_IMODE(found.st_mode) & 0o077
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or others:
                raise BadInput(f"{path} can be read or written by other users", fix=f"rm {path}, then {_FIX}")
            content = os.read(opened, _LARGEST)
        except OSError as error:
            raise _refused(path, error) from error
        finally:
            os.close(opened)
        kept = _LOGIN.from_json(content, str(path))
        return kept if kept.place == place else None

    def keep(self, login: Login) -> None:
        """Keep one, in place of an earlier one for the same fleet.

        Raises:
            Unavailable: The disk refuses.
        """
        path = self._path(login.place)
        try:
            write_secret(path, _LOGIN.to_json(login).encode(), replace=True)
        except OSError as error:
            raise _refused(path, error) from error

    def forget(self, place: str) -> None:
        """Forget one; where there is none, nothing happens.

        Raises:
            Unavailable: The disk refuses.
        """
        path = self._path(place)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, error) from error

    def _path(self, place: str) -> Path:
        return (
            self._folder / f"{hashlib.sha256(place.encode(errors='surrogateescape')).hexdigest()[:32]}.json"
        )


def _refused(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path}: {error.strerror}", fix="free disk space, or mend the folder's rights")
