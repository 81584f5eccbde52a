"""Whose signatures count."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location
from fleetcast.domain.signing_key import TrustedKey

SIGNING_KEY_VARIABLE = "FLEETCAST_SIGNING_KEY"
"""Environment variable with the private key that signs, or with `file:` and its path; never a setting."""


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """What a fleet declares about signatures."""

    trusted: tuple[TrustedKey, ...] = ()
    """Besides the own keys of whoever checks; an own key is here if it was revoked."""
    checkpoints: Location | None = None
    """The place that remembers how far the audit log had come: a folder on each machine that works on the fleet, or in
    an object store; None: the state folder of each user."""

    def __post_init__(self) -> None:
        seen = set()
        for key in self.trusted:
            if key.public.id in seen:
                raise BadInput(f"key {key.public.id} is written twice", fix="keep one of the two")
            seen.add(key.public.id)
