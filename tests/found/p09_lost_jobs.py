"""A run whose jobs vanish under it, or whose database connection breaks, says so or does it again."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace

from tests.found.story import Fleet, Story
from tests.servers.cutting_proxy import CuttingProxy, cutting_proxy
from tests.servers.postgres import binaries, postgres_server

VANISH = """
import pathlib, sqlite3, subprocess, sys
task, data, output, database = sys.argv[1:]
once = pathlib.Path(database).with_name("once")
if not once.exists():
    once.touch()
    with sqlite3.connect(database, timeout=30) as jobs:
        jobs.execute("DELETE FROM jobs")
fit = [sys.executable, "-m", "fleetcast.cli.main", "fit", "--task", task, "--data", data, "--output", output]
sys.exit(subprocess.call(fit))
"""


def tell(story: Story) -> None:
    """Jobs are deleted while the first of them trains; then connections to a server are reset."""
    fleet = story.fleet()
    _delete_jobs_while_training(fleet)
    lost = fleet.type("train")
    story.expect("train fails", holds=lost.code == 1, saw=lost.code)
    story.says(lost, "the control database does not hold", "run it again")
    again = fleet.type("train")
    story.expect("the next one does it", holds=again.code == 3, saw=again.code)
    with closing(sqlite3.connect(fleet.state / "control.db")) as database:
        versions = database.execute("SELECT count(*) FROM model_versions").fetchone()[0]
    story.expect("there is one version", holds=versions == 1, saw=versions)
    if binaries() is None:
        print("\nPostgreSQL is not installed here: the rest of the story is left out")
        return
    with postgres_server() as server, cutting_proxy(server.port) as proxy:
        address = replace(server, port=proxy.port).url(server.new_database())
        _reset_connections(fleet, proxy, address)


def _delete_jobs_while_training(fleet: Fleet) -> None:
    """The first time."""
    path = fleet.folder / "components" / "training-pipeline-component.yaml"
    script = fleet.story.folder / "vanish.py"
    script.write_text(VANISH, encoding="utf-8")
    inputs = "${{inputs.task}} ${{inputs.data}} ${{outputs.model}}"
    lines = [
        f"    command: {sys.executable} {script} {inputs} {fleet.state / 'control.db'}"
        if line.strip().startswith("command:")
        else line
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _reset_connections(fleet: Fleet, proxy: CuttingProxy, address: str) -> None:
    """A connection that is reset at some request is made anew."""
    story = fleet.story
    environment = {"FLEETCAST_DATABASE_URL": address}
    fleet.type("runs", "list", environment=environment, code=0)
    for request in (1, 2, 5, 9):
        proxy.asked, proxy.reset_at = 0, request
        print(f"\nthe connection is reset at request {request}")
        said = fleet.type("runs", "list", environment=environment)
        story.expect("the command ends well", holds=said.code == 0, saw=said.code)
