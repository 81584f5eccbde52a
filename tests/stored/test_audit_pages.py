"""Pages of the audit log tell the same however the log is cut, and show every change of a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, Means, Proof, Standing, chained
from fleetcast.domain.canonical import Json
from fleetcast.domain.chronicle import BrokenLog, Chronicle, read_log
from fleetcast.platforms import processes
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.audit_pages import AuditPage, AuditRow, read_page
from tests.clocks import NOON
from tests.logs import row_of

ADA = Actor("ada", proof=Proof(Means.SYSTEM_USER, 'uid 1 on "plant"\\7\u2028'))
GRACE = Actor("gräce \U0001f44d", Standing.VERIFIED, Proof(Means.PASSWORD, "grace"), "p-2")
ANYBODY = Actor("x\n\t\x00\x7f")
GRANT: Json = {"to": "p-2", "role": "admin", "scope": {"plant": None}}
OTHER_GRANT: Json = {"to": "p-3", "role": "viewer", "scope": {"plant": "LYON"}}
EVENTS = (
    AuditEvent("model.registered", "m:1", {"artifact": "a1"}),
    AuditEvent("model.registered", "m:2", {"artifact": "a2"}),
    AuditEvent("model.selected", "m:1", {}),
    AuditEvent("data.registered", "d", {"rows": 7, "share": 1e-07, "more": [1.0, None, True, "é"]}),
    AuditEvent("model.shared", "m:1", {"artifact": "a1"}),
    AuditEvent("model.crowned", "m:1", {}),
    AuditEvent("model.crowned", "m:2", {}),
    AuditEvent("request.opened", "m:1", {"request": 1}),
    AuditEvent("request.approved", "m:1", {"request": 1, "comment": "“good”"}),
    AuditEvent("request.opened", "m:2", {"request": 2}),
    AuditEvent("policy.taken", "prod-deployment", {"digest": "p1"}),
    AuditEvent("policy.changed", "prod-deployment", {"digest": "p2"}),
    AuditEvent("person.added", "p-2", {"before": None, "after": {"id": "p-2", "name": "grace"}}),
    AuditEvent("person.changed", "p-2", {"before": {}, "after": {"id": "p-2", "name": "Grace"}}),
    AuditEvent("group.set", "leads", {"before": None, "after": {"name": "Leads", "members": []}}),
    AuditEvent("role.given", "p-2", {"before": None, "after": GRANT}),
    AuditEvent("role.taken", "p-2", {"before": GRANT, "after": None}),
    AuditEvent("role.given", "p-3", {"before": None, "after": OTHER_GRANT}),
    AuditEvent("environment.registered", "e:1", {}),
    AuditEvent("release.composed", "prod/LYON:1", {"digest": "r1"}),
    AuditEvent("release.made_live", "prod/LYON:1", {"before": None}),
    AuditEvent("session.began", "ada", {"session": 4}),
    AuditEvent("token.created", "token 3", {}),
    AuditEvent("account.made", "grace", {"person": "p-2"}),
)
logs = st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from([ADA, GRACE, ANYBODY])), max_size=30)


def log(told: Sequence[tuple[AuditEvent, Actor]]) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number, (event, actor) in enumerate(told, start=1):
        previous = entries[-1].digest if entries else GENESIS
        at = NOON.replace(microsecond=number % 2)
        entries.append(chained(number, at, actor, event, previous))
    return entries


def pages(rows: Sequence[AuditRow], size: int, requests: frozenset[int] = frozenset()) -> Iterator[AuditPage]:
    after, previous = 0, GENESIS.hex
    for start in range(0, len(rows), size):
        some = tuple(rows[start : start + size])
        yield AuditPage(some, after, previous, requests)
        after, previous = some[-1].number, some[-1].digest


def told(
    rows: Sequence[AuditRow], size: int, requests: frozenset[int] = frozenset()
) -> Chronicle | BrokenLog:
    return read_log(map(read_page, pages(rows, size, requests)), requests)


@given(logs, st.integers(1, 31))
def test_it_tells_the_same_wherever_it_is_cut(said: list[tuple[AuditEvent, Actor]], size: int) -> None:
    entries = log(said)
    wanted = frozenset({1})
    plain = Chronicle(requests={1: []})
    for entry in entries:
        plain.add(entry)
    found = told(list(map(row_of, entries)), size, wanted)
    assert isinstance(found, Chronicle)
    assert replace(found, revoked=set()) == replace(plain, revoked=set())


def test_a_log_of_nothing_tells_nothing() -> None:
    assert told([], 5) == Chronicle()


WHOLE = log([(event, actor) for event in EVENTS for actor in (ADA, GRACE, ANYBODY)])
ROWS = tuple(map(row_of, WHOLE))


def with_content(row: AuditRow, **changed: Any) -> AuditRow:
    said = json.loads(row.content)
    for path, value in changed.items():
        *inside, last = path.split("__")
        place = said
        for name in inside:
            place = place[name]
        place[last] = value
    return row._replace(content=json.dumps(said))


CHANGES: Mapping[str, Mapping[str, Any]] = {
    "number": {"number": 99},
    "another moment": {"at": "2025-11-01T12:00:00.000009Z"},
    "another name": {"actor__name": "eve"},
    "another standing": {"actor__standing": "verified"},
    "no proof": {"actor__proof": None},
    "another person": {"actor__person": "p-9"},
    "another action": {"event__action": "model.rejected"},
    "another subject": {"event__subject": "m:9"},
    "another detail": {"event__detail": {"artifact": "a9"}},
    "another previous": {"previous__hex": "1" * 64},
    "another digest": {"digest__hex": "1" * 64},
}


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("place", [3, 9])
def test_a_changed_entry_is_found(what: str, size: int, place: int) -> None:
    rows = list(ROWS)
    changed = with_content(rows[place], **CHANGES[what])
    assert AUDIT_ENTRY.from_json(changed.content, "") != WHOLE[place]
    rows[place] = changed
    found = told(rows, size)
    assert isinstance(found, BrokenLog)
    assert found.number == rows[place].number


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("change", [{"number": 99}, {"digest": "1" * 64}, {"about": "request 9"}])
def test_a_changed_column_is_found(change: Mapping[str, Any], size: int) -> None:
    rows = list(ROWS)
    rows[4] = rows[4]._replace(**change)
    found = told(rows, size)
    assert isinstance(found, BrokenLog)
    assert found.number in (rows[4].number, 5)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_entries_that_are_gone_doubled_or_swapped_are_found(size: int) -> None:
    gone = [*ROWS[:5], *ROWS[6:]]
    doubled = [*ROWS[:5], ROWS[4], *ROWS[5:]]
    swapped = [*ROWS[:5], ROWS[6], ROWS[5], *ROWS[7:]]
    for rows in (gone, doubled, swapped, ROWS[1:]):
        assert isinstance(told(list(rows), size), BrokenLog)


@pytest.mark.parametrize("size", [1, 100])
def test_an_entry_may_be_written_in_another_way(size: int) -> None:
    """As an earlier format, or a restored copy, has it."""
    spaced = [row._replace(content=json.dumps(json.loads(row.content), indent=1)) for row in ROWS]
    backwards = [
        row._replace(content=json.dumps(dict(reversed(json.loads(row.content).items())))) for row in ROWS
    ]
    first_format = []
    for row in ROWS:
        said = json.loads(row.content)
        said["format"] = 1
        first_format.append(row._replace(content=json.dumps(said)))
    for rows in (spaced, backwards, first_format):
        assert told(rows, size) == told(ROWS, size)
        assert isinstance(told(rows, size), Chronicle)


def test_several_processes_tell_the_same_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 2)
    found = read_log(processes.in_processes(read_page, pages(ROWS, 7), alone=1))
    assert found == told(ROWS, 7)
    assert isinstance(found, Chronicle)
    broken = [*ROWS[:40], *ROWS[41:]]
    assert read_log(processes.in_processes(read_page, pages(broken, 7))) == told(broken, 7)
