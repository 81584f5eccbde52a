"""Whatever is typed into the database without the key is named, and moves no model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.conftest import declared_once, server, trained, trained_once
from tests.scenarios.repository import CIRCUIT01, ON_SQLITE, Repository
from tests.tamper import telling
from tests.tamper.cases import APPROVED, PROMOTED, WAITING, Tampering

__all__ = ["declared_once", "server", "trained", "trained_once"]
CASES = [
    *((telling.waiting, case) for case in WAITING),
    *((telling.approved, case) for case in APPROVED),
    *((telling.promoted, case) for case in PROMOTED),
]


@ON_SQLITE
@pytest.mark.parametrize(
    ("state", "case"), [pytest.param(*pair, id=f"{pair[0].__name__}: {pair[1].name}") for pair in CASES]
)
def test_tampering_is_named_and_moves_no_model(
    trained: Repository, state: Callable[[Repository, Any], None], case: Tampering
) -> None:
    state(trained, trained.type)
    assert list(telling.wrong(trained, case, trained.type, print)) == []


@ON_SQLITE
def test_a_fleet_that_nobody_touched_is_whole(trained: Repository) -> None:
    telling.promoted(trained, trained.type)
    verified = trained.type("audit", "verify")
    assert verified.code == 0, verified.err
    assert "unbroken" in verified.out
    assert "holds, at entry" in verified.out
    assert "not independent" in verified.out


@ON_SQLITE
def test_a_champion_whose_entry_was_changed_is_not_used(trained: Repository) -> None:
    telling.promoted(trained, trained.type)
    assert trained.type("forecast", CIRCUIT01).code == 0
    trained.change(
        "UPDATE audit SET content = replace(content, 'crowned', 'crowneD') WHERE content LIKE '%%model.crowned%%'"
    )
    refused = trained.type("forecast", CIRCUIT01)
    assert (refused.code, "is vouched for by no trusted seal" in refused.err) == (1, True)
