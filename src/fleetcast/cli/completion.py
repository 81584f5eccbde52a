"""What a shell offers while somebody types: the names that the fleet in the current folder, or above it, has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleetcast.app.known_names import KnownNames

Names = Callable[["KnownNames"], Iterable[str]]

STAGE_NAMES = (
    "RegisterEnvironment",
    "PromoteEnvironment",
    "RegisterComponents",
    "RegisterData",
    "SubmitTraining",
    "MonitorTraining",
    "RegisterModels",
    "PromoteModels",
)
"""In running order; the stages themselves take longer to load than somebody who presses Tab waits."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing that may be typed, in the form that Typer's shells read."""

    value: str
    help: str | None = None
    type: str = "plain"


def _circuits(known: KnownNames) -> Iterable[str]:
    return known.written.circuits


def _patterns(known: KnownNames) -> Iterable[str]:
    return (*(f"{plant}/*" for plant in known.written.plants), *known.written.circuits)


def _plants(known: KnownNames) -> Iterable[str]:
    return known.written.plants


def _places(known: KnownNames) -> Iterable[str]:
    return (*known.written.plants, *known.written.circuits)


def _models(known: KnownNames) -> Iterable[str]:
    return (*known.written.circuits, *known.kept("MODELS"))


def _endpoints(known: KnownNames) -> Iterable[str]:
    return [f"{environment}/{plant}" for environment in ("test", "prod") for plant in known.written.plants]


def _releases(known: KnownNames) -> Iterable[str]:
    return known.kept("RELEASES") or _endpoints(known)


def _served(known: KnownNames) -> Iterable[str]:
    return [
        f"{environment}/{circuit}" for environment in ("test", "prod") for circuit in known.written.circuits
    ]


def _kept(what: str) -> Names:
    return lambda known: known.kept(what)


ARGUMENTS: Mapping[str, Names] = {
    "PLANT/CIRCUIT": _circuits,
    "PATTERN": _patterns,
    "PLANT": _plants,
    "PLANT[/CIRCUIT]": _places,
    "PLANT/CIRCUIT[:VERSION]": _models,
    "MODEL:VERSION": _kept("VERSIONS"),
    "ENV/PLANT": _endpoints,
    "ENV/PLANT[:NUMBER]": _releases,
    "ENV/PLANT/CIRCUIT": _served,
    "RUN": _kept("RUNS"),
    "JOB": _kept("JOBS"),
    "REQUEST": _kept("REQUESTS"),
    "ALARM": _kept("ALARMS"),
    "TOKEN": _kept("TOKENS"),
    "PAGE": _kept("PAGES"),
    "LETTER": _kept("LETTERS"),
    "CHANNEL": lambda known: known.written.channels,
    "MEMBER": _kept("PEOPLE"),
}
"""By what an argument is called in `--help`."""

OPTIONS: Mapping[str, Names] = {
    "--circuits": _patterns,
    "--plants": _plants,
    "--plant": _plants,
    "--owner": lambda known: known.written.owners,
    "--tag": lambda known: known.written.tags,
    "--sensor": lambda known: known.written.sensors,
    "--source": lambda known: known.written.sources,
    "--channel": lambda known: known.written.channels,
    "--run": _kept("RUNS"),
    "--request": _kept("REQUESTS"),
    "--by": _kept("PEOPLE"),
    "--group": _kept("GROUPS"),
    "--of": _kept("PEOPLE"),
}
"""By the names of options."""

OF_ONE_COMMAND: Mapping[tuple[str, str], Names] = {
    ("stage", "NAME"): lambda _: STAGE_NAMES,
    ("approvals hand-on", "--to"): _kept("PEOPLE"),
    **{(f"people {word}", "NAME"): _kept("PEOPLE") for word in ("identify", "invite", "disable", "enable")},
    **{
        (f"people {word}", "NAME"): lambda known: (*known.kept("PEOPLE"), *known.kept("GROUPS"))
        for word in ("grant", "revoke")
    },
    ("people group", "NAME"): _kept("GROUPS"),
}
"""By the words of a command and how it calls an argument or option."""


def offer_names(context: Any, called: Callable[[Any], str]) -> None:
    """Have the parameters of a command offer the names of the fleet.

    Args:
        context: Of the command, as far as it is typed.
        called: What a parameter is called in `--help`.
    """
    words = str(context.command_path).removeprefix("fleetcast ")
    for param in context.command.params:
        name = called(param)
        table = ARGUMENTS if param.param_type_name == "argument" else OPTIONS
        names = OF_ONE_COMMAND.get((words, name)) or table.get(name)
        if names is not None:
            param.shell_complete = partial(_offered, names)


def _offered(names: Names, context: Any, incomplete: str) -> list[Offered]:
    """What begins as somebody has typed; after a comma, each part by itself. Nothing where anything is wrong."""
    from fleetcast.app.known_names import known_names

    before, comma, typed = incomplete.rpartition(",")
    try:
        folder = context.params.get("fleet")
        known = known_names(folder if isinstance(folder, Path) else Path())
        found = [] if known is None else [name for name in names(known) if name.startswith(typed)]
    except Exception:  # noqa: BLE001  # a prompt is no place for complaints; the command will say it
        return []
    return [Offered(before + comma + name) for name in dict.fromkeys(found)]
