"""Looking into the books: requests, runs and the audit log, for those who may."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.role import Right
from fleetcast.ports.approvals import ApprovalBook, AuditLog
from fleetcast.ports.platform import Control
from fleetcast.ports.runs import RunBook


@dataclass(frozen=True, slots=True)
class LookIntoBooks:
    """Gives the books to whoever may look.

    Raises:
        Denied: At each of them, where whoever acts may not.
    """

    control: Control

    def approvals(self) -> ApprovalBook:
        """Every request, with its evidence and decisions."""
        self.control.require(Right.VIEW)
        return self.control.approvals

    def audit(self) -> AuditLog:
        """The log of every change."""
        self.control.require(Right.VIEW)
        return self.control.audit

    def runs(self) -> RunBook:
        """Past and present runs."""
        self.control.require(Right.VIEW)
        return self.control.runs
