"""`fleetcast approvals`, `approve` and `reject`: people decide, with the evidence before them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import CommentOption, FleetOption, View, ViewOption, WideOption
from fleetcast.cli.output import console, say, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetcast.app import Asking
    from fleetcast.domain.approval import Request
    from fleetcast.workflows.decide import Decided

RequestsArgument = Annotated[
    list[int] | None, typer.Argument(metavar="REQUEST...", help="Numbers, as `approvals list` shows them.")
]

NOTHING_COMPARED = "as there was nothing to compare with"
approvals_app = typer.Typer(no_args_is_help=True, help="See what waits for a decision, and the evidence.")


@approvals_app.command("list")
def list_requests(
    fleet: FleetOption = Path(),
    every: Annotated[bool, typer.Option("--all", help="Show decided requests as well.")] = False,  # noqa: FBT002
    last: Annotated[int, typer.Option(min=1, help="With --all: how many, from the end.")] = 200,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Show the requests that wait for a decision, each with its checks.

    For example:

    fleetcast approvals list

    fleetcast approvals list --all --last 20
    """
    from fleetcast.cli.approval_views import print_requests
    from fleetcast.views.approvals import as_json

    asked = _asked(fleet)
    requests = asked.latest(last) if every else asked.pending()
    if view is View.JSON:
        show_json(as_json(requests))
    else:
        print_requests(requests, console(wide=wide), every=every)


@approvals_app.command("show")
def show_request(
    request: Annotated[int, typer.Argument(help="Its number, as `approvals list` shows it.")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Show one request: its subject, all the evidence, and the decisions so far.

    For example:

    fleetcast approvals show 12
    """
    from fleetcast.cli.approval_views import print_request
    from fleetcast.views.approvals import request_as_json

    found = _asked(fleet).request(request)
    if view is View.JSON:
        show_json(request_as_json(found))
    else:
        print_request(found, console())


def approve(
    requests: RequestsArgument = None,
    passing: Annotated[  # noqa: FBT002
        bool, typer.Option("--passing", help="All that wait and in whose evidence no check failed.")
    ] = False,
    displayed: Annotated[
        str | None,
        typer.Option(
            "--set", metavar="DIGEST", help="With --passing: only if this is the set you were shown."
        ),
    ] = None,
    comment: CommentOption = "",
    fleet: FleetOption = Path(),
) -> None:
    """Approve requests. The next `fleetcast train` acts on it.

    For example:

    fleetcast approve 12 --comment 'looks right after the pump swap'

    fleetcast approve --passing
    """
    from fleetcast.domain.approval import Choice

    if passing == bool(requests):
        raise typer.BadParameter("name requests by number, or give --passing")
    asked = _asked(fleet)
    if passing:
        _approve_passing(asked, comment, displayed)
        return
    decided = asked.decide(requests or (), Choice.APPROVE, comment)
    _say(decided)
    _next(asked, decided)


def reject(
    requests: Annotated[list[int], typer.Argument(metavar="REQUEST...", help="Numbers of the requests.")],
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why; the next person will ask.")],
    fleet: FleetOption = Path(),
) -> None:
    """Reject requests. A rejected model is not asked for again until something about it changes.

    For example:

    fleetcast reject 12 --comment 'the sensor was replaced in this window'
    """
    from fleetcast.domain.approval import Choice

    asked = _asked(fleet)
    decided = asked.decide(requests, Choice.REJECT, comment)
    _say(decided)
    _next(asked, decided)


@approvals_app.command("hand-on")
def hand_on(
    request: Annotated[int, typer.Argument(help="Number of the request.")],
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Who decides in your place.")],
    comment: CommentOption = "",
    fleet: FleetOption = Path(),
) -> None:
    """Give your vote on a request to somebody else, who must be fit to decide it.

    For example:

    fleetcast approvals hand-on 12 --to anna.berg --comment 'it is her plant'
    """
    _say([_asked(fleet).hand_on(request, to, comment)])


@approvals_app.command("break-glass")
def break_glass(
    request: Annotated[int, typer.Argument(help="Number of the request.")],
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why it cannot wait; auditors will ask.")],
    fleet: FleetOption = Path(),
) -> None:
    """Let a request through without approvals, in an emergency. Needs a right of its own, and is shown as such.

    For example:

    fleetcast approvals break-glass 12 --reason 'production stands still'
    """
    from fleetcast.domain.approval import Choice

    asked = _asked(fleet)
    decided = asked.decide([request], Choice.BREAK_GLASS, reason)
    _say(decided)
    _next(asked, decided)


def _asked(fleet: Path) -> Asking:
    from fleetcast.app import open_asking

    return open_asking(fleet)


def _approve_passing(asked: Asking, comment: str, displayed: str | None) -> None:
    from fleetcast.domain.evidence import Outcome

    decided = asked.approve_passing(comment, displayed)
    _say(decided)
    left = asked.pending()
    if not decided and not left:
        say("nothing waits for approval")
    for outcome, why in (
        (Outcome.FAILING, "as checks failed"),
        (Outcome.NOT_MEASURED, "as a bound is set on what could not be measured"),
        (Outcome.NOT_COMPARABLE, NOTHING_COMPARED),
    ):
        those = [str(request.id) for request in left if request.evidence.outcome is outcome]
        if those:
            say(f"{len(those)} left for you to decide one by one, {why}: {', '.join(those)}")
    _next(asked, decided, left)


def _say(decided: Sequence[Decided]) -> None:
    from fleetcast.views.decisions import decided_in_words

    for line in decided_in_words(decided):
        say(line)


def _next(asked: Asking, decided: Sequence[Decided], left: Sequence[Request] | None = None) -> None:
    """Say what really comes next; `left` is what waits now, where that was read already."""
    from fleetcast.views.decisions import next_in_words

    if any(one.awaited is None for one in decided):
        still = asked.pending() if left is None else left
        for line in next_in_words(decided, still, asked.trains_at()):
            say(line)
