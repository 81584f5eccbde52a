"""A run whose process was killed is not listed as at work, and its jobs are abandoned once the fleet has moved on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

from tests.found.story import CIRCUITS, Fleet, Story

COMPONENT = "components/training-pipeline-component.yaml"


def tell(story: Story) -> None:
    """Kill a run in its training, change the circuit, and train again."""
    fleet = story.fleet()
    command = "fleetcast fit --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}"
    fleet.edit(COMPONENT, command, "sh -c 'echo started > started; sleep 600'")
    running = subprocess.Popen(
        [sys.executable, "-m", "fleetcast.cli.main", "train", "--fleet", str(fleet.folder)],
        env=story.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("5 SubmitTraining"):
            break
    print("\nkilled a `fleetcast train` in its sixth stage")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    story.says(fleet.type("runs", "list"), "nobody at work")
    fleet.edit(COMPONENT, "sh -c 'echo started > started; sleep 600'", command)
    fleet.edit(COMPONENT, "version: 1.0.0", "version: 1.0.1")
    fleet.edit(CIRCUITS, "pipeline_component_version: 1.0.0", "pipeline_component_version: 1.0.1")
    fleet.type("train", code=3)
    states = _states(fleet)
    story.expect("no job is under way any more", holds=not {"queued", "running"} & set(states), saw=states)


def _states(fleet: Fleet) -> list[str]:
    with closing(sqlite3.connect(fleet.state / "control.db")) as database:
        rows = database.execute("SELECT content FROM jobs ORDER BY position").fetchall()
    return [json.loads(content)["state"] for (content,) in rows]
