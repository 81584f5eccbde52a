"""The demo and the examples end as ever where the fleet is below a folder of any name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.found.p01_folder_names import ODD
from tests.found.story import Story
from tests.servers.postgres import MISSING, binaries

LONG = "the demo and three examples take some minutes"
EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = Path(os.environ.get("FLEETCAST_REAL_DATA") or EXAMPLES.parents[1] / "shared" / "data")
"""The public data sets: where the tests are told of them, else beside the clone."""


def tell(story: Story) -> None:
    """Each is run in a new folder below the odd one."""
    odd = story.folder / ODD
    odd.mkdir(parents=True)
    environment = {"PATH": os.pathsep.join((str(_programs(story)), story.environment["PATH"]))}

    done = story.run(["fleetcast", "demo", str(odd / "demo")], environment=environment, seconds=900)
    story.expect("the demo ends well", holds=done.code == 0, saw=done.code)
    done = story.run(["fleetcast", "demo", str(odd / "demo")], environment=environment, seconds=900)
    story.expect("once more there is nothing to do", holds="Nothing new was trained" in done.text)

    for name, before, missing in (
        ("adopt", (), ""),
        ("agents", (), "" if binaries() else MISSING),
        ("real-data", (str(DATA),), "" if DATA.is_dir() else f"there is no {DATA}"),
    ):
        if missing:
            print(f"\nexamples/{name} is not run: {missing}")
            continue
        script = str(EXAMPLES / name / "run.sh")
        done = story.run(["sh", script, *before, str(odd / name)], environment=environment, seconds=1800)
        story.expect(
            f"examples/{name} ends well",
            holds=done.code == 0 and "All as expected" in done.text,
            saw=done.code,
        )
    tops = sorted(path.name for path in [*story.folder.iterdir(), *odd.parent.iterdir()])
    story.expect(
        "nothing is written beside the folder", holds=tops == ["a b", "programs", odd.name], saw=tops
    )


def _programs(story: Story) -> Path:
    """A folder with a `fleetcast` that runs this story's sources, for scripts that pass no environment on."""
    folder = story.folder / "programs"
    folder.mkdir()
    program = folder / "fleetcast"
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH='{story.sources}' exec '{sys.executable}' -m fleetcast.cli.main \"$@\"\n"
    )
    program.chmod(0o755)
    return folder
