"""What is acknowledged is on the disk first, even while another process holds the control database open."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

from tests.found.story import Story, StoryEnded
from tests.scenarios.power_cut import MISSING, Disk, can_trace, trace


def tell(story: Story) -> None:
    """Train and approve, with every system call recorded, and look at what was synced before it was said."""
    if not can_trace():
        raise StoryEnded(MISSING)
    fleet = story.fleet()
    fleet.type("status", code=0)
    command = [sys.executable, "-m", "fleetcast.cli.main"]
    for words, says in ((["train"], "requests wait for approval"), (["approve", "1"], "approved")):
        disk = Disk(story.folder)
        with closing(sqlite3.connect(fleet.state / "control.db")) as other:
            other.execute("SELECT count(*) FROM sqlite_master").fetchone()
            done = trace(
                [*command, *words, "--fleet", str(fleet.folder)], story.folder / "calls", story.environment
            )
        (story.folder / "calls").unlink()
        print(f"\n$ fleetcast {' '.join(words)}, traced, while another process holds control.db open")
        for event in done.until_said(says):
            disk.apply(event)
        synced = [path.partition(".fleetcast/")[2] for path in disk.synced]
        print(f"  synced before it said “{says}”: {', '.join(synced) or 'nothing'}")
        story.expect("the database's log was synced first", holds="control.db-wal" in synced)
        if words == ["train"]:
            for kind in ("artifacts", "frozen", "jobs"):
                held = any(path.startswith(f"{kind}/") for path in synced)
                story.expect(f"what is in {kind}/ was synced first", holds=held)
