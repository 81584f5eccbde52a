"""Who a command line has signed in as, and for which fleet."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """What is kept on this machine between commands."""

    place: str
    """The address of a server, or the folder of a fleet repository."""
    name: str
    """Of the person."""
    secret: str = field(repr=False)
    """A session's or a token's; never shown."""

    @property
    def is_at_server(self) -> bool:
        """Whether it is to a server: a folder is named from the root."""
        return not self.place.startswith("/")
