"""The key that this user signs with; needs no fleet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetcast.domain.signing_key import OwnKeys, PublicKey


def look_at_keys() -> OwnKeys:
    """What everybody may know of the own keys; the first is made if there is none.

    Raises:
        UnusableKey: There is a key that cannot be read, or that others can.
        BadInput: The environment names a file that is not there, or this user has no home.
        Unavailable: The disk refuses.
    """
    from fleetcast.platforms.signing.keys import open_keys

    return open_keys(os.environ).own


def rotate_key() -> tuple[PublicKey, OwnKeys]:
    """Replace the key that was made for this user.

    Returns:
        The key that was replaced, and what there is now.

    Raises:
        BadInput: The environment names the key, or there is none yet.
        UnusableKey: The present key cannot be read, or others can read it.
        Unavailable: The disk refuses.
    """
    from fleetcast.platforms.signing.keys import rotate

    replaced, opened = rotate(os.environ)
    return replaced, opened.own
