"""`fleetcast audit`: who changed what, whether that record can be believed, and what auditors ask of it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption, moment
from fleetcast.cli.output import console, say, say_next, show_json
from fleetcast.domain.errors import BadInput

if TYPE_CHECKING:
    from fleetcast.app import OpenBooks
    from fleetcast.domain.audit import AuditEntry

_NAMED = 10
"""Rows that are named where many are amiss."""
audit_app = typer.Typer(no_args_is_help=True, help="The append-only log of every change.")

SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="MOMENT", help="From then on: 2025-12-01, 2025-12-01T06:00Z.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="MOMENT", help="Before then.")]


@audit_app.command("list")
def list_audit(
    fleet: FleetOption = Path(),
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, from the end.")] = 30,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="ENTRY", help="Those before this entry: the next page.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="What this person did.")] = None,
    action: Annotated[
        str | None, typer.Option("--action", help="Such as request.approved, or request for all of them.")
    ] = None,
    request: Annotated[int, typer.Option(min=0, help="What is about this request; 0 is all.")] = 0,
    since: SinceOption = None,
    until: UntilOption = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show the latest entries of the audit log, or those that are asked for.

    For example:

    fleetcast audit list --action request --since 2025-12-01

    fleetcast audit list --by anna.berg --last 100
    """
    from fleetcast.cli.approval_views import print_audit
    from fleetcast.views.audit import as_json
    from fleetcast.workflows.browse import Stretch, WantedEntries

    wanted = WantedEntries(
        by,
        action,
        request,
        None if since is None else moment(since),
        None if until is None else moment(until),
    )
    browsing, after = _open(fleet).browsing, before
    found: list[AuditEntry] = []
    while len(found) < last:
        page = browsing.audit(wanted, Stretch(last - len(found), after, newest_first=True))
        found += page.items
        after = page.next
        if after is None:
            break
    entries = found[::-1]
    if view is View.JSON:
        show_json(as_json(entries))
        return
    shown = console(wide=wide)
    print_audit(entries, shown)
    if after is not None and entries:
        say_next(shown, "\nOlder ones: the same with", f"--before {entries[0].number}")


@audit_app.command("verify")
def verify_audit(fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Check that the audit log is as it was written, and that no row that gates believe says otherwise.

    Each entry is chained to the one before it, and the end of each transaction is sealed with a key that does not
    lie in the database. Requests, policies, people, roles, champions and shared models are held against the log.
    Ends with 1 where something is amiss.

    For example:

    fleetcast audit verify
    """
    from fleetcast.domain.checkpoint import Held
    from fleetcast.domain.chronicle import BrokenLog
    from fleetcast.views.audit import amiss, verified_as_json

    verified = _open(fleet).verifying()
    if view is View.JSON:
        show_json(verified_as_json(verified))
    elif not isinstance(verified.log, BrokenLog):
        head = f", head {verified.log.head}" if verified.log.entries else ""
        say(f"{verified.log.entries} entries, unbroken{head}")
        if verified.checkpoint is None:
            say("no checkpoint of it is kept")
        elif isinstance(verified.checkpoint, Held):
            held = verified.checkpoint
            whose = "" if held.independent else "; not independent: who owns the database keeps it too"
            whose = whose or (f"; independent {held.assumes}" if held.assumes else "")
            say(f"the checkpoint of {held.at:%Y-%m-%d %H:%M:%S} UTC holds, at entry {held.entry}{whose}")
            for one in held.odd:
                say(f"{one} is no checkpoint that counts: torn, or signed by nobody who is trusted")
    if isinstance(verified.log, BrokenLog):
        raise BadInput(
            str(verified.log),
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        )
    if found := amiss(verified):
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise BadInput(
            "the database is not what the audit log says: " + "; ".join(found[:_NAMED]) + more,
            fix="it was changed outside fleetcast, and no gate believes that: compare with a backup of the control "
            "database; where a log was begun anew on purpose, `fleetcast database accept-loss`",
        )


@audit_app.command("export")
def export_audit(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write; one line an entry.")
    ],
    fleet: FleetOption = Path(),
) -> None:
    """Write the whole log to a file, as JSON with one entry a line, oldest first.

    Each line names the digest of the one before: two exports that agree up to an entry agree on all before it.

    For example:

    fleetcast audit export --out audit.jsonl
    """
    from fleetcast.cli.whole_file import write_whole
    from fleetcast.views.audit import entry_as_json

    entries = _open(fleet).audit.entries()
    lines = [json.dumps(entry_as_json(entry), ensure_ascii=False) for entry in entries]
    write_whole(out, "".join(f"{line}\n" for line in lines).encode())
    say(f"{len(lines)} entries in {out}")


@audit_app.command("report")
def report_audit(
    fleet: FleetOption = Path(),
    since: SinceOption = None,
    until: UntilOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Say of each request who could approve it, who decided and how they were known, and what went past the gate.

    For example:

    fleetcast audit report --since 2025-10-01 --until 2026-01-01
    """
    from fleetcast.views.audit import report_as_json, reported_in_words

    reported = _open(fleet).reporting(
        None if since is None else moment(since), None if until is None else moment(until)
    )
    if view is View.JSON:
        show_json(report_as_json(reported))
        return
    number = count()
    for one in reported:
        if next(number):
            say()
        for line in reported_in_words(one):
            say(line)
    if not next(number):
        say("no request was opened then")


def _open(fleet: Path) -> OpenBooks:
    from fleetcast.app import open_books

    return open_books(fleet)
