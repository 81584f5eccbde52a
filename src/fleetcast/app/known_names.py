"""What has a name in a fleet, for whoever offers names while somebody types: quick, and without anybody's rights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetcast.config.written_names import WrittenNames

_SERVER = "FLEETCAST_DATABASE_URL"


@dataclass(frozen=True)
class KnownNames:
    """The names of one fleet; each is read when it is asked for, and what cannot be read raises."""

    directory: Path

    @cached_property
    def written(self) -> WrittenNames:
        """What the repository writes."""
        from fleetcast.config.written_names import written_names

        return written_names(self.directory)

    def kept(self, what: str) -> tuple[str, ...]:
        """What the control database holds, newest first; nothing of one at a server, which is not asked at each key.

        Args:
            what: A name of `fleetcast.platforms.database.names.Kept`.
        """
        from fleetcast.platforms.database.names import Kept, kept_names

        if _SERVER in os.environ:
            return ()
        return kept_names(self.directory / self.written.state / "control.db", Kept[what])


def known_names(start: Path) -> KnownNames | None:
    """The names of the fleet that a folder is in; None if it is in none."""
    from fleetcast.config.written_names import fleet_folder

    directory = fleet_folder(start)
    return None if directory is None else KnownNames(directory)
