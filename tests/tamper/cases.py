"""What somebody does who can write to the control database and to the store of artifacts, and has no key.

Each case says what `fleetcast audit verify` names, after some state of a fleet was tampered with.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
EVE: Row = {"name": "eve", "standing": "verified", "proof": None, "person": ""}


@dataclass(frozen=True, slots=True)
class Tampering:
    """One way to change what is stored."""

    name: str
    do: Callable[[Store], None]
    named: str
    """What `fleetcast audit verify` says, or some of it."""


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that a fleet keeps below its state folder, and a copy from before its models were promoted."""

    state: Path
    before: Path

    @property
    def database(self) -> Path:
        return self.state / "control.db"

    def execute(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement, values)

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()

    def forget_witness(self) -> None:
        """The file beside the database, which whoever may write there may remove too."""
        (self.state / "control.witness").unlink()

    def edit_request(self, number: int, change: Callable[[Row], None]) -> None:
        ((content,),) = self.rows(f"SELECT content FROM requests WHERE id = {number}")
        row = json.loads(content)
        change(row)
        self.execute(
            "UPDATE requests SET content = ?, state = ?, decided = ? WHERE id = ?",
            json.dumps(row, separators=(",", ":")),
            row["state"],
            len(row["decisions"]),
            number,
        )

    def waiting(self) -> list[int]:
        return [number for (number,) in self.rows("SELECT id FROM requests WHERE state = 'pending'")]


def changed_byte(store: Store) -> None:
    store.execute(
        "UPDATE audit SET content = replace(content, 'policy.taken', 'policy.takem') WHERE number = 1"
    )


def removed_row(store: Store) -> None:
    store.execute("DELETE FROM audit WHERE number = 5")


def swapped_rows(store: Store) -> None:
    store.execute("UPDATE audit SET number = -1 WHERE number = 4")
    store.execute("UPDATE audit SET number = 4 WHERE number = 5")
    store.execute("UPDATE audit SET number = 5 WHERE number = -1")


def cut_tail(store: Store) -> None:
    sealed = store.rows("SELECT number FROM audit WHERE seal IS NOT NULL ORDER BY number DESC LIMIT 2")
    store.execute("DELETE FROM audit WHERE number > ?", sealed[-1][0])
    store.forget_witness()


def all_rows_removed(store: Store) -> None:
    store.execute("DELETE FROM audit")
    store.forget_witness()


def chain_computed_anew(store: Store) -> None:
    """Say that others decided, and compute every digest after it anew, as anybody can who reads the source."""
    previous = "0" * 64
    for number, content in store.rows("SELECT number, content FROM audit ORDER BY number"):
        entry = json.loads(content)
        entry["actor"]["name"] = "eve"
        said = {
            "number": number,
            "at": entry["at"].replace("Z", "+00:00"),
            "actor": "eve",
            "standing": entry["actor"]["standing"],
            "action": entry["event"]["action"],
            "subject": entry["event"]["subject"],
            "detail": entry["event"]["detail"],
            "previous": previous,
        }
        if entry["actor"].get("proof"):
            said["proof"] = entry["actor"]["proof"]
        if entry["actor"].get("person"):
            said["person"] = entry["actor"]["person"]
        entry["previous"] = {"hex": previous}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        entry["digest"] = {"hex": previous}
        written = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
        store.execute("UPDATE audit SET content = ?, digest = ? WHERE number = ?", written, previous, number)
    store.forget_witness()


def without_seals(store: Store) -> None:
    chain_computed_anew(store)
    store.execute("UPDATE audit SET seal = NULL")


def forged_decision(store: Store) -> None:
    def forge(row: Row) -> None:
        row["decisions"].append(
            {"by": EVE, "choice": "approve", "comment": "", "at": "2025-12-01T12:00:00Z", "to": None}
        )

    for number in store.waiting():
        store.edit_request(number, forge)


def forged_approval(store: Store) -> None:
    forged_decision(store)
    for number in store.waiting():
        store.edit_request(number, approved)


def approved(row: Row) -> None:
    row["state"] = "approved"


def request_state(store: Store) -> None:
    for number in store.waiting():
        store.edit_request(number, approved)


def loosened_rule(store: Store) -> None:
    def loosen(row: Row) -> None:
        row["policy"]["own_request_allowed"] = not row["policy"]["own_request_allowed"]

    for number in store.waiting():
        store.edit_request(number, loosen)


def other_requester(store: Store) -> None:
    def another(row: Row) -> None:
        row["requested_by"] = EVE

    for number in store.waiting():
        store.edit_request(number, another)


def asked_earlier(store: Store) -> None:
    """So that a gate that opens some hours after it was asked would open now."""

    def earlier(row: Row) -> None:
        row["opened_at"] = "2020-01-01T00:00:00Z"

    for number in store.waiting():
        store.edit_request(number, earlier)


