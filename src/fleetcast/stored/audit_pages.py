"""Pages of the audit log as rows: read, and seen to be a chain, by whatever process is free.

A log of a million entries is read whole before anything is done on its strength. An entry that is written just as this
fleetcast writes it is neither parsed nor written again to be hashed: its digest is that of its parts in another order.
What is written in any other way is read in the usual way.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fleetcast.domain.audit import ENVIRONMENT_REGISTERED, AuditEvent, follows
from fleetcast.domain.canonical import Json, canonical_json
from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.domain.identity import Digest
from fleetcast.stored.audit import AUDIT_ENTRY

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # typeshed leaves it out
"""Reads a value from where it begins; what `json.loads` does besides takes as long as reading what happened."""
_TEXT = r'"[^"\\\x00-\x1f]*"'
"""A text with nothing in it that JSON has to escape: there is one way to write it."""
_HEX = r'\{"hex":"([0-9a-f]{64})"\}'
_PLAIN = re.compile(
    rf'\{{"format":{AUDIT_ENTRY.number},"number":([1-9][0-9]*),'
    r'"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?)Z",'
    rf'"actor":\{{"name":({_TEXT}),"standing":({_TEXT}),'
    rf'"proof":(?:null|\{{"means":({_TEXT}),"detail":({_TEXT})\}}),"person":({_TEXT})\}},'
    rf'"event":\{{"action":({_TEXT}),"subject":({_TEXT}),"detail":(\{{.*\}})\}},'
    rf'"previous":{_HEX},"digest":{_HEX}\}}'
)
"""An entry as `AUDIT_ENTRY` writes nearly all of them."""


class AuditRow(NamedTuple):
    """An entry as its row holds it: a tuple, as millions go from one process to another."""

    number: int
    digest: str
    """As a column beside it says."""
    about: str
    """As a column beside it says."""
    content: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows that follow each other."""

    rows: tuple[AuditRow, ...]
    """At least one."""
    after: int
    """The number of the entry before the first."""
    previous: str
    """The digest of that entry, as its column says."""
    requests: frozenset[int] = frozenset()
    """Those whose entries are kept."""

    def __reduce__(self) -> tuple[object, ...]:
        # Millions of rows are sent without their names in half the time.
        return _received, (tuple(map(tuple, self.rows)), self.after, self.previous, self.requests)


def _received(
    rows: tuple[tuple[int, str, str, str], ...], after: int, previous: str, requests: frozenset[int]
) -> AuditPage:
    return AuditPage(tuple(map(AuditRow._make, rows)), after, previous, requests)


def read_page(page: AuditPage) -> Chronicle | BrokenLog:
    """What a page tells, if each of its entries is what its digest says and follows the one before.

    Raises:
        BadInput: An entry cannot be read; the text names it.
    """
    told = Chronicle(requests={number: [] for number in page.requests})
    told.entries, head = page.after, page.previous
    for row in page.rows:
        event = _plainly_told(row, told.entries + 1, head)
        if event is None or _tells_who(event, page.requests):
            broken = _read_whole(row, told, head)
        else:
            broken = _filed_elsewhere(row, event)
            told.note(event)
            told.entries = row.number
        if broken is not None:
            return broken
        head = row.digest
    told.head = Digest(head)
    return told


def _read_whole(row: AuditRow, told: Chronicle, head: str) -> BrokenLog | None:
    entry = AUDIT_ENTRY.from_json(row.content, f"audit entry {row.number}")
    fits = follows(entry, told.entries + 1, Digest(head)) and (entry.number, entry.digest.hex) == (
        row.number,
        row.digest,
    )
    if not fits:
        return BrokenLog(row.number, entry.event.action, "does not fit the one before it")
    broken = _filed_elsewhere(row, entry.event)
    if broken is None:
        told.add(entry)
    return broken


def _filed_elsewhere(row: AuditRow, event: AuditEvent) -> BrokenLog | None:
    wanted = event.about
    if row.about == wanted:
        return None
    return BrokenLog(row.number, event.action, f"is filed under {row.about!r}, not {wanted!r}")


def _tells_who(event: AuditEvent, requests: frozenset[int]) -> bool:
    """Whether a chronicle keeps more of an entry than what happened."""
    return event.action == ENVIRONMENT_REGISTERED or (
        bool(requests) and event.detail.get("request") in requests
    )


def _plainly_told(row: AuditRow, number: int, previous: str) -> AuditEvent | None:
    """What happened, by an entry written as this fleetcast writes it that is what its digest says; else None."""
    parts = _PLAIN.fullmatch(row.content)
    if parts is None:
        return None
    said, at, name, standing, means, proof, person, action, subject, written, before, own = parts.groups()
    if not (row.number == number == int(said) and before == previous and own == row.digest):
        return None
    try:
        detail, canonical = _detail(written)
    except (ValueError, TypeError, StopIteration, RecursionError):
        return None
    known_as = "" if person == '""' else f',"person":{person}'
    shown = "" if means is None else f',"proof":{{"detail":{proof},"means":{means}}}'
    content = (
        f'{{"action":{action},"actor":{name},"at":"{at}+00:00","detail":{canonical},"number":{said}{known_as}'
        f',"previous":"{before}"{shown},"standing":{standing},"subject":{subject}}}'
    )
    if hashlib.sha256(content.encode()).hexdigest() != own:
        return None
    return AuditEvent(action[1:-1], subject[1:-1], detail)


def _detail(written: str) -> tuple[Mapping[str, Json], str]:
    """What a detail says, and its canonical JSON."""
    if written == "{}":
        return {}, written
    detail, end = _scan(written, 0)
    if end != len(written):
        raise ValueError("more than one value")
    if _is_canonical(detail, written):
        return detail, written
    return detail, canonical_json(detail)


def _is_canonical(detail: Mapping[str, Json], written: str) -> bool:
    """Whether texts alone are written in the order of their names, with nothing that could be written otherwise.

    Blanks between them are not looked for: with any, the digest is another.
    """
    return (
        written.isascii()
        and "\\" not in written
        and all(type(value) is str for value in detail.values())
        and written.count('":') == len(detail)  # no name comes twice
        and (len(detail) < 2 or list(detail) == sorted(detail))
    )
