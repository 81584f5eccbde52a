"""Requests, evidence and the audit log, as tables and text."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.output import say_line
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, loose, moments, numbers, show, words
from fleetcast.domain.approval import Request, passing, set_digest
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.evidence import CheckVerdict, Outcome
from fleetcast.domain.wording import counted
from fleetcast.views.approvals import behind_in_words
from fleetcast.views.audit import detail_in_words
from fleetcast.views.evidence import facts_in_words, says
from fleetcast.views.moments import shown
from fleetcast.views.names import decided_in_words

_VERDICT = {
    CheckVerdict.PASSED: ("✓", "green"),
    CheckVerdict.FAILED: ("✗", "bold red"),
    CheckVerdict.NOT_COMPARABLE: ("–", "dim"),
    CheckVerdict.NOT_MEASURED: ("?", "yellow"),
}


def print_requests(requests: Sequence[Request], console: Console, *, every: bool) -> None:
    """Requests as a table, with the digest of the set that `approve --passing` would decide on."""
    rows = [
        (
            str(request.id),
            request.state.value,
            f"{request.subject.kind.value} {request.subject}",
            _checks(request),
        )
        for request in requests
    ]
    columns = numbers("request"), words("state", goes=1), an_id("subject"), words("checks")
    empty, then = ("nothing waits for approval; what was decided:", "fleetcast approvals list --all")
    if every:
        empty, then = "nobody was asked for anything yet; to train:", "fleetcast train"
    show(Table(columns, rows, empty=empty, then=then), console)
    decidable = passing(requests)
    if decidable:
        console.print(f"\n{len(decidable)} pass every check; approve exactly these with:")
        say_line(console, f"  fleetcast approve --passing --set {set_digest(decidable)} --comment '…'")
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
    asked = f"asked by {request.requested_by} at {shown(request.opened_at)}{run}"
    say_line(console, f"{request.state.value}; {asked}")
    listed = (*request.policy.approvers, *request.policy.groups, *request.policy.services)
    people = f"{request.policy.minimum} of {', '.join(listed)}"
    signed_in = ", signed in" if request.policy.verified else ""
    say_line(console, f"gate {request.gate.value}: {people}{signed_in}; lapses {request.lapses_at:%Y-%m-%d}")
    for name, digest in (
        ("subject digest", subject.digest),
        ("artifact", subject.artifact),
        ("configuration", subject.configuration),
    ):
        say_line(console, f"{name} {digest}")
    for line in behind_in_words(request):
        say_line(console, line)
    for check in request.evidence.checks:
        sign, style = _VERDICT[check.verdict]
        console.print(Text.assemble("  ", (sign, style), f" {check.name}: {says(check)}"), soft_wrap=True)
    for name, value in facts_in_words(request.evidence):
        say_line(console, f"  {name}: {value}")
    for decision in request.decisions:
        why = decision.comment or "no comment"
        say_line(console, f"  {decided_in_words(decision)} at {shown(decision.at)}: {why}")


def print_audit(entries: Sequence[AuditEntry], console: Console) -> None:
    """Audit entries as a table."""
    columns = (
        numbers("entry"),
        moments("at", goes=2),
        words("who"),
        an_id("what"),
        words("subject"),
        loose("detail", goes=1),
    )
    rows = [
        (
            str(entry.number),
            entry.at,
            str(entry.actor),
            entry.event.action,
            entry.event.subject,
            detail_in_words(entry.event.detail),
        )
        for entry in entries
    ]
    show(
        Table(
            columns, rows, empty="The audit log has no such entry. Its latest:", then="fleetcast audit list"
        ),
        console,
    )


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
