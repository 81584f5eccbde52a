"""After a lost `-wal` file history is shorter: the next command says so, and a backup under load is whole."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

from tests.found.story import Story


def tell(story: Story) -> None:
    """The newest entries are in `control.db-wal` when a machine dies; a copy of `control.db` alone lacks them."""
    fleet = story.fleet()
    path = fleet.state / "control.db"
    fleet.type("train", code=3)
    backup = story.folder / "backup.db"
    held = sqlite3.connect(path, isolation_level=None)  # as a process that is killed later: the log stays
    with closing(held):
        held.execute("SELECT count(*) FROM audit").fetchone()
        made = fleet.type("database", "backup", str(backup))
        story.expect("a backup is made while the database is in use", holds=made.code == 0, saw=made.code)
        fleet.approve_all()
        copy = story.folder / "copy.db"
        shutil.copy(path, copy)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    shutil.copy(copy, path)
    print("\ncontrol.db is now a copy of itself without its -wal file, as after a crash and a copy")
    said = fleet.type("plan")
    story.expect("the loss is noticed", holds=said.code == 1, saw=said.code)
    story.says(said, "of the audit log", "database restore", "accept-loss")
    restored = fleet.type("database", "restore", str(backup), "--replace")
    story.expect("the backup is put back", holds=restored.code == 0, saw=restored.code)
    story.expect("all goes on", holds=fleet.type("plan").code == 0)
    story.expect("the log is whole", holds=fleet.type("audit", "verify").code == 0)
