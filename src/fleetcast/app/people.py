"""Who acts."""

from __future__ import annotations

import os
import pwd

from fleetcast.domain.audit import Actor, Means, Proof, Standing


def whoami() -> Actor:
    """The operating system's user: an asserted identity.

    The kernel says which user the process runs as, and the machine's user database what that user is called; no
    variable of the environment is asked, for anybody can set those.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"uid-{number}"
    return Actor(name, Standing.ASSERTED, Proof(Means.SYSTEM_USER, f"uid {number} on {os.uname().nodename}"))
