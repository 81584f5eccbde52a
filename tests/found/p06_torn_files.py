"""A torn outcome of a job is set aside and the job done again; a torn row is one error that names it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.found.story import Fleet, Story

LONG = "it trains again after each torn file"


def tell(story: Story) -> None:
    """A circuit's outcome file is cut to nothing before its job is on record; then a request is cut."""
    fleet = story.fleet()
    for stage in ("RegisterEnvironment", "RegisterComponents", "RegisterData", "SubmitTraining"):
        fleet.type("stage", stage, code=0)
    (job,) = tampered(fleet, "SELECT id FROM jobs")
    outcome = fleet.state / "jobs" / job / "outcome.json"
    outcome.parent.mkdir(parents=True, exist_ok=True)
    outcome.write_bytes(b"{")
    print(f"\n{outcome.name} is cut to one byte")
    trained = fleet.type("train")
    story.expect("the run asks for approval", holds=trained.code == 3, saw=trained.code)
    story.says(trained, "outcome.json cannot be read", "outcome.json.torn-1")
    kept = outcome.with_name("outcome.json.torn-1")
    story.expect("the torn file is kept", holds=kept.exists() and kept.read_bytes() == b"{")

    tampered(fleet, "UPDATE requests SET content = CAST(x'7bff' AS TEXT), opened_at = 'x' WHERE id = 2")
    print("\nthe row of request 2 is torn")
    for words in (["approvals", "list"], ["plan"], ["status"], ["train"]):
        said = fleet.type(*words)
        story.expect(f"{' '.join(words)} ends with 1", holds=said.code == 1, saw=said.code)
        story.says(said, "requests 2")


def tampered(fleet: Fleet, statement: str) -> list[str]:
    """The first column of what the control database answers."""
    with closing(sqlite3.connect(fleet.state / "control.db")) as database:
        found = [str(row[0]) for row in database.execute(statement)]
        database.commit()
    return found
