"""What people type who know other tools, and which command or option does here what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fleetcast.cli.commands import COMMANDS

NO_COMMANDS: Mapping[str, str] = {
    "apply": "`fleetcast train` trains what `fleetcast plan` shows; `fleetcast deploy test` brings it to clients",
    "run": "`fleetcast train` runs all stages, `fleetcast runs list` shows past runs, `fleetcast up` runs the servers",
    "promote": "`fleetcast train` asks for promotion, and `fleetcast approve` decides on it",
    "sync": "`fleetcast train` makes the fleet as it is declared",
    "diff": "`fleetcast plan` shows what differs; `fleetcast releases diff` what a release changes",
    "list": "say what: `fleetcast circuits list`, `models list`, `runs list`, `approvals list`, `releases list`",
    "ls": "say what: `fleetcast circuits list`, `models list`, `runs list`, `approvals list`, `releases list`",
    "get": "say what: `fleetcast circuits list`, `models list`, `runs list`, `approvals list`, `releases list`",
    "show": "say what: `fleetcast circuits show`, `models show`, `runs show`, `approvals show`, `releases show`",
    "describe": "say what: `fleetcast circuits show`, `models show`, `runs show`, `approvals show`",
    "logs": "`fleetcast runs logs JOB` shows what a training job said, `fleetcast runs show RUN` how its stages went",
    "log": "`fleetcast audit list` shows who did what, `fleetcast runs logs JOB` what a training job said",
    "history": "`fleetcast runs list` shows past runs, `fleetcast releases list ENV/PLANT` past releases",
    "delete": "`fleetcast circuits retire` takes circuits out of the fleet, `fleetcast clean` removes old files",
    "remove": "`fleetcast circuits retire` takes circuits out of the fleet, `fleetcast clean` removes old files",
    "rm": "`fleetcast circuits retire` takes circuits out of the fleet, `fleetcast clean` removes old files",
    "destroy": "nothing destroys a fleet; `fleetcast circuits retire` takes circuits out of it, and a commit brings "
    "them back",
    "start": "`fleetcast up` starts all servers, `fleetcast serve prod` one, `fleetcast train` a run",
    "stop": "Ctrl-C ends `fleetcast up` and `serve` in good order; `fleetcast rollback prod` undoes a release",
    "cancel": "Ctrl-C ends a run, and the same command goes on with it; `fleetcast rollback prod` undoes a release",
    "restart": "`fleetcast train` goes on with a run that was interrupted; `fleetcast up` starts the servers",
    "resume": "`fleetcast train` goes on with a run that was interrupted",
    "retry": "`fleetcast train --retry-failed` tries failed circuits again",
    "predict": "`fleetcast forecast PLANT/CIRCUIT` forecasts one circuit, `fleetcast score prod` the fleet",
    "infer": "`fleetcast forecast PLANT/CIRCUIT` forecasts one circuit, `fleetcast score prod` the fleet",
    "retrain": "`fleetcast bump --retrain --circuits 'PLANT001/*'` has circuits trained again by the next `train`",
    "evaluate": "`fleetcast models show PLANT/CIRCUIT` shows how good each version is, "
    "`fleetcast qa check` what test serves",
    "metrics": "`fleetcast models list` shows how good each model is",
    "register": "`fleetcast train` registers what it trains; `fleetcast adopt` registers models made elsewhere",
    "import": "`fleetcast ingest` stores files of readings, `fleetcast adopt` takes over circuits and models",
    "upload": "`fleetcast ingest` stores files of readings",
    "load": "`fleetcast ingest` stores files of readings",
    "export": "`fleetcast score prod --export csv` writes forecasts, `fleetcast audit export` the audit log",
    "check": "`fleetcast validate` checks the repository, `fleetcast doctor` what is around it, "
    "`fleetcast qa check` what test serves",
    "lint": "`fleetcast validate` checks the repository, `fleetcast fmt --check` its form",
    "test": "`fleetcast validate` checks the repository, `fleetcast dummy train` tries the pipelines without a cloud",
    "format": "`fleetcast fmt` gives the YAML files one form",
    "create": "`fleetcast init` makes a fleet repository, `fleetcast circuits add` declares circuits",
    "new": "`fleetcast init` makes a fleet repository, `fleetcast circuits add` declares circuits",
    "add": "`fleetcast circuits add` declares circuits, `fleetcast people add` puts people on record",
    "release": "`fleetcast deploy test` releases what is promoted, `fleetcast releases list` shows releases",
    "undo": "`fleetcast rollback prod PLANT/CIRCUIT` has clients answered by what served before",
    "revert": "`fleetcast rollback prod PLANT/CIRCUIT` has clients answered by what served before",
    "drift": "`fleetcast monitor prod` measures drift, `fleetcast alarms list` shows what it found",
    "alerts": "`fleetcast alarms list` shows what is wrong",
    "users": "`fleetcast people list` shows who is on record",
    "config": "`fleetcast circuits show PLANT/CIRCUIT` shows what holds for a circuit and where it is written",
    "dashboard": "`fleetcast web` serves the pages",
    "ui": "`fleetcast web` serves the pages",
    "server": "`fleetcast serve prod` serves forecasts, `fleetcast web` pages, `fleetcast up` both",
    "migrate": "`fleetcast database upgrade` brings the database to this program's schema",
    "upgrade": "`fleetcast database upgrade` brings the database to this program's schema, "
    "`fleetcast update-template` the pipelines to its form",
    "backup": "`fleetcast database backup FILE` copies the control database to one file",
    "restore": "`fleetcast database restore FILE` brings a backup back",
    "version": "`fleetcast --version` says it",
    "completion": "`fleetcast --install-completion` installs completion for your shell",
    "circuits delete": "`fleetcast circuits retire 'PLANT001/CIRCUIT07'` takes circuits out of the fleet",
    "circuits remove": "`fleetcast circuits retire 'PLANT001/CIRCUIT07'` takes circuits out of the fleet",
    "circuits edit": "edit config/circuits.yaml; `fleetcast bump` changes many circuits at once",
    "data list": "`fleetcast data show` lists the circuits that have readings, `fleetcast data versions` the versions",
    "data add": "`fleetcast ingest` stores files of readings",
    "data import": "`fleetcast ingest` stores files of readings",
    "data ingest": "`fleetcast ingest` stores files of readings",
    "data delete": "`fleetcast data vacuum` removes files that nobody needs; what was ingested stays in its version",
    "data check": "`fleetcast data quality` measures the readings",
    "data validate": "`fleetcast validate --data` checks what circuits train on",
    "runs start": "`fleetcast train` starts a run, or goes on with one",
    "runs cancel": "Ctrl-C ends a run, and `fleetcast train` goes on with it",
    "runs log": "`fleetcast runs logs JOB` shows what a training job said",
    "models promote": "`fleetcast train` asks for promotion, and `fleetcast approve` decides on it",
    "models delete": "a version is never deleted; `fleetcast clean` removes files of old ones that nothing needs",
    "models rollback": "`fleetcast rollback prod PLANT/CIRCUIT` has clients answered by what served before",
    "models deploy": "`fleetcast deploy test` releases what is promoted",
    "approvals approve": "`fleetcast approve REQUEST` decides",
    "approvals reject": "`fleetcast reject REQUEST` decides",
    "releases create": "`fleetcast deploy test` releases what is promoted",
    "releases deploy": "`fleetcast deploy test` releases what is promoted",
    "releases rollback": "`fleetcast rollback prod PLANT/CIRCUIT` has clients answered by what served before",
    "alarms close": "an alarm ends when its cause is gone; `fleetcast alarms ack` says that you have it in hand",
    "alarms resolve": "an alarm ends when its cause is gone; `fleetcast alarms ack` says that you have it in hand",
    "alarms mute": "`fleetcast alarms snooze` has nobody told of it for a while",
    "people remove": "`fleetcast people disable NAME` lets somebody act no more; who they were stays on record",
    "people delete": "`fleetcast people disable NAME` lets somebody act no more; who they were stays on record",
    "people show": "`fleetcast people list` shows who is on record, with groups and roles",
    "token delete": "`fleetcast token revoke NUMBER` ends a token",
    "database migrate": "`fleetcast database upgrade` brings the database to this program's schema",
    "database init": "the first command fills an empty database; `fleetcast database show` says where it is",
    "endpoints list": "`fleetcast releases list` shows what each plant is served by",
    "notifications send": "`fleetcast notifications deliver` sends what is due, `fleetcast notifications test` a test",
    "schedules start": "`fleetcast schedules run` starts what is due",
}
"""By the words after `fleetcast`, which are no command: which commands do what is meant."""

NO_OPTIONS: Mapping[str, Sequence[str]] = {
    "--json": ("--format json",),
    "--yaml": ("--format json",),
    "--output": ("--format json", "--out FILE"),
    "-o": ("--format json",),
    "--dir": ("--fleet FOLDER",),
    "--directory": ("--fleet FOLDER",),
    "--path": ("--fleet FOLDER",),
    "--config": ("--fleet FOLDER",),
    "-C": ("--fleet FOLDER",),
    "--message": ("--comment TEXT", "--reason TEXT"),
    "--reason": ("--comment TEXT",),
    "--comment": ("--reason TEXT",),
    "--limit": ("--last NUMBER",),
    "-n": ("--last NUMBER", "--limit NUMBER"),
    "--plant": ("--plants PATTERN", "--circuits 'PLANT/*'"),
    "--filter": ("--circuits PATTERN", "--plants PATTERN"),
    "--follow": ("--watch",),
    "-f": ("--watch", "--format json"),
    "--environment": ("--env ENV",),
    "--check": ("--dry-run",),
    "--date": ("--at MOMENT",),
    "--version": ("--model-version NUMBER", "--to NUMBER", "--delta-version NUMBER"),
}
"""By options of other tools: what is written here instead, if the command has it; the first that it has."""

OF_ONE_COMMAND: Mapping[str, Mapping[str, str]] = {
    "simulate": {"--days": "write `--length {value}d`", "--hours": "write `--length {value}h`"},
    "train": {
        "--dry-run": "`fleetcast plan` shows what would train",
        "--check": "`fleetcast plan` shows what would train",
        "--force": "`fleetcast bump --retrain` has circuits trained again though nothing changed",
        "--all": "without --circuits, all that the plan shows are trained",
        "--yes": "people approve, by `fleetcast approve`; training itself asks nobody",
        "--auto-approve": "people approve, by `fleetcast approve`; training itself asks nobody",
    },
    "plan": {
        "--circuits": "the plan shows all; `fleetcast train --circuits PLANT/CIRCUIT` trains some of it",
        "--dry-run": "a plan never changes anything",
    },
    "deploy": {
        "--dry-run": "`fleetcast releases diff` shows what a release changes, `fleetcast deploy status` what runs",
        "--environment": "write the environment alone: `fleetcast deploy test`",
        "--env": "write the environment alone: `fleetcast deploy test`",
        "--to": "write the environment alone: `fleetcast deploy test`",
    },
    "rollback": {
        "--env": "write the environment alone: `fleetcast rollback prod PLANT/CIRCUIT`",
        "--plant": "write the plant alone: `fleetcast rollback prod PLANT`",
        "--circuit": "write the circuit alone: `fleetcast rollback prod PLANT/CIRCUIT`",
    },
    "forecast": {
        "--days": "how far is declared, as `forecast_horizon` of the circuit; --at says from when on",
        "--horizon": "how far is declared, as `forecast_horizon` of the circuit; --at says from when on",
    },
    "": {
        "--dry-run": "`fleetcast plan` shows what would train",
        "-V": "write --version",
        "-?": "write --help",
        "--fleet": "write it after the command: `fleetcast plan --fleet FOLDER`",
        "--format": "write it after the command: `fleetcast plan --format json`",
    },
}
"""By the words of a command: what only people of that command mean by an option; `{value}` is what they gave."""

NO_VALUES: Mapping[str, str] = {
    "rollback": "the environment comes first: `fleetcast rollback prod {value}`",
    "deploy": "the environment comes first: `fleetcast deploy prod --plants {value}`",
    "monitor": "the environment comes first: `fleetcast monitor prod --circuits {value}`",
    "score": "the environment comes first: `fleetcast score prod --circuits {value}`",
    "serve": "a server serves all plants of an environment: `fleetcast serve prod`",
    "alarms list": "an environment's are listed: `fleetcast alarms list prod`",
    "deploy dev": "nothing is served in dev: `fleetcast forecast PLANT/CIRCUIT` tries a model there",
    "serve dev": "nothing is served in dev: `fleetcast forecast PLANT/CIRCUIT` tries a model there",
}
"""By the words of a command that asks for one of a few: what is written where something else was."""


def instead_of_command(group: str, word: str, more: Sequence[str], known: Iterable[str]) -> str:
    """Which command does what is meant by a word that is none; empty where nobody knows.

    Args:
        group: Words of the group that has no such command, without the program's name.
        word: What was typed.
        more: What was typed after it.
        known: The commands that the group has.
    """
    if told := NO_COMMANDS.get(f"{group} {word}".strip()):
        return told
    found = set(known)
    next_words = [one for one in more[:1] if not one.startswith("-")]
    for other in (f"{word}s", word.removesuffix("s"), word.replace("_", "-"), word.lower()):
        if other != word and other in found:
            return f"write `{' '.join(['fleetcast', *group.split(), other, *next_words])}`"
    if not group and more and f"{word} {more[0]}" in NO_COMMANDS:
        return NO_COMMANDS[f"{word} {more[0]}"]
    if group and word in COMMANDS:
        return f"`fleetcast {word}` is a command of its own"
    return ""


def instead_of_option(command: str, option: str, value: str, known: Iterable[str]) -> str:
    """What is written instead of an option that a command does not have; empty where nobody knows.

    Args:
        command: Its words, without the program's name.
        option: What was typed.
        value: What was typed after it; empty if nothing was.
        known: The options that the command has.
    """
    if told := OF_ONE_COMMAND.get(command, {}).get(option):
        return told.format(value=value or "N")
    found = set(known)
    for other in NO_OPTIONS.get(option, ()):
        if other.split()[0] in found:
            return f"write `{other}`"
    return ""


def instead_of_value(command: str, value: str) -> str:
    """What is written instead of a value that is none of the few which a command takes; empty where nobody knows."""
    return NO_VALUES.get(f"{command} {value}") or NO_VALUES.get(command, "").format(value=value)
