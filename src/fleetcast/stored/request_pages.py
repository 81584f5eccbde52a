"""Pages of requests with all that the log says of each: held against each other by whatever process is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.audit import AuditEntry, about_request
from fleetcast.domain.recount import Disagreement, distrusted
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.audit import AUDIT_ENTRY


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests as their rows hold them: plain tuples, as many go from one process to another."""

    requests: tuple[tuple[int, str], ...]
    """The number and the content of each."""
    told: tuple[tuple[int, str, str], ...]
    """The number of each entry about any of them, what it is about, and its content; oldest first."""


def distrusted_in(page: RequestPage) -> Sequence[tuple[int, Disagreement]]:
    """The numbers of the requests that the log says something else of, and what.

    Raises:
        BadInput: A request or an entry cannot be read; the text names it.
    """
    entries: dict[str, list[AuditEntry]] = {about_request(number): [] for number, _ in page.requests}
    for number, about, content in page.told:
        entries[about].append(AUDIT_ENTRY.from_json(content, f"audit entry {number}"))
    found = []
    for number, content in page.requests:
        request = REQUEST.from_json(content, f"requests {number}")
        why = distrusted(request, entries[about_request(number)])
        if why is not None:
            found.append((number, why))
    return found
