"""A saved plan that is torn, or is no plan: one error that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.views.plan import read_saved, save
from tests.views.examples import PLAN


def test_a_plan_that_was_cut_off_is_one_error_that_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    save(PLAN, file)
    assert read_saved(file).digest == PLAN.digest
    whole = file.read_bytes()
    half = len(whole) // 2
    cut = [whole[:length] for length in (0, 1, 2, half, len(whole) - 2)]
    for content in (*cut, whole[:half] + b"\xff" + whole[half + 1 :]):
        file.write_bytes(content)
        with pytest.raises(BadInput, match=r"plan\.json is not a saved plan"):
            read_saved(file)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{}",
        '{"format":1e999,"digest":"a"}',
        '{"format":"' + "9" * 5_000 + '","digest":"a"}',
        "[" * 100_000,
        '{"format":2,"digest":[]}',
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_plan_is_one_error_that_names_its_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"plan\.json is not a saved plan") as caught:
        read_saved(file)
    assert caught.value.fix
