"""Write REFERENCE.md from the code: symptoms, commands, JSON, stages, model families, errors. Run it as `make docs`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from troubles import TROUBLES

import fleetcast
import fleetcast.views
from fleetcast.cli.commands import HEADINGS
from fleetcast.cli.main import app
from fleetcast.cli.shown_help import EXAMPLES, examples_in, record_of
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.family import FAMILIES, OneOf
from fleetcast.domain.place import Gate
from fleetcast.domain.run import Ending
from fleetcast.domain.training_hash import HASH_SCHEMA
from fleetcast.pipeline.stages import STAGES

PAGE = Path(__file__).parent / "REFERENCE.md"


def reference() -> str:
    """The whole page."""
    parts = [
        "# Reference",
        "Written from the code by `make docs`; a test compares the two.",
        _exit_codes(),
        _troubles(),
        _stages(),
        _families(),
        _settings(),
        _errors(),
        _json(),
        _commands(),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def _exit_codes() -> str:
    rows = {0: "done, or nothing to do", 2: "changes (only `plan --detailed-exitcode`)", 64: "wrong usage"}
    rows |= {ending.exit_code: ending.value for ending in Ending if ending.exit_code}
    rows[1] = "failed, or bad input"
    lines = ["## Exit codes", "", "| code | means |", "|---|---|"]
    return "\n".join(lines + [f"| {code} | {rows[code]} |" for code in sorted(rows)])


def _troubles() -> str:
    lines = [
        "## Troubleshooting",
        "",
        "| what is seen | what is said | why | what to type |",
        "|---|---|---|---|",
    ]
    for one in TROUBLES:
        said = "<br>".join(_code(f"… {text.strip()} …") for text in one.quotes)
        typed = "<br>".join(_code(command) for command in one.type)
        lines.append(f"| {one.seen} | {said} | {one.why} | {typed} |")
    return "\n".join(lines)


def _code(text: str) -> str:
    """A text as code in a cell of a table, whatever it holds."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def _stages() -> str:
    lines = ["## Stages", "", "| # | stage | does | artifact |", "|---|---|---|---|"]
    return "\n".join(
        lines
        + [
            f"| {number} | `{entry.name}` | {entry.purpose} | `{entry.artifact}` |"
            for number, entry in enumerate(STAGES, start=1)
        ]
    )


def _families() -> str:
    lines = [f"## Model families\n\nTraining hash schema {HASH_SCHEMA}.", ""]
    for family, parameters in FAMILIES.items():
        lines += [f"### `{family}`", "", "| hyperparameter | values | default | says |", "|---|---|---|---|"]
        for parameter in parameters:
            if isinstance(parameter, OneOf):
                values = ", ".join(f"`{value}`" for value in parameter.values)
            else:
                values = f"{parameter.minimum:g} to {parameter.maximum:g}, or `auto`"
            lines.append(f"| `{parameter.name}` | {values} | `{parameter.default}` | {parameter.says} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def _settings() -> str:
    lines = ["## Files of a fleet repository", ""]
    for name, place in (
        ("fleetcast.yaml", "fleetcast.yaml"),
        ("circuits.yaml", "config/circuits.yaml"),
        ("environment.yaml", "config/environment.yaml"),
        ("component.yaml", "components/training-pipeline-component.yaml"),
    ):
        folder = Path(fleetcast.__file__).parent / "config" / "new_fleet"
        text = (folder / name).read_text(encoding="utf-8").rstrip()
        for gap, value in _EXAMPLE.items():
            text = text.replace(f"@@{gap}", value)
        lines += [f"### `{place}`", "", "```yaml", text, "```", ""]
    layout = Path(fleetcast.__file__).parent / "config" / "layouts" / "predecessor.yaml"
    lines += ["### The predecessor's layout, as a mapping for `fleetcast adopt`", ""]
    lines += ["```yaml", layout.read_text(encoding="utf-8").rstrip(), "```", ""]
    gates = ", ".join(f"`{gate.value}`" for gate in Gate)
    lines.append(f"Gates: {gates}.")
    return "\n".join(lines)


_EXAMPLE = {
    "cutoff": "2025-11-30",
    "delta_version": "0",
    "frequency": "1h",
    "horizon": "7",
    "training_days": "365",
    "family": "linear",
    "features": "temperature, pressure",
    "plants": "  PLANT001:\n    circuits:\n      CIRCUIT01: {}",
}


def _errors() -> str:
    for module in pkgutil.walk_packages(fleetcast.__path__, "fleetcast."):
        if ".migrations." not in module.name:  # these run inside Alembic only
            importlib.import_module(module.name)
    found = sorted(_below(FleetcastError), key=lambda error: error.__name__)
    lines = ["## Errors", "", "| error | when |", "|---|---|"]
    for error in found:
        first = (inspect.getdoc(error) or "").splitlines()[0]
        lines.append(f"| `{error.__name__}` | {first} |")
    return "\n".join(lines)


def _below(error: type[FleetcastError]) -> set[type[FleetcastError]]:
    children = set(error.__subclasses__())
    return children.union(*(_below(child) for child in children)) if children else set()


def _json() -> str:
    said = inspect.getdoc(fleetcast.views) or ""
    return f"## JSON\n\nWhat `--format json` writes.\n\n{said[said.index('- ') :]}"


def _commands() -> str:
    root = typer.main.get_command(app)
    context = root.make_context("fleetcast", [], resilient_parsing=True)
    parts = [f"## Commands\n\n{_told(root, context)}"]
    for heading, commands in HEADINGS.items():
        parts.append(f"### {heading}")
        for name in commands:
            parts += _command(root.commands[name], name, context, "####")
    return "\n\n".join(parts)


def _command(command: Any, name: str, parent: Any, level: str) -> Iterator[str]:
    context = type(parent)(command, info_name=name, parent=parent)
    yield f"{level} `{context.command_path}`\n\n{_told(command, context)}"
    for below, one in getattr(command, "commands", {}).items():
        yield from _command(one, below, context, level + "#")


def _told(command: Any, context: Any) -> str:
    """What its help shows, as Markdown."""
    told, _, _ = inspect.cleandoc(command.help or "").partition(EXAMPLES)
    shown = "\n".join(f"$ {line}" for line in examples_in(command.help or ""))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [told.strip(), f"**Usage**:\n\n```console\n$ {usage}\n```"]
    if shown:
        parts.append(f"**For example**:\n\n```console\n{shown}\n```")
    for title, kind in (("Arguments", "argument"), ("Options", "option")):
        records = [
            record_of(param, context)
            for param in command.get_params(context)
            if param.param_type_name == kind
        ]
        if records:
            rows = [f"* `{typed}`: {says}".removesuffix(": ") for typed, says in filter(None, records)]
            parts.append(f"**{title}**:\n\n" + "\n".join(rows))
    if command.epilog:
        parts.append(command.epilog)
    return "\n\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
