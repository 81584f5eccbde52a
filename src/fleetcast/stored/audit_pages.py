"""Pages of the audit log as rows: read, and seen to be a chain, by whatever process is free.

A log of a million entries is read whole before anything is done on its strength. Most entries matter for the chain
alone: of those nothing is made but their digest. What is not written just as this fleetcast writes it is read in the
usual way.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from fleetcast.domain.audit import about, follows
from fleetcast.domain.canonical import Json, canonical_json
from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.domain.identity import Digest
from fleetcast.stored.audit import AUDIT_ENTRY

Detail = Mapping[str, Json]
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # typeshed leaves it out
"""Reads a value from where it begins; what `json.loads` does besides takes as long as reading an entry."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_SIZES = (7, 4, 3, 1, 1)
"""Fields of an entry, its actor, its event and its two digests: each is asked for by name, and there are no others."""


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


def read_page(page: AuditPage) -> Chronicle | BrokenLog:
    """What a page tells, if each of its entries is what its digest says and follows the one before.

    Raises:
        BadInput: An entry cannot be read; the text names it.
    """
    told = Chronicle(requests={number: [] for number in page.requests})
    told.entries, head = page.after, page.previous
    for row in page.rows:
        light = _light(row, told.entries + 1, head)
        if light is None or _matters(*light, page.requests):
            broken = _read_whole(row, told, head)
        else:
            broken = _filed_elsewhere(row, *light)
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
    event = entry.event
    if broken := _filed_elsewhere(row, event.action, event.subject, event.detail):
        return broken
    told.add(entry)
    return None


def _filed_elsewhere(row: AuditRow, action: str, subject: str, detail: Detail) -> BrokenLog | None:
    wanted = about(action, subject, detail)
    if row.about == wanted:
        return None
    return BrokenLog(row.number, action, f"is filed under {row.about!r}, not {wanted!r}")


def _matters(action: str, _subject: str, detail: Detail, requests: Collection[int]) -> bool:
    """Whether a chronicle takes note of an event."""
    return Chronicle.notes(action) or (bool(requests) and detail.get("request") in requests)


def _light(row: AuditRow, number: int, previous: str) -> tuple[str, str, Detail] | None:
    """What happened, by an entry written as this fleetcast writes it that is what its digest says; else None."""
    try:
        said, end = _scan(row.content, 0)
        actor, event = said["actor"], said["event"]
        proof, before, own = actor["proof"], said["previous"], said["digest"]
        plainly = (
            end == len(row.content)
            and (len(said), len(actor), len(event), len(before), len(own)) == _SIZES
            and (proof is None or len(proof) == 2)
            and said["format"] == AUDIT_ENTRY.number
            and type(said["number"]) is int
            and said["number"] == number == row.number
            and before["hex"] == previous
            and own["hex"] == row.digest
            and _MOMENT.fullmatch(said["at"]) is not None
            and isinstance(event["detail"], dict)
        )
        if not plainly or _digest(said, actor, proof, event) != row.digest:
            return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, StopIteration):
        return None
    return event["action"], event["subject"], event["detail"]


def _digest(
    said: Mapping[str, Any],
    actor: Mapping[str, Any],
    proof: Mapping[str, Any] | None,
    event: Mapping[str, Any],
) -> str:
    """The digest of an entry, from the canonical JSON of its parts; a text that is none raises TypeError."""
    text = encode_basestring
    parts: Sequence[str] = (
        f'{{"action":{text(event["action"])},"actor":{text(actor["name"])},"at":"{said["at"][:-1]}+00:00"',
        f',"detail":{canonical_json(event["detail"]) if event["detail"] else "{}"},"number":{said["number"]}',
        f',"person":{text(actor["person"])}' if actor["person"] else "",
        f',"previous":"{said["previous"]["hex"]}"',
        ""
        if proof is None
        else f',"proof":{{"detail":{text(proof["detail"])},"means":{text(proof["means"])}}}',
        f',"standing":{text(actor["standing"])},"subject":{text(event["subject"])}}}',
    )
    return hashlib.sha256("".join(parts).encode()).hexdigest()
