"""Draw the README's picture of a plan, from a real one. Run it as `python docs/build_pictures.py`.

The forecasts next to it are made by the commands shown there.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from fleetcast.app import open_fleet
from fleetcast.cli.main import run
from fleetcast.cli.plan_views import print_plan
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.simulation import SENSORS

PICTURES = Path(__file__).parent / "pictures"


def main() -> None:
    """Train a small fleet, change it in five ways, and draw the plan that follows."""
    keys = [
        CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}") for plant in (1, 2) for circuit in (1, 2, 3)
    ]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        fleet = Path(folder)
        init_fleet(fleet, NewFleet(circuits=keys, features=SENSORS, cutoff="2025-11-30"))
        for command in (
            ["simulate", "--plants", "2", "--circuits", "3"],
            ["train"],
            ["approve", "--passing"],
            ["train"],
        ):
            run([*command, "--fleet", folder])
        circuits = fleet / "config" / "circuits.yaml"
        first, second = circuits.read_text().split("  PLANT002:", 1)
        first = first.replace("CIRCUIT01: {}", "CIRCUIT01: {cutoff_date: 2025-12-31}")
        first = first.replace(
            "CIRCUIT02: {}", "CIRCUIT02: {hyperparameters: {lookback: 168}, training_days: 180}"
        )
        second = second.replace("      CIRCUIT03: {}\n", "")
        second = second.replace("CIRCUIT02: {}", "CIRCUIT02: {owner: cooling-team}\n      CIRCUIT04: {}")
        circuits.write_text(f"{first}  PLANT002:{second}")
        environment = fleet / "config" / "environment.yaml"
        environment.write_text(environment.read_text().replace("version: 1.0.0", "version: 1.1.0"))
        opened = open_fleet(fleet)
        console = Console(record=True, width=104, file=io.StringIO(), highlight=False, force_terminal=True)
        print_plan(opened.planning(opened.fleet), console, every=True)
    PICTURES.mkdir(exist_ok=True)
    drawn = console.export_svg(title="fleetcast plan --all", unique_id="plan")
    (PICTURES / "plan.svg").write_text(_self_contained(drawn), encoding="utf-8")


def _self_contained(svg: str) -> str:
    """Without the fonts that Rich would load from elsewhere: the reader's own monospaced one will do."""
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    main()
