"""Requests, evidence and the audit log, as tables and text."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.approval import Request, passing, set_digest
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.evidence import CheckVerdict, Outcome
from fleetcast.domain.wording import counted
from fleetcast.views.approvals import behind_in_words
from fleetcast.views.evidence import facts_in_words, says
from fleetcast.views.names import decided_in_words

_VERDICT = {
    CheckVerdict.PASSED: ("✓", "green"),
    CheckVerdict.FAILED: ("✗", "bold red"),
    CheckVerdict.NOT_COMPARABLE: ("–", "dim"),
    CheckVerdict.NOT_MEASURED: ("?", "yellow"),
}


def print_requests(requests: Sequence[Request], console: Console) -> None:
    """Requests as a table, with the digest of the set that `approve --passing` would decide on."""
    if not requests:
        console.print("nothing waits for approval")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("request", "state", "subject", "checks"):
        table.add_column(column)
    for request in requests:
        table.add_row(
            str(request.id),
            request.state.value,
            f"{request.subject.kind.value} {request.subject}",
            _checks(request),
        )
    console.print(table)
    decidable = passing(requests)
    if decidable:
        console.print(f"\n{len(decidable)} pass every check; approve exactly these with:")
        console.print(f"  fleetcast approve --passing --set {set_digest(decidable)} --comment '…'")
    for outcome, why in (
        (Outcome.NOT_COMPARABLE, "nothing to compare with"),
        (Outcome.NOT_MEASURED, "a bound on what could not be measured"),
    ):
        unknown = sum(1 for request in requests if request.evidence.outcome is outcome)
        if unknown:
            console.print(f"\n{counted(unknown, 'request')} with {why}: decide one by one")


def print_request(request: Request, console: Console) -> None:
    """One request with everything an approver should see."""
    subject = request.subject
    console.print(Text(f"request {request.id}: promote {subject.kind.value} {subject}", style="bold"))
    run = f" in {request.run}" if request.run else ""
    asked = f"asked by {request.requested_by} at {request.opened_at:%Y-%m-%d %H:%M} UTC{run}"
    console.print(f"{request.state.value}; {asked}")
    listed = (*request.policy.approvers, *request.policy.groups, *request.policy.services)
    people = f"{request.policy.minimum} of {', '.join(listed)}"
    signed_in = ", signed in" if request.policy.verified else ""
    console.print(f"gate {request.gate.value}: {people}{signed_in}; lapses {request.lapses_at:%Y-%m-%d}")
    console.print(
        f"subject digest {subject.digest}, artifact {subject.artifact}, configuration {subject.configuration}"
    )
    for line in behind_in_words(request):
        console.print(Text(line))
    for check in request.evidence.checks:
        sign, style = _VERDICT[check.verdict]
        console.print(Text.assemble("  ", (sign, style), f" {check.name}: {says(check)}"))
    for name, value in facts_in_words(request.evidence):
        console.print(f"  {name}: {value}")
    for decision in request.decisions:
        why = decision.comment or "no comment"
        console.print(f"  {decided_in_words(decision)} at {decision.at:%Y-%m-%d %H:%M} UTC: {why}")


def print_audit(entries: Sequence[AuditEntry], console: Console) -> None:
    """Audit entries as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("entry", "at (UTC)", "who", "what", "subject", "detail"):
        table.add_column(column)
    for entry in entries:
        detail = canonical_json(entry.event.detail)
        table.add_row(
            str(entry.number),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            str(entry.actor),
            entry.event.action,
            entry.event.subject,
            detail if len(detail) <= 80 else detail[:77] + "...",
        )
    console.print(table)


def _checks(request: Request) -> Text:
    if not request.evidence.checks:
        return Text("; ".join(f"{name} {value}" for name, value in facts_in_words(request.evidence)))
    text = Text()
    for number, check in enumerate(request.evidence.checks):
        sign, style = _VERDICT[check.verdict]
        text.append("; " if number else "")
        text.append(sign, style)
        text.append(f" {says(check)}")
    return text
