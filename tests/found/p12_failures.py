"""What failed three times in the same way is parked with its cause; who was killed says by what."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from tests.found.story import Fleet, Story

LONG = "it lets a job fail again and again"
COMPONENT = "components/training-pipeline-component.yaml"
OTHER_DISK = Path("/dev/shm")  # noqa: S108  # a disk of its own, where there is one


def tell(story: Story) -> None:
    """A step kills itself until somebody mends it; the models are kept on another disk."""
    fleet = story.fleet()
    fit = story.folder / "fit.sh"
    fit.write_text("echo epoch 7 of $$\nkill -KILL $$\n")
    fleet.edit(
        COMPONENT,
        "command: fleetcast fit --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}",
        f"command: sh {fit} ${{{{inputs.task}}}} ${{{{inputs.data}}}} ${{{{outputs.model}}}}",
    )
    failed = fleet.type("train")
    story.expect("the first run fails", holds=failed.code == 1, saw=failed.code)
    story.says(failed, "was killed by SIGKILL", "epoch 7", "fleetcast train --retry-failed")
    story.expect("it was tried three times", holds=attempts(fleet) == 3, saw=attempts(fleet))

    parked = fleet.type("train")
    story.expect("the next run fails as well", holds=parked.code == 1, saw=parked.code)
    story.expect("it was tried no fourth time", holds=attempts(fleet) == 3, saw=attempts(fleet))
    action, why = fleet.plan().get("CIRCUIT01", ("nothing", ""))
    story.expect("plan blocks the circuit", holds=action == "blocked", saw=action)
    story.expect("plan names the cause", holds="in the same way" in why and "SIGKILL" in why, saw=why)
    story.says(
        fleet.type("status"), "SIGKILL", "fleetcast train --retry-failed --circuits PLANT001/CIRCUIT01"
    )

    fit.write_text("exec python -m fleetcast.cli.main fit --task $1 --data $2 --output $3\n")
    artifacts = fleet.state / "artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=OTHER_DISK if OTHER_DISK.is_dir() else None) as disk:
        artifacts.symlink_to(disk)
        print("\nthe step is mended; artifacts are behind a link to another disk")
        asked = fleet.type("train", *(["--retry-failed"] if knows_retry(fleet) else []))
        story.expect("the run that was asked for trains", holds=asked.code == 3, saw=asked.code)
        kept = list(Path(disk).glob("*/*/MLmodel"))
        story.expect("the model is on the other disk", holds=len(kept) == 1, saw=len(kept))


def attempts(fleet: Fleet) -> int:
    with closing(sqlite3.connect(fleet.state / "control.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM jobs").fetchone()
    return int(count)


def knows_retry(fleet: Fleet) -> bool:
    return "--retry-failed" in fleet.story.fleetcast("train", "--help").text
