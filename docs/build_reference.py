"""Write REFERENCE.md from the code: symptoms, commands, JSON, stages, model families, errors. Run it as `make docs`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

from troubles import TROUBLES

import fleetcast
import fleetcast.views
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
    done = subprocess.run(
        [sys.executable, "-m", "typer", "fleetcast.cli.main", "utils", "docs", "--name", "fleetcast"],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [f"#{line}" if line.startswith("#") else line.rstrip() for line in done.stdout.splitlines()]
    return "\n".join(lines).replace("## `fleetcast`", "## Commands", 1)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
