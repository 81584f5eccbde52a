"""What went over the wire: one request and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they were."""

    method: str
    """In capitals."""
    host: str
    """In small letters, without a port."""
    path: str
    """Decoded, without its query."""
    query: Mapping[str, str] = field(default_factory=dict)
    request: object = None
    """The body as JSON; None: there was none, or it was something else."""
    status: int = 200
    response_headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    response: object = None
    """The body as JSON; None: there was none, or it was something else."""
    known: bool = True
    """Whether the emulator knows such a request."""
