"""Tampering with a fleet, looking what is named, and what happens then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from tests.scenarios.repository import CIRCUIT01, Repository, Said
from tests.tamper.cases import Store, Tampering

Type = Callable[..., Said]


def waiting(fleet: Repository, type_: Type) -> None:
    """The models wait; somebody approved their environment, here, so that a checkpoint knows this place."""
    environment = next(one["request_id"] for one in fleet.requests() if one["kind"] == "environment")
    assert type_("approve", str(environment)).code == 0


def approved(fleet: Repository, type_: Type) -> None:
    """The models were approved, and no run has acted on it yet."""
    assert type_("approve", "--passing").code == 0


def promoted(fleet: Repository, type_: Type) -> None:
    """There are champions, and a newer version of each waits."""
    shutil.copytree(fleet.state, fleet.folder / "before")
    assert type_("approve", "--passing").code == 0
    assert type_("train").code == 0
    for circuit in ("CIRCUIT01", "CIRCUIT02"):
        fleet.declare(circuit, "revision: 1")
    assert type_("train").code == 3


def wrong(fleet: Repository, case: Tampering, type_: Type, say: Callable[[str], object]) -> Iterator[str]:
    """What does not come out as it should."""
    store = Store(fleet.state, fleet.folder / "before")
    before, logged = used(store), moves(store)
    case.do(store)
    verified = type_("audit", "verify")
    told = (verified.out + verified.err).strip()
    say(f"   `audit verify` → exit {verified.code}: {_gist(verified)}")
    if verified.code != 1 or case.named not in told:
        yield f"`audit verify` does not name it: {told}"
    for words in (("train",), ("forecast", CIRCUIT01)):
        said = type_(*words)
        say(f"   `{' '.join(words)}` → exit {said.code}: {_gist(said)}")
        if "Traceback" in said.err:
            yield f"`{words[0]}` ends in a traceback: {said.err}"
        if words[0] == "forecast" and said.code == 0 and before and f"{before[0]}" not in said.out:
            yield f"it forecasts with another model than {before[0]}: {said.out}"
    if new := [move for move in moves(store) if move not in logged]:
        yield f"models moved: {new}"


def _gist(said: Said) -> str:
    """What is wrong, in its first words; else the last line."""
    wrong_ones = [line for line in said.err.splitlines() if line.startswith("error:")]
    lines = wrong_ones or said.out.strip().splitlines()[-1:] or said.err.strip().splitlines()[-1:]
    text = lines[0] if lines else ""
    return text if len(text) <= 300 else text[:299] + "…"


def used(store: Store) -> list[str]:
    """The champions, as `NAME:VERSION`."""
    return [
        f"{name}:{version}"
        for name, version in store.rows("SELECT name, version FROM champions ORDER BY name")
    ]


def moves(store: Store) -> list[str]:
    """What the log knows to have been shared or made a champion."""
    rows = store.rows(
        "SELECT content FROM audit WHERE content LIKE '%\"model.shared\"%' OR content LIKE '%\"model.crowned\"%' "
        "ORDER BY number"
    )
    return [content.split('"subject":"', 1)[1].split('"', 1)[0] for (content,) in rows]
