"""Draw the documents' pictures, of a real plan, of tables and of notices: `make pictures`.

The forecasts next to them are made by the commands shown there. Notices are drawn in a browser, cards by Microsoft's
renderer of Adaptive Cards.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import tempfile
from pathlib import Path

from docs.build_table_pictures import draw_tables, self_contained
from rich.console import Console
from tests.views.notices import DIGEST, LARGEST, PAGE, REQUEST, WORDS
from tests.web.chromium import CHROMIUM, MISSING, Chromium, chromium

from fleetcast.app import open_fleet
from fleetcast.cli.main import run
from fleetcast.cli.plan_views import print_plan
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.simulation import SENSORS
from fleetcast.ports.channels import Message

PICTURES = Path(__file__).parent / "pictures"


RENDERER = Path(__file__).parents[1] / "tests" / "servers" / "adaptivecards"
NOTICES: dict[str, Message] = {"page": PAGE, "request": REQUEST, "digest": DIGEST}


def main() -> None:
    """Draw all of them."""
    PICTURES.mkdir(exist_ok=True)
    draw_notices()
    draw_plan()
    draw_tables(PICTURES)


def draw_notices() -> None:
    """Draw notices as they are seen in Teams and in a mail program, by day and by night."""
    if CHROMIUM is None:
        raise SystemExit(MISSING)
    if not (RENDERER / "node_modules" / "adaptivecards").is_dir():
        raise SystemExit("the renderer of Adaptive Cards is not installed: `make adaptivecards`, with npm")
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder) / "profile") as browser:
        browser.ask("Emulation.setScrollbarsHidden", {"hidden": True})
        for name, message in NOTICES.items():
            page = Path(folder) / f"{name}.html"
            page.write_text(WORDS.mail(message).html, encoding="utf-8")
            sent = json.loads(WORDS.card(message, LARGEST))
            for mode in ("light", "dark"):
                look = {"features": [{"name": "prefers-color-scheme", "value": mode}]}
                browser.ask("Emulation.setEmulatedMedia", look)
                browser.look(page.as_uri(), 640, scripts=False)
                _keep(browser, f"notice-{name}-mail-{mode}.png")
                browser.look((RENDERER / "draw.html").as_uri(), 568, scripts=True)
                drawing = (
                    f"draw({json.dumps(sent['attachments'][0]['content'])}, {json.dumps(mode == 'dark')})"
                )
                complaints = browser.ask("Runtime.evaluate", {"expression": drawing})["result"]["value"]
                if complaints != "[]":
                    raise SystemExit(f"the renderer complains of {name}: {complaints}")
                _keep(browser, f"notice-{name}-teams-{mode}.png")


def _keep(browser: Chromium, name: str) -> None:
    size = browser.ask("Page.getLayoutMetrics")["cssContentSize"]
    height = browser.ask("Runtime.evaluate", {"expression": "document.body.getBoundingClientRect().height"})[
        "result"
    ]["value"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
    shot = browser.ask("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    (PICTURES / name).write_bytes(base64.b64decode(shot["data"]))


def draw_plan() -> None:
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
    drawn = console.export_svg(title="fleetcast plan --all", unique_id="plan")
    (PICTURES / "plan.svg").write_text(self_contained(drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
