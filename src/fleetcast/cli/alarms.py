"""`fleetcast alarms`: what monitoring found that somebody should see to, and who has it in hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import FleetOption, View, ViewOption, WideOption, duration_of, moment
from fleetcast.cli.output import console, show_json
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from fleetcast.app import Asking
    from fleetcast.domain.alarm import Alarm

alarms_app = typer.Typer(no_args_is_help=True, help="See alarms, take them in hand, or snooze them.")
_NumberArgument = Annotated[
    int, typer.Argument(metavar="ALARM", help="Its number, as `alarms list` shows it.")
]
_EnvironmentArgument = Annotated[
    EnvironmentName | None, typer.Argument(metavar="[ENV]", help="dev, test or prod; all if left out.")
]


@alarms_app.command("list")
def list_alarms(
    environment: _EnvironmentArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are over as well, newest first.")] = False,  # noqa: FBT002
    last: Annotated[int, typer.Option(min=1, max=10_000, help="With --all: how many, from the end.")] = 200,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the alarms that are open, the most harmful first, with who owns the circuit and who has it in hand.

    For example:

    fleetcast alarms list

    fleetcast alarms list prod --all --last 20
    """
    from fleetcast.cli.alarms_views import print_alarms
    from fleetcast.views.alarms import alarms_as_json

    asked = _asked(fleet)
    alarms = asked.alarms(environment, last if every else None)
    if view is View.JSON:
        show_json(alarms_as_json(alarms))
    else:
        print_alarms(alarms, console(wide=wide))


@alarms_app.command("show")
def show_alarm(alarm: _NumberArgument, fleet: FleetOption = Path(), view: ViewOption = View.TEXT) -> None:
    """Show one alarm: since when, what shows it, who has it in hand, and what to do.

    For example:

    fleetcast alarms show 12
    """
    _show(_asked(fleet).alarm(alarm), view)


@alarms_app.command("ack")
def acknowledge_alarm(
    alarm: _NumberArgument,
    comment: Annotated[str, typer.Option("--comment", "-m", help="What you do about it; kept with it.")] = "",
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Say that you have an alarm in hand. It goes on until monitoring finds its cause gone.

    For example:

    fleetcast alarms ack 12 --comment 'pump was swapped, retraining'
    """
    _taken(_asked(fleet).acknowledge_alarm(alarm, comment), view)


@alarms_app.command("snooze")
def snooze_alarm(
    alarm: _NumberArgument,
    length: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="From now on: 4h, 2days.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help="A date, or an instant with its offset.")
    ] = None,
    fleet: FleetOption = Path(),
    view: ViewOption = View.TEXT,
) -> None:
    """Have nobody told of an alarm for a while. It is looked at all the same, and wakes if it is not over then.

    For example:

    fleetcast alarms snooze 12 --for 4h

    fleetcast alarms snooze 12 --until 2025-12-24
    """
    from fleetcast.domain.errors import BadInput
    from fleetcast.ports.clock import SystemClock

    if (length is None) == (until is None):
        raise BadInput("it is not said for how long", fix="give --for 4h, or --until and a moment")
    if until is not None:
        end = moment(until)
    else:
        span: timedelta = duration_of(length or "")
        end = SystemClock().now() + span
    _taken(_asked(fleet).snooze_alarm(alarm, end), view)


def _asked(fleet: Path) -> Asking:
    from fleetcast.app import open_asking

    return open_asking(fleet)


def _show(alarm: Alarm, view: View) -> None:
    from fleetcast.views.alarms import alarm_in_words

    _print(alarm, alarm_in_words(alarm), view)


def _taken(alarm: Alarm, view: View) -> None:
    from fleetcast.views.alarms import taken_in_words

    _print(alarm, taken_in_words(alarm), view)


def _print(alarm: Alarm, lines: Iterable[str], view: View) -> None:
    from fleetcast.views.alarms import alarm_as_json

    if view is View.JSON:
        show_json(alarm_as_json(alarm))
        return
    for line in lines:
        console().print(line, soft_wrap=True)
