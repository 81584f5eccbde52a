"""What is typed into the table of requests opens no gate, and is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.repository import Repository

Row = dict[str, Any]
GRACE = {"name": "grace", "standing": "verified", "proof": None, "person": ""}
APPROVED = {"by": GRACE, "choice": "approve", "comment": "fine", "at": "2025-12-01T12:00:00Z", "to": None}


def approved(row: Row) -> None:
    row["state"] = "approved"


def forged(row: Row) -> None:
    row["state"] = "approved"
    row["decisions"].append(APPROVED)


def less_needed(row: Row) -> None:
    row["policy"]["minimum"] = 1
    row["state"] = "approved"


def doubled(row: Row) -> None:
    row["decisions"] *= 2
    row["state"] = "approved"


def another_person(row: Row) -> None:
    row["decisions"][0]["by"] = GRACE
    row["state"] = "approved"


def another_subject(row: Row) -> None:
    row["subject"]["artifact"]["hex"] = "0" * 64
    row["state"] = "approved"


def tamper(fleet: Repository, request: int, change: Callable[[Row], None]) -> None:
    """Edit a row as somebody could who can write to the database."""
    ((content,),) = fleet.rows(f"SELECT content FROM requests WHERE id = {request}")
    row = json.loads(content)
    change(row)
    quoted = json.dumps(row, separators=(",", ":")).replace("'", "''").replace("%", "%%")
    fleet.change(
        f"UPDATE requests SET content = '{quoted}', state = '{row['state']}', decided = {len(row['decisions'])} "
        f"WHERE id = {request}"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (approved, "the log says that it is pending, and not approved"),
        (forged, "the log holds 0 decisions on it, and not these 1"),
        (another_subject, "the log knows it with another subject_digest"),
    ],
)
def test_a_request_that_was_edited_moves_no_model(
    trained: Repository, change: Callable[[Row], None], says: str
) -> None:
    for request in trained.requests():
        tamper(trained, request["request_id"], change)
    verified = trained.type("audit", "verify")
    assert (verified.code, says in verified.err) == (1 if says else 0, True)
    assert trained.type("train").code == 3
    assert trained.shared() == []
    assert len(trained.requests()) == 3
    if change in (approved, forged):
        assert trained.audited().count("request.distrusted") == 3
        assert trained.type("audit", "verify").code == 0


@pytest.mark.parametrize(("change"), [doubled, less_needed, another_person])
def test_a_request_of_two_people_that_was_edited_after_one_approved_moves_no_model(
    declared: Repository, change: Callable[[Row], None]
) -> None:
    plain = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
    declared.edit("fleetcast.yaml", plain, plain.replace("minimum: 1", "minimum: 2"))
    assert declared.type("train").code == 3
    numbers = [request["request_id"] for request in declared.requests()]
    assert declared.type("approve", *map(str, numbers)).code == 0
    for number in numbers:
        tamper(declared, number, change)
    refused = declared.type("audit", "verify")
    assert refused.code == 1
    assert f"request {numbers[0]} " in refused.err
    assert declared.type("train").code == 3
    assert declared.shared() == []
    assert declared.type("audit", "verify").code == 0
