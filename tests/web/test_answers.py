"""What the API answers: the views of the command line, in the name of whoever asks."""

from __future__ import annotations

import json
import sqlite3
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest

from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from tests.web.conftest import Client, MadeFleet

API = "/api/v1"


def typed(made: MadeFleet, *words: str) -> Any:
    out = StringIO()
    with redirect_stdout(out):
        assert run([*words, "--format", "json", "--fleet", str(made.folder)]) == 0
    return json.loads(out.getvalue())


@pytest.fixture
def as_ada(made_once: MadeFleet, monkeypatch: pytest.MonkeyPatch) -> MadeFleet:
    monkeypatch.setenv(TOKEN_VARIABLE, made_once.tokens["ada"])
    return made_once


def test_a_page_says_what_the_command_line_says(shared: Client, as_ada: MadeFleet) -> None:
    assert shared.get(f"{API}/plan") == typed(as_ada, "plan")
    assert shared.get(f"{API}/runs")["runs"] == typed(as_ada, "runs", "list")
    assert shared.get(f"{API}/runs/run-0001") == typed(as_ada, "runs", "show", "run-0001")
    assert shared.get(f"{API}/models")["models"] == typed(as_ada, "models", "list")
    assert shared.get(f"{API}/requests/1") == typed(as_ada, "approvals", "show", "1")
    assert shared.get(f"{API}/people") == typed(as_ada, "people", "list")
    assert shared.get(f"{API}/whoami") == typed(as_ada, "whoami")
    shown, of_command = shared.get(f"{API}/status"), typed(as_ada, "status")
    assert {**shown, "made_at": ""} == {**of_command, "made_at": ""}
    shown, of_command = (
        shared.get(f"{API}/models/PLANT001/CIRCUIT01"),
        typed(as_ada, "models", "show", "PLANT001/CIRCUIT01"),
    )
    assert shown == of_command
    pending = shared.get(f"{API}/requests", state="pending")
    listed = typed(as_ada, "approvals", "list")
    assert {**pending, "next": None} == {**listed, "next": None}
    entries = shared.get(f"{API}/audit", newest_first="true", limit="5")["entries"]
    assert entries[::-1] == typed(as_ada, "audit", "list", "--last", "5")


def test_health_needs_nobody_and_says_little(shared: Client) -> None:
    assert shared.get(f"{API}/health", None) == {"status": "ok"}


def test_health_says_so_where_the_database_does_not_answer(client: Client, made: MadeFleet) -> None:
    database = made.folder / ".fleetcast" / "control.db"
    database.rename(database.with_suffix(".away"))
    found = client.ask("GET", f"{API}/health", None)
    assert (found.status_code, found.json()["type"]) == (503, "urn:fleetcast:problem:unavailable")


@pytest.mark.parametrize(
    ("path", "of"),
    [
        (f"{API}/requests", "requests"),
        (f"{API}/audit", "entries"),
        (f"{API}/models", "models"),
        (f"{API}/runs", "runs"),
    ],
)
def test_pages_one_by_one_are_the_whole_list(shared: Client, path: str, of: str) -> None:
    whole = shared.get(path, limit="500")
    assert whole["next"] is None
    found, query = [], {"limit": "1"}
    while True:
        page = shared.get(path, **query)
        assert len(page[of]) <= 1
        found += page[of]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert found == whole[of]
    assert found


def test_requests_and_entries_are_filtered(shared: Client) -> None:
    kinds = {row["kind"] for row in shared.get(f"{API}/requests", kind="model")["requests"]}
    assert kinds == {"model"}
    assert shared.get(f"{API}/requests", state="rejected")["requests"] == []
    (one,) = shared.get(f"{API}/requests", name="plant001-circuit01")["requests"]
    about = shared.get(f"{API}/audit", request_id=str(one["request_id"]))["entries"]
    assert {entry["action"] for entry in about} == {"request.opened"}
    opened = shared.get(f"{API}/audit", action="request")["entries"]
    assert {entry["action"] for entry in opened} == {"request.opened"}
    assert shared.get(f"{API}/audit", by="grace", action="token")["entries"] != []
    assert shared.get(f"{API}/audit", by="who")["entries"] == []
    last = opened[-1]["recorded_at"]
    assert shared.get(f"{API}/audit", until=last, action="request.opened")["entries"] == [
        entry for entry in opened if entry["recorded_at"] < last
    ]
    assert shared.get(f"{API}/audit", since="2100-01-01T00:00:00Z")["entries"] == []


