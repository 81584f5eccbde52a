"""One of three circuits rolled back: its siblings stay, and no commit and no other rollback brings it back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.found.story import CIRCUITS, Fleet, Story, StoryEnded

ON_RELEASE = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/release/1"}
NEXT = "CIRCUIT02"
LONG = "it trains three circuits three times and waits for three deployments"


def tell(story: Story) -> None:
    """Three circuits are served, each is trained anew and served again; the second one goes back."""
    fleet = story.fleet(circuits=3)
    for setting in ("soak: 5min", "window: 30s"):
        name = setting.partition(":")[0]
        fleet.edit("fleetcast.yaml", f"  # {setting} ", f"  {name}: 1s  #")
    fleet.promote()
    with _server(fleet):
        _deployed(fleet)
        fleet.edit(CIRCUITS, "training_days: 35", "training_days: 34")
        fleet.promote()
        _deployed(fleet)
        story.expect(
            "all serve their second version", holds=_versions(fleet) == [2, 2, 2], saw=_versions(fleet)
        )

        back = fleet.type("rollback", "test", f"PLANT001/{NEXT}", "-m", "off by 100", code=0)
        story.says(back, "plant001-circuit02:2")
        story.expect("its siblings stay", holds=_versions(fleet) == [2, 1, 2], saw=_versions(fleet))

        again = fleet.type("deploy", "test", environment=ON_RELEASE)
        story.says(again, "rolled back, and is blocked")
        story.expect("the same commit keeps it so", holds=_versions(fleet) == [2, 1, 2], saw=_versions(fleet))

        fleet.edit(CIRCUITS, "      CIRCUIT01: {}", "      CIRCUIT01: {revision: 2}")
        trained = fleet.type("train")
        story.expect("a later commit trains the other alone", holds=trained.code == 3, saw=trained.code)
        fleet.approve_all()
        fleet.type("train")
        _deployed(fleet)
        story.expect("and keeps it so", holds=_versions(fleet) == [3, 1, 2], saw=_versions(fleet))

        for what, versions in (("the plant goes back", [2, 1, 2]), ("and beyond what is blocked", [1, 1, 1])):
            fleet.type("rollback", "test", "PLANT001", "-m", "off as well", code=0)
            story.expect(what, holds=_versions(fleet) == versions, saw=_versions(fleet))
        last = fleet.type("rollback", "test", "PLANT001", "-m", "once more")
        story.says(last, "has no release to go back to")
        story.expect("nothing that went back comes back", holds=_versions(fleet) == [1, 1, 1])
    story.expect("the log holds", holds=fleet.type("audit", "verify").code == 0)


def _deployed(fleet: Fleet) -> None:
    fleet.type("deploy", "test", code=3, environment=ON_RELEASE)
    fleet.approve_all()
    fleet.type("deploy", "test", "--wait", code=0, environment=ON_RELEASE)


def _versions(fleet: Fleet) -> list[int]:
    """What each circuit is served by, by the release that is live."""
    shown: Any = fleet.type("releases", "show", "test/PLANT001", "--format", "json").json
    return [one["version"] for one in shown.get("circuits", [])]


@contextmanager
def _server(fleet: Fleet) -> Iterator[None]:
    words = ["serve", "test", "--port", "0", "--fleet", str(fleet.folder)]
    print(f"\n$ fleetcast {' '.join(words[:4])} &")
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetcast.cli.main", *words],
        env=fleet.story.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        if " at http://" not in process.stdout.readline():
            raise StoryEnded("there is no server")
        yield
    finally:
        process.kill()
        process.communicate()
