"""What fleetcast needs to keep requests, decisions and the audit log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from fleetcast.domain.approval import Choice, Request, RequestOutline, RequestState, WantedRequests
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.checkpoint import CheckpointVerdict
from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import Directory
from fleetcast.domain.place import Gate
from fleetcast.domain.recount import Disagreement, Distrusted

Vote = Callable[[Request, Directory, Mapping[Gate, GatePolicy]], Request]


class ApprovalBook(Protocol):
    """Keeps requests and the decisions on them; each change stands in the audit log, or did not happen."""

    def open(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Add requests, all or none, and number them; a subject that is pending already is given as it is."""
        ...

    def find(self, request_id: int) -> Request:
        """One request.

        Raises:
            BadInput: There is no such request.
        """
        ...

    def listed(self, states: Sequence[RequestState] = ()) -> Sequence[Request]:
        """Requests in these states, or all of them, in the order they were opened."""
        ...

    def each(self) -> Iterator[Request]:
        """All requests in the order they were opened, read page by page."""
        ...

    def distrusted(self) -> Iterator[Distrusted]:
        """Requests whose rows are not what the log says of them, and that could open something, oldest first.

        Raises:
            BadInput: A request or an entry cannot be read; the text names it.
        """
        ...

    def latest(self, count: int) -> Sequence[Request]:
        """The last so many requests, whatever their state, in the order they were opened."""
        ...

    def page(
        self, wanted: WantedRequests, *, after: int | None, count: int, newest_first: bool
    ) -> Sequence[Request]:
        """The first so many of these requests that come after a number, in the order they were opened, or backwards."""
        ...

    def outlines(self, states: Sequence[RequestState]) -> Sequence[RequestOutline]:
        """Requests in these states without their evidence, in the order they were opened."""
        ...

    def of_models(self, names: Collection[str]) -> Sequence[Request]:
        """All requests about versions of these models, oldest first; read in bulk."""
        ...

    def about(self, subjects: Sequence[Digest]) -> Sequence[Request]:
        """All requests for these subject digests, oldest first; read in bulk."""
        ...

    def pin_anew(self, requests: Sequence[Request]) -> None:
        """Give pending requests another form of the same subject and evidence; those that ended stay as they are."""
        ...

    def decide(self, request_ids: Sequence[int], vote: Vote) -> Sequence[Request]:
        """Let somebody vote on requests, all or none, each as it stands at this very moment.

        Args:
            request_ids: Different numbers.
            vote: Gives a request with one more decision, by the people on record and the policies in force in the
                same transaction; may be called again where the transaction is tried again. What it raises undoes all.

        Raises:
            BadInput: There is no such request.
        """
        ...

    def note_refused(self, request: Request, choice: Choice, comment: str, why: str) -> None:
        """Write into the audit log that somebody tried to decide, and could not."""
        ...

    def distrust(self, request: Request, why: Disagreement) -> Request:
        """Make a request void whose row is not what the audit log says, whatever state the row claims."""
        ...

    def record(self, requests: Sequence[Request]) -> None:
        """Write requests back that were voided, lapsed, came to an end with time, or wait again, all or none.

        Raises:
            NotDecidable: Someone else changed one of them since it was read; nothing was written.
        """
        ...


class AuditLog(Protocol):
    """The append-only record of every change."""

    def latest(self, count: int) -> Sequence[AuditEntry]:
        """The last so many entries, oldest first.

        Raises:
            BadInput: An entry cannot be read; the text names it.
        """
        ...

    def page(
        self, *, after: int | None, count: int, newest_first: bool, request: int = 0
    ) -> Sequence[AuditEntry]:
        """The first so many entries that come after a number, oldest first, or backwards.

        Args:
            after: The number; None: from the one end or the other.
            count: How many at most.
            newest_first: Whether backwards.
            request: Only those about this request; 0: all.

        Raises:
            BadInput: An entry cannot be read; the text names it.
        """
        ...

    def about(self, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """All entries about these requests and models, oldest first; read in bulk.

        Args:
            things: As `about_request` and `about_model` name them.

        Raises:
            BadInput: An entry cannot be read; the text names it.
        """
        ...

    def vouched(self, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """As `about`, for whoever is to believe it: each entry is chained to one that a trusted seal is on.

        Raises:
            NotBelieved: One of them is not. Leaving it out would let whoever changes an entry undo what it says.
        """
        ...

    def told(self, requests: Collection[int] = ()) -> Chronicle | BrokenLog:
        """What the whole log tells: every entry is chained to the one before, and trusted seals vouch for all.

        Args:
            requests: Those whose entries are kept.

        Raises:
            BadInput: An entry cannot be read; the text names it.
        """
        ...

    def checkpoint(self) -> CheckpointVerdict | None:
        """What is remembered elsewhere of how far the log had come; None if nothing is."""
        ...

    def entries(self) -> Iterator[AuditEntry]:
        """All entries, oldest first, read page by page.

        Raises:
            BadInput: An entry cannot be read; the text names it.
        """
        ...
