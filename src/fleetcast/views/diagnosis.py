"""A diagnosis in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from fleetcast.domain.canonical import Json
from fleetcast.domain.diagnosis import Diagnosis, Verdict
from fleetcast.domain.legible import legible
from fleetcast.domain.wording import counted

_SIGNS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.NOT_CHECKED: "-", Verdict.ACCEPTED: "!"}
_SAID = (Verdict.NOT_CHECKED, Verdict.ACCEPTED)
"""Verdicts that a sign alone does not explain."""


def lines(found: Diagnosis) -> Iterator[str]:
    """Each finding on a line, with its mend below where there is one; then how it stands, and whom to ask."""
    for one in found.findings:
        verdict = f"{one.verdict}: " if one.verdict in _SAID else ""
        yield f"{_SIGNS[one.verdict]} {one.name}: {verdict}{legible(one.seen)}"
        if one.mend:
            yield f"      {legible(one.mend)}"
    count = {verdict: sum(one.verdict is verdict for one in found.findings) for verdict in Verdict}
    accepted = f", {count[Verdict.ACCEPTED]} accepted" if count[Verdict.ACCEPTED] else ""
    yield (
        f"{counted(count[Verdict.HOLDS], 'finding holds', 'findings hold')}, "
        f"{count[Verdict.FAILS]} not, {count[Verdict.NOT_CHECKED]} not checked{accepted}"
    )
    if found.contacts:
        yield "whom to ask:"
        for name, reach in found.contacts.items():
            yield f"  {name}: {reach}"


def as_json(found: Diagnosis) -> dict[str, Json]:
    """The same for programs."""
    return {
        "is_well": found.is_well,
        "findings": [
            {"name": one.name, "verdict": one.verdict.value, "seen": one.seen, "fix": one.mend or None}
            for one in found.findings
        ],
        "contacts": [{"name": name, "reach": reach} for name, reach in found.contacts.items()],
    }
