"""Sign-ins of command lines: begun there, agreed to in a browser by somebody who is signed in (as RFC 8628 has it)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import choice, token_urlsafe
from threading import Lock

from fleetcast.domain.token import digest_of_secret
from fleetcast.ports.clock import Clock
from fleetcast.ports.served import PREFIX
from fleetcast.workflows.tokens import ByToken

BEGIN_LOGIN, ASK_LOGIN = f"{PREFIX}/login", f"{PREFIX}/login/token"
LASTS = timedelta(minutes=10)
ASKED_EVERY = timedelta(seconds=2)
LOGIN_LASTS = timedelta(hours=12)
"""Then the command line signs in again."""
_SIGNS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come of it, and nothing that looks like a digit (RFC 8628, 6.1)."""
_KEPT_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun, as the command line is told it."""

    device_code: str = field(repr=False)
    """What it asks with; a secret."""
    user_code: str
    """What the person types: `WDJB-MJHT`."""


@dataclass(frozen=True, slots=True)
class _Kept:
    user_code: str
    machine: str
    ends_at: datetime
    by: ByToken | None = None
    """Who has agreed."""
    refused: bool = False


class NoSuchLogin(Exception):  # as other errors here, named for what happened
    """A code that never was, was used, has expired or was refused."""


@dataclass(slots=True)
class CommandLines:
    """Sign-ins of command lines, in the memory of one process, each for some minutes. Threads may share it."""

    clock: Clock
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict, repr=False)
    """By the digest of the device code, so that the secret itself is nowhere."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def begin(self, machine: str) -> Begun:
        """Begin one; of too many, the oldest are forgotten.

        Args:
            machine: What the command line says of where it runs; shown to the person, and not believed.
        """
        letters = "".join(choice(_SIGNS) for _ in range(8))
        begun = Begun(token_urlsafe(32), f"{letters[:4]}-{letters[4:]}")
        with self._lock:
            self._forget()
            self._kept[_key(begun.device_code)] = _Kept(begun.user_code, machine, self.clock.now() + LASTS)
            while len(self._kept) > _KEPT_AT_ONCE:
                self._kept.popitem(last=False)
        return begun

    def machine(self, user_code: str) -> str:
        """Which machine asks with a code that a person has typed, in whatever case and with or without its dash.

        Raises:
            NoSuchLogin: None does, or not any more.
        """
        with self._lock:
            return self._kept[self._find(user_code)].machine

    def agree(self, user_code: str, by: ByToken) -> None:
        """Let the command line act for somebody.

        Raises:
            NoSuchLogin: None waits for it, or not any more.
        """
        with self._lock:
            key = self._find(user_code)
            self._kept[key] = replace(self._kept[key], by=by)

    def refuse(self, user_code: str) -> None:
        """Let it act for nobody.

        Raises:
            NoSuchLogin: None waits for it, or not any more.
        """
        with self._lock:
            key = self._find(user_code)
            self._kept[key] = replace(self._kept[key], refused=True)

    def take(self, device_code: str) -> tuple[ByToken, str] | None:
        """Who has agreed, and which machine asked; None as long as nobody has. It is over once somebody has.

        Raises:
            NoSuchLogin: It never was, is over, or was refused.
        """
        with self._lock:
            self._forget()
            key = _key(device_code)
            kept = self._kept.get(key)
            if kept is None:
                raise NoSuchLogin
            if kept.refused:
                del self._kept[key]
                raise NoSuchLogin
            if kept.by is None:
                return None
            del self._kept[key]
            return kept.by, kept.machine

    def _find(self, user_code: str) -> str:
        self._forget()
        typed = "".join(sign for sign in user_code.upper() if sign in _SIGNS)
        for key, kept in self._kept.items():
            if kept.user_code.replace("-", "") == typed and kept.by is None and not kept.refused:
                return key
        raise NoSuchLogin

    def _forget(self) -> None:
        now = self.clock.now()
        for key in [key for key, kept in self._kept.items() if now >= kept.ends_at]:
            del self._kept[key]


def _key(device_code: str) -> str:
    return digest_of_secret(device_code).hex
