"""Changing things through the API: decisions and people, once, however often a call is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest

from fleetcast.app import Service, copy_own_database, open_books
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import Denied
from fleetcast.domain.repeat import Call, owner_of
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from tests.clocks import FixedClock
from tests.servers.postgres import PostgresServer
from tests.web.conftest import Client, MadeFleet, actor, client_of

API = "/api/v1"


def decide(client: Client, who: str, *requests: Any, key: str | None = None, **more: Any) -> httpx.Response:
    body = {"choice": "approve", "requests": list(requests), **more}
    return client.ask("POST", f"{API}/decisions", who, json=body, key=key)


def kind(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def actions(client: Client, **query: str) -> list[str]:
    return [entry["action"] for entry in client.get(f"{API}/audit", "ada", limit="500", **query)["entries"]]


@pytest.fixture(params=["sqlite", "postgres"])
def two_needed(
    made: MadeFleet, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """The gate asks for two verified people, none of whom asked for it."""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv(DATABASE_URL_VARIABLE, server.url(server.new_database()))
        copy_own_database(made.folder)
    path = made.folder / "fleetcast.yaml"
    before = path.read_text()
    plain = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
    assert before.count(plain) == 1
    rule = "{approvers: ['*'], minimum: 2, own_request: forbidden, verified: true}"
    path.write_text(before.replace(plain, f"registry-promotion: {rule}"))
    with client_of(made) as client:
        yield client


def test_an_approval_is_recorded_in_the_name_of_whose_token_it_is(client: Client) -> None:
    first = client.waiting()[0]
    shown = {"request_id": first["request_id"], "subject_digest": first["subject_digest"]}
    answer = decide(client, "grace", shown, comment="looks right")
    assert answer.status_code == 200, answer.text
    (decided,) = answer.json()["requests"]
    assert (decided["state"], decided["decisions"][0]["by"]) == ("approved", "grace")
    assert decided == client.get(f"{API}/requests/{first['request_id']}")
    (entry,) = client.get(f"{API}/audit", action="request.approved")["entries"]
    assert (entry["by"], entry["standing"], entry["proof"]["means"]) == ("grace", "verified", "token")


def test_two_people_who_approve_at_the_same_moment_both_count(two_needed: Client) -> None:
    waiting = two_needed.waiting()
    both = Barrier(2)

    def approve(who: str) -> list[int]:
        codes = []
        for request in waiting:
            both.wait(30)
            codes.append(decide(two_needed, who, {"request_id": request["request_id"]}).status_code)
        return codes

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(approve, ["grace", "edsger"])) == [[200] * len(waiting)] * 2
    for request in waiting:
        found = two_needed.get(f"{API}/requests/{request['request_id']}")
        assert found["state"] == "approved"
        assert {decision["by"] for decision in found["decisions"]} == {"grace", "edsger"}
    done = [action for action in actions(two_needed) if action in ("request.decided", "request.approved")]
    assert sorted(done) == len(waiting) * ["request.approved"] + len(waiting) * ["request.decided"]


def test_one_persons_key_sent_twenty_times_at_once_decides_once(two_needed: Client) -> None:
    request = {"request_id": two_needed.waiting()[0]["request_id"]}

    def approve(_: int) -> httpx.Response:
        return decide(two_needed, "grace", request, key="the-same-key")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(approve, range(20)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {kind(answer)[1] for answer in answers if answer.status_code == 409} <= {"at-work"}
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert actions(two_needed).count("request.decided") == 1
    assert actions(two_needed).count("decision.refused") == 0


def test_a_call_sent_again_gets_the_same_answer_and_does_nothing(client: Client) -> None:
    first, second, *_ = client.waiting()
    asked = {"request_id": first["request_id"]}
    once = decide(client, "grace", asked, key="key-number-1")
    assert "idempotent-replayed" not in once.headers
    decide(client, "edsger", {"request_id": second["request_id"]}, key="key-number-1")
    before = actions(client)
    again = decide(client, "grace", asked, key="key-number-1")
    assert (again.status_code, again.text) == (200, once.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert actions(client) == before


def test_the_same_key_for_another_call_is_refused(client: Client) -> None:
    first, second, *_ = client.waiting()
    assert decide(client, "grace", {"request_id": first["request_id"]}, key="key-number-1").status_code == 200
    other = decide(client, "grace", {"request_id": second["request_id"]}, key="key-number-1")
    assert kind(other) == (422, "key-taken")
    assert other.json()["fix"]
    elsewhere = client.ask("POST", f"{API}/people", "ada", json={"name": "x"}, key="key-number-2")
    assert elsewhere.status_code == 200
    assert kind(
        client.ask("POST", f"{API}/people/enable", "ada", json={"name": "x"}, key="key-number-2")
    ) == (
        422,
        "key-taken",
    )


def test_a_refusal_is_repeated_too_but_not_one_for_want_of_a_right(client: Client) -> None:
    request = {"request_id": client.waiting()[0]["request_id"]}
    for again in (False, True):
        answer = decide(client, "grace", {"request_id": 99}, key="key-number-1")
        assert kind(answer) == (422, "bad-input")
        assert ("idempotent-replayed" in answer.headers) == again
    assert kind(decide(client, "vera", request, key="key-number-1")) == (403, "denied")
    grant = {"name": "vera", "role": "approver", "gate": "registry-promotion"}
    assert client.ask("POST", f"{API}/people/grant", json=grant).status_code == 200
    assert decide(client, "vera", request, key="key-number-1").status_code == 200


def test_a_call_that_goes_on_elsewhere_is_not_begun_again(client: Client, made: MadeFleet) -> None:
    request = {"request_id": client.waiting()[0]["request_id"]}
    done = decide(client, "grace", request, key="key-number-1")
    assert done.status_code == 200
    by = Service(made.folder).recognise(made.tokens["grace"])
    books = open_books(made.folder, actor=by.actor)
    body = {"choice": "approve", "comment": "", "requests": [{**request, "subject_digest": None}], "to": None}
    with_key = Call(owner_of(by.actor), "key-number-2", _digest(f"{API}/decisions", body))
    books.control.repeats.begin(with_key)
    assert kind(decide(client, "grace", request, key="key-number-2")) == (409, "at-work")


def _digest(path: str, body: Any) -> Digest:
    return digest_of({"path": path, "body": body})


@pytest.mark.parametrize("key", ["", "short", "has space 1234", "x" * 65, "ümläut-key"])
def test_a_change_needs_a_key(shared: Client, key: str) -> None:
    body = {"choice": "approve", "requests": [{"request_id": 1}]}
    answer = shared.ask("POST", f"{API}/decisions", "grace", json=body, headers={"idempotency-key": key})
    assert kind(answer) == (422, "bad-input")
    assert answer.json()["errors"][0]["where"] == "header.Idempotency-Key"


def test_a_decision_on_what_was_not_displayed_is_refused(client: Client) -> None:
    first, second, *_ = client.waiting()
    shown = [
        {"request_id": one["request_id"], "subject_digest": one["subject_digest"]} for one in (first, second)
    ]
    other = {**shown[1], "subject_digest": shown[0]["subject_digest"]}
    answer = decide(client, "grace", shown[0], other)
    assert kind(answer) == (409, "not-decidable")
    assert "about subject" in answer.json()["detail"]
    assert len(client.waiting()) == 3
    assert kind(decide(client, "grace", shown[0], {"request_id": second["request_id"]})) == (422, "bad-input")
    assert decide(client, "grace", *shown).status_code == 200
    assert len(client.waiting()) == 1


def test_a_rejection_needs_a_reason_and_is_final(client: Client) -> None:
    request = {"request_id": client.waiting()[0]["request_id"]}
    assert kind(decide(client, "grace", request, choice="reject")) == (422, "bad-input")
    rejected = decide(client, "grace", request, choice="reject", comment="it drifts")
    assert rejected.json()["requests"][0]["state"] == "rejected"
    assert kind(decide(client, "edsger", request)) == (409, "not-decidable")
    assert "decision.refused" in actions(client)


def test_a_vote_is_handed_on_to_one_person(two_needed: Client) -> None:
    request = {"request_id": two_needed.waiting()[0]["request_id"]}
    for wrong in ({"choice": "hand on"}, {"to": "edsger"}):
        assert kind(decide(two_needed, "grace", request, **wrong)) == (422, "bad-input")
    handed = decide(two_needed, "grace", request, choice="hand on", to="edsger", comment="on leave")
    assert handed.status_code == 200, handed.text
    assert handed.json()["requests"][0]["decisions"][0]["to"] == "edsger"
    assert kind(decide(two_needed, "grace", request)) == (409, "not-decidable")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"choice": "approve"}',
        b'{"choice": "approve", "requests": []}',
        b'{"choice": "odd", "requests": [{"request_id": 1}]}',
        b'{"choice": "approve", "requests": [{"request_id": 1}], "odd": 1}',
        b'{"choice": "approve", "requests": [{"request_id": 1, "odd": 1}]}',
        b'{"choice": "approve", "requests": [{"request_id": "1"}]}',
        b'{"choice": "approve", "requests": [{"request_id": 0}]}',
        b'{"choice": "approve", "requests": [{"request_id": 99999999999999999999}]}',
        b'{"choice": "approve", "requests": [{"request_id": 1}], "comment": "a\\nb"}',
        b'{"choice": "approve", "requests": [{"request_id": 1}], "comment": "\\ud800"}',
        b'{"choice": "approve", "requests": [{"request_id": 1}], "\\ud800": 1}',
        b'{"choice": "approve", "requests": [{"request_id": 1}], "comment": "' + 1001 * b"x" + b'"}',
        b'{"choice": "approve", "requests": ' + 30_000 * b"[",
        b'{"choice": "approve", "requests": [{"request_id": ' + 5_000 * b"9" + b"}]}",
    ],
)
def test_a_body_that_is_no_decision_is_refused(shared: Client, body: bytes) -> None:
    answer = shared.ask(
        "POST", f"{API}/decisions", "grace", content=body, headers={"content-type": "application/json"}
    )
    assert kind(answer) == (422, "bad-input")
    assert set(answer.json()) <= {"type", "title", "status", "detail", "fix", "errors"}


def test_people_are_managed(client: Client) -> None:
    def change(path: str, **body: Any) -> Any:
        answer = client.ask("POST", f"{API}/people{path}", json=body)
        assert answer.status_code == 200, answer.text
        found = {person["name"]: person for person in answer.json()["people"]}
        assert answer.json() == client.get(f"{API}/people")
        return found

    added = change(
        "", name="linus", full_name="Linus P.", roles=[{"role": "approver", "gate": "registry-promotion"}]
    )
    assert added["linus"]["roles"] == [
        {
            "role": "approver",
            "gate": "registry-promotion",
            "environment": None,
            "plant_id": None,
            "given_by": "fleet",
        }
    ]
    assert change("/group", name="leads", members=["linus", "grace"])["linus"]["groups"] == ["leads"]
    assert len(change("/grant", name="linus", role="viewer", plant_id="PLANT001")["linus"]["roles"]) == 2
    assert len(change("/revoke", name="linus", role="viewer", plant_id="PLANT001")["linus"]["roles"]) == 1
    assert change("/disable", name="grace")["grace"]["disabled"]
    assert client.ask("GET", f"{API}/whoami", "grace").status_code == 401
    assert not change("/enable", name="grace")["grace"]["disabled"]
    assert client.ask("GET", f"{API}/whoami", "grace").status_code == 200
    taken = client.ask("POST", f"{API}/people", json={"name": "Linus"})
    assert kind(taken) == (422, "bad-input")
    assert {"person.added", "role.granted"} & set(actions(client))


def test_a_token_that_is_revoked_or_reaches_less_is_believed_no_further(
    client: Client, made: MadeFleet
) -> None:
    book = open_books(made.folder, actor=actor("grace")).tokens
    (mine,) = book.listed()
    assert client.ask("GET", f"{API}/whoami", "grace").status_code == 200
    book.revoke(mine.number)
    assert client.ask("GET", f"{API}/whoami", "grace").status_code == 401
    answer = client.ask("POST", f"{API}/people", "ada, only to look", json={"name": "x"})
    assert kind(answer) == (403, "denied")


def test_a_token_that_was_believed_before_is_not_after_it_expired(made: MadeFleet) -> None:
    clock = FixedClock(datetime.now(UTC))
    service = Service(made.folder, clock)
    token = made.tokens["grace"]
    assert service.recognise(token).actor == service.recognise(token).actor
    clock.moment += timedelta(days=301)
    with pytest.raises(Denied, match="not valid"):
        service.recognise(token)


def test_no_answer_and_no_row_holds_a_secret(client: Client, made: MadeFleet) -> None:
    request = {"request_id": client.waiting()[0]["request_id"]}
    said = decide(client, "grace", request).text + json.dumps(client.get(f"{API}/people"))
    said += json.dumps(client.get(f"{API}/audit", limit="500"))
    kept = b"".join(path.read_bytes() for path in (made.folder / ".fleetcast").glob("control.db*"))
    for token in made.tokens.values():
        secret = token.split("_", 2)[2]
        assert secret not in said
        assert secret.encode() not in kept
