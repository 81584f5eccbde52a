"""Where fleetcast keeps what belongs to a user and to no fleet: the key that signs, and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE


def user_state(environment: Mapping[str, str]) -> Path:
    """The folder `fleetcast` below the user's state folder.

    Raises:
        BadInput: This user has no home.
    """
    state = environment.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state) / "fleetcast"
    try:
        return Path.home() / ".local" / "state" / "fleetcast"
    except RuntimeError:
        raise BadInput(
            "this user has no home in which a signing key could be kept",
            fix=f"set {SIGNING_KEY_VARIABLE}, and `signing.checkpoints` in fleetcast.yaml",
        ) from None
