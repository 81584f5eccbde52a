"""`fleetcast notifications`: what people were told, what waits, and having it sent."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fleetcast.cli.options import FleetOption, LockOption, View, ViewOption, duration_of
from fleetcast.cli.output import console, say, show_json

notifications_app = typer.Typer(
    no_args_is_help=True, help="Tell people what happened: deliver notices, look at them, take care of pages."
)


@notifications_app.command("list")
def list_notices(
    limit: Annotated[int, typer.Option(min=1, help="At most so many that wait no more, newest first.")] = 20,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """List the pages that somebody has to acknowledge, what waits to be sent and why, and what was sent last.

    For example:

    fleetcast notifications list

    fleetcast notifications list --limit 100 --format json
    """
    from fleetcast.app import open_books
    from fleetcast.views.notifications import listed_as_json, listed_in_words

    listed = open_books(fleet).notices.listed(limit)
    if view is View.JSON:
        show_json(listed_as_json(listed))
        return
    for line in listed_in_words(listed):
        console().print(line, soft_wrap=True)


@notifications_app.command()
def retry(
    letters: Annotated[
        list[int] | None, typer.Argument(metavar="[LETTER...]", help="Numbers, as `list` shows them.")
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", help="All that it refused or that expired, and the channel itself."),
    ] = None,
    fleet: FleetOption = Path(),
) -> None:
    """Have sent again what a channel refused or what expired; with `--channel`, the channel itself is tried at once.

    For example:

    fleetcast notifications retry 17 18

    fleetcast notifications retry --channel operators
    """
    from fleetcast.app import open_books
    from fleetcast.domain.wording import counted

    again = open_books(fleet).notices.retry(letters or [], channel)
    say(f"{counted(again, 'letter')} given up before now {'waits' if again == 1 else 'wait'} to be sent")


@notifications_app.command()
def ack(
    page: Annotated[int, typer.Argument(min=1, help="Its number, as the message says, and `list`.")],
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Say that you take care of a page: it goes to nobody else any more.

    For example:

    fleetcast notifications ack 3
    """
    from fleetcast.app import open_books
    from fleetcast.views.notifications import page_as_json

    taken = open_books(fleet).notices.acknowledge(page)
    if view is View.JSON:
        show_json(page_as_json(taken))
        return
    say(f"{taken.ended_by} takes care of page {taken.number}: {taken.notice.title}")


@notifications_app.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="Its name in fleetcast.yaml.")],
    fleet: FleetOption = Path(),
) -> None:
    """Send a message to a channel that says it is a test, and show what came of it.

    For example:

    fleetcast notifications test operators
    """
    from fleetcast.app import open_telling
    from fleetcast.domain.errors import Unavailable
    from fleetcast.ports.channels import Sent
    from fleetcast.views.notices import Written

    outcome = open_telling(fleet, Written()).trying(channel)
    if not isinstance(outcome, Sent):
        raise Unavailable(
            f"the channel {channel} did not take the message: {outcome.why}",
            fix="see its settings below `notifications.channels`, and the variables that they name",
        )
    say(f"{channel} took the message")


@notifications_app.command()
def deliver(
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Go on for ever, with such a pause: 5s.")
    ] = None,
    fleet: FleetOption = Path(),
    lock_timeout: LockOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Send people what is new and due, each channel in order; what a channel does not take waits, and is tried again.

    Nothing else waits for this: training, approvals and deployments write down what happened, and go on. One process of
    a fleet delivers at a time; `fleetcast up` keeps one running.

    For example:

    fleetcast notifications deliver

    fleetcast notifications deliver --every 5s
    """
    from fleetcast.app import open_telling
    from fleetcast.views.notices import Written
    from fleetcast.views.notifications import delivered_as_json, delivered_in_words

    timeout = timedelta(0) if lock_timeout is None else duration_of(lock_timeout)
    telling = open_telling(fleet, Written())

    def once() -> bool:
        """Whether there was something to say."""
        done = telling.delivering(lock_timeout=timeout)
        if view is View.JSON:
            show_json(delivered_as_json(done))
            return True
        lines = list(delivered_in_words(done))
        for line in lines:
            say(line)
        return bool(lines)

    if every is None:
        if not once():
            say("nothing to send")
    else:
        _again_and_again(once, duration_of(every))


def _again_and_again(once: Callable[[], object], pause: timedelta) -> NoReturn:
    """Deliver until this process is ended; what goes wrong is said once, and tried again."""
    from fleetcast.domain.errors import FleetcastError
    from fleetcast.ports.clock import SystemClock

    clock, said = SystemClock(), ""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            once()
            said = ""
        except FleetcastError as error:
            if str(error) != said:
                said = str(error)
                say(f"nothing is delivered, and it is tried again: {said}", err=True)
        clock.sleep(pause)