def policy_row(store: Store) -> None:
    for gate, content in store.rows("SELECT gate, content FROM gate_policies"):
        row = json.loads(content)
        for part in (row, row.get("policy", {})):
            if "own_request_allowed" in part:
                part["own_request_allowed"] = not part["own_request_allowed"]
        store.execute("UPDATE gate_policies SET content = ? WHERE gate = ?", json.dumps(row), gate)


def champion_row(store: Store) -> None:
    store.execute("DELETE FROM champions")
    for name, version in store.rows("SELECT name, max(version) FROM model_versions GROUP BY name"):
        store.execute("INSERT INTO champions (name, version) VALUES (?, ?)", name, version)


def shared_row(store: Store) -> None:
    for name, version, artifact in store.rows(
        "SELECT name, max(version), artifact FROM model_versions GROUP BY name"
    ):
        store.execute("INSERT OR IGNORE INTO shared_models VALUES (?, ?, ?)", name, version, artifact)


def effect_row(store: Store) -> None:
    """Claim that a run shared models, and had no time to say so."""
    shared_row(store)
    for name, version, artifact in store.rows(
        "SELECT name, max(version), artifact FROM model_versions GROUP BY name"
    ):
        content = {
            "format": 1,
            "key": f"share model {name}:{version}",
            "event": {
                "action": "model.shared",
                "subject": f"{name}:{version}",
                "detail": {"artifact": artifact},
            },
        }
        store.execute(
            "INSERT OR IGNORE INTO effects (key, position, recorded, by, intended_at, content) "
            "VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM effects), 0, 'eve', ?, ?)",
            content["key"],
            "2025-12-01T12:00:00+00:00",
            json.dumps(content),
        )


def swapped_artifacts(store: Store) -> None:
    """Swap two artifacts with all that is recorded of them."""
    (one, first), (other, second) = (
        (key, json.loads(content))
        for key, content in store.rows(
            "SELECT name || ':' || max(version), content FROM model_versions GROUP BY name ORDER BY name LIMIT 2"
        )
    )
    for key, mine, theirs in ((one, first, second), (other, second, first)):
        row = mine | {"artifact": theirs["artifact"], "artifact_bytes": theirs["artifact_bytes"]}
        name, _, version = key.rpartition(":")
        store.execute(
            "UPDATE model_versions SET content = ?, artifact = ?, artifact_bytes = ? WHERE name = ? AND version = ?",
            json.dumps(row),
            row["artifact"]["hex"],
            row["artifact_bytes"],
            name,
            int(version),
        )


def older_copy(store: Store) -> None:
    """Put back what was there before the models were promoted, and the file that would notice."""
    for path in store.state.glob("control.*"):
        path.unlink()
    for path in store.before.glob("control.*"):
        shutil.copy2(path, store.state / path.name)


WAITING = (
    Tampering("a changed byte", changed_byte, "audit entry 1 (policy.takem) does not fit"),
    Tampering("a removed row", removed_row, "audit entry 6"),
    Tampering("swapped rows", swapped_rows, "audit entry"),
    Tampering("a cut tail", cut_tail, "its log ends with entry"),
    Tampering("all rows removed", all_rows_removed, "the checkpoint of"),
    Tampering("a chain computed anew", chain_computed_anew, "has a seal that belongs to another entry"),
    Tampering("a chain computed anew, without seals", without_seals, "nobody has sealed it"),
    Tampering("a forged decision", forged_decision, "the log holds 0 decisions on it, and not these 1"),
    Tampering("a forged approval", forged_approval, "the log holds 0 decisions on it, and not these 1"),
    Tampering("the state of requests", request_state, "the log says that it is pending, and not approved"),
    Tampering("the rule inside a request", loosened_rule, "the log knows it with another policy"),
    Tampering("who asked", other_requester, "the log knows it with another requested_by"),
    Tampering("when it was asked", asked_earlier, "the log knows it with another opened_at"),
    Tampering("the policy in force", policy_row, "the policy of registry-promotion: the row says"),
    Tampering("a row among the shared models", shared_row, "the shared model"),
    Tampering("an effect that nobody intended", effect_row, "the shared model"),
    Tampering("a champion", champion_row, "the champion of"),
)
"""Of a fleet whose models wait for approval: none may be shared or become a champion."""
APPROVED = (Tampering("two artifacts swapped with their digests", swapped_artifacts, "the artifact of"),)
"""Of one whose models were approved, and not shared yet: nothing but what was approved may be shared."""
PROMOTED = (
    Tampering("a champion", champion_row, "the champion of"),
    Tampering("an older copy", older_copy, "its log ends with entry"),
)
"""Of one with champions, while newer versions wait: none of these may be used."""
