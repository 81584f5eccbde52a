from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.plan import AssetAction, SavedPlan
from fleetcast.views.plan import assets_in_words, read_saved, save, summary
from tests.views.examples import GOLDEN, MARKDOWN, PLAN


def test_the_markdown_is_as_it_was_reviewed() -> None:
    assert (GOLDEN / "plan.md").read_text(encoding="utf-8") == MARKDOWN


def test_a_saved_plan_is_known_again_by_its_digest(tmp_path: Path) -> None:
    save(PLAN, tmp_path / "plan.json")
    assert read_saved(tmp_path / "plan.json") == SavedPlan(2, PLAN.digest)


def test_a_plan_saved_in_the_first_format_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"since": None, "format": 1, "digest": PLAN.digest.hex, "fleet": "f" * 64}))
    assert read_saved(path) == SavedPlan(1, PLAN.digest)


def test_a_plan_saved_in_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format": 3, "digest": PLAN.digest.hex}))
    with pytest.raises(BadInput, match="has format 3") as caught:
        read_saved(path)
    assert "save the plan again" in caught.value.fix


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 7}', '{"digest": "short"}'])
def test_another_file_is_no_saved_plan(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(BadInput, match="is not a saved plan"):
        read_saved(path)


def test_a_plan_that_cannot_be_saved_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot write"):
        save(PLAN, tmp_path / "nowhere" / "plan.json")


def test_the_summary_counts_each_action() -> None:
    assert summary(PLAN) == (
        "Plan: 1 to train, 1 to reuse, 1 up to date, 1 blocked, 1 removed. "
        "About 90 s of training in 2 jobs, about 0.42 EUR, from past runs."
    )
    assert summary(replace(PLAN, circuits=(), assets=())) == "Plan: no circuits. Nothing to do."


def test_many_promotions_of_models_are_one_line() -> None:
    many = [AssetAction("promote", "model", f"m{i}", "1", "awaits approval" if i else "") for i in range(20)]
    assert assets_in_words(many) == ["promote 20 models (19 await approval)"]
    assert assets_in_words(many[:2]) == ["promote model m0:1", "promote model m1:1 (awaits approval)"]