@pytest.mark.parametrize("after", ["e", "WzEsMl0", "AAAA", "bnVsbA", "W1tbW1tb"])
def test_a_cursor_that_nobody_made_is_refused(shared: Client, after: str) -> None:
    found = shared.ask("GET", f"{API}/requests", query={"after": after})
    assert (found.status_code, found.json()["type"]) == (422, "urn:fleetcast:problem:bad-input")


def test_a_cursor_of_another_list_is_refused(shared: Client) -> None:
    after = shared.get(f"{API}/requests", limit="1")["next"]
    for path, query in (("audit", {}), ("models", {}), ("requests", {"kind": "model"})):
        found = shared.ask("GET", f"{API}/{path}", query={"after": after, **query})
        assert found.status_code == 422, path
        assert "cursor" in found.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "requests/99",
        "runs/run-9999",
        "runs/x",
        "jobs/x/log",
        "models/PLANT001/NONE",
        "models/N/N",
        "nothing",
        "",
    ],
)
def test_what_is_not_there_is_missing(shared: Client, path: str) -> None:
    found = shared.ask("GET", f"{API}/{path}")
    assert (found.status_code, found.json()["status"]) == (404, 404)
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json()["fix"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("requests", {"limit": "0"}),
        ("requests", {"limit": "501"}),
        ("requests", {"odd": "1"}),
        ("plan", {"odd": "1"}),
        ("health", {"odd": "1"}),
        ("requests", {"state": "odd"}),
        ("requests", {"name": "a\nb"}),
        ("audit", {"since": "2025-01-01T00:00:00"}),
        ("models", {"plant_id": "../x"}),
    ],
)
def test_a_query_that_is_not_known_is_refused(shared: Client, path: str, query: dict[str, str]) -> None:
    found = shared.ask("GET", f"{API}/{path}", query=query)
    assert found.status_code == 422
    assert found.json()["errors"][0]["where"].startswith("query.")


def test_a_plant_that_is_not_declared_is_named(shared: Client) -> None:
    found = shared.ask("GET", f"{API}/models", query={"plant_id": "PLANT009"})
    assert (found.status_code, "PLANT009" in found.json()["detail"]) == (422, True)


def test_a_commit_is_noticed_and_a_mistake_in_it_stops_what_needs_the_circuits_alone(
    client: Client, made: MadeFleet
) -> None:
    assert client.get(f"{API}/plan")["summary"]["up_to_date"] == 2
    circuits = made.folder / "config" / "circuits.yaml"
    text = circuits.read_text()
    assert text.count("CIRCUIT02:") == 1
    circuits.write_text(text.replace("CIRCUIT02:", "CIRCUIT03:"))
    summary = client.get(f"{API}/plan")["summary"]
    assert (summary["up_to_date"], summary["train"], summary["removed"]) == (1, 1, 1)
    circuits.write_text(text + "\nodd: [")
    found = client.ask("GET", f"{API}/plan")
    assert (found.status_code, found.json()["type"]) == (503, "urn:fleetcast:problem:invalid-fleet")
    assert "circuits.yaml" in found.json()["detail"]
    assert client.waiting()
    circuits.write_text(text)
    assert client.get(f"{API}/plan")["summary"]["up_to_date"] == 2


def test_verifying_names_what_was_changed_past_fleetcast(client: Client, made: MadeFleet) -> None:
    found = client.get(f"{API}/audit/verify", "vera")
    assert (found["unbroken"], found["distrusted_requests"]) == (True, [])
    assert found["entry_count"] > 5
    with sqlite3.connect(made.folder / ".fleetcast" / "control.db") as database:
        other = """replace(content, '"version":"1"', '"version":"7"')"""
        database.execute(f"UPDATE requests SET content = {other} WHERE id = 2")
    (odd,) = client.get(f"{API}/audit/verify", "vera")["distrusted_requests"]
    assert odd["request_id"] == 2
    with sqlite3.connect(made.folder / ".fleetcast" / "control.db") as database:
        database.execute("DELETE FROM audit WHERE number = 3")
    found = client.get(f"{API}/audit/verify", "vera")
    assert (found["unbroken"], found["broken_at_entry"]) == (False, 4)
