"""Editing circuit files: the lines that must change, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetcast.config.edit_circuits import CircuitEditor, Edited, edit
from fleetcast.config.format_files import format_fleet
from fleetcast.config.reader import load_fleet
from fleetcast.config.templates import init_fleet
from fleetcast.domain.errors import BadInput, InvalidFleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.training_hash import training_hash, training_inputs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
C1, C2, C3, D1 = (CircuitKey("P1", name) for name in ("C1", "C2", "C3", "D1"))
DEFAULTS = """\
defaults:
  features: [a, b]
  frequency: 1h
  forecast_horizon: 24h
  training_days: 30
  cutoff_date: 2025-06-30   # the fleet's
  data_source: readings
  delta_version: 3
  pipeline_component_version: 1.0.0
  model: linear
"""
PLANTS = """\
plants:
  # the first hall 🏭
  P1:
    defaults:
      cutoff_date: '2025-07-31'  # the plant's
    circuits:
      # by the window
      C1: {}
      C2: {owner: Bär, tags: {line: A}}   # flow style
      C3:
        description: >
          folded
          text
        owner: cooling
      # the last
      D1:

# the end
"""


def written(folder: Path, circuits: str) -> Path:
    init_fleet(folder)
    (folder / "config" / "circuits.yaml").write_bytes(circuits.encode())
    return folder


def text_of(folder: Path) -> str:
    return (folder / "config" / "circuits.yaml").read_bytes().decode()


def set_values(folder: Path, wanted: Mapping[CircuitKey, Mapping[str, str | int]]) -> Edited:
    return edit(folder, lambda editor: editor.set_values(wanted), now=NOW)


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def hashes(folder: Path) -> dict[CircuitKey, str]:
    fleet = load_fleet(folder, now=NOW)
    return {circuit.key: training_hash(training_inputs(circuit)).hex for circuit in fleet.circuits}


def test_what_all_inherit_changes_in_the_defaults(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    before = text_of(folder)
    edited = set_values(folder, {key: {"cutoff_date": "2025-08-31"} for key in (C1, C2, C3, D1)})
    assert changed_lines(before, text_of(folder)) == (
        ["      cutoff_date: '2025-07-31'  # the plant's"],
        ["      cutoff_date: 2025-08-31  # the plant's"],
    )
    assert edited.circuits == (C1, C2, C3, D1)


def test_what_some_inherit_is_stated_by_those_chosen_from_now_on(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    before = text_of(folder)
    set_values(folder, {key: {"delta_version": 7} for key in (C1, C2, C3)})
    after = text_of(folder)
    assert changed_lines(before, after) == (
        ["      C1: {}", "      C2: {owner: Bär, tags: {line: A}}   # flow style"],
        [
            "      C1: {delta_version: 7}",
            "      C2: {owner: Bär, tags: {line: A}, delta_version: 7}   # flow style",
            "        delta_version: 7",
        ],
    )
    found = {circuit.key: circuit.delta_version for circuit in load_fleet(folder, now=NOW).circuits}
    assert found == {C1: 7, C2: 7, C3: 7, D1: 3}


def test_a_circuit_that_says_nothing_yet_gets_its_first_setting(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    set_values(folder, {D1: {"revision": 1}})
    assert "      D1: {revision: 1}\n" in text_of(folder)


def test_the_same_edit_again_changes_nothing(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    wanted: dict[CircuitKey, dict[str, str | int]] = {
        C1: {"cutoff_date": "2025-08-31", "delta_version": 4},
        D1: {"delta_version": 4},
    }
    set_values(folder, wanted)
    before = text_of(folder)
    assert set_values(folder, wanted).files == {}
    assert text_of(folder) == before


FLAT = """\
circuits:
  - plant_id: P1
    circuit_id: C1
    cutoff_date: 2025-05-31
  # spare
  - {plant_id: P1, circuit_id: C2}
  - plant_id: P2   # the other plant
    circuit_id: C3
    owner: somebody
"""


def test_a_flat_list_is_edited_in_its_own_style(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + FLAT)
    other = CircuitKey("P2", "C3")
    set_values(folder, {C1: {"cutoff_date": "2025-06-01"}, C2: {"revision": 1}, other: {"revision": 2}})
    text = text_of(folder)
    assert "    cutoff_date: 2025-06-01\n" in text
    assert "  - {plant_id: P1, circuit_id: C2, revision: 1}\n" in text
    assert "    owner: somebody\n    revision: 2\n" in text
    edit(folder, lambda editor: editor.add([CircuitKey("P2", "C4")], {"owner": "new one"}), now=NOW)
    assert text_of(folder).endswith("  - plant_id: P2\n    circuit_id: C4\n    owner: 'new one'\n")
    edit(folder, lambda editor: editor.retire([C2, other]), now=NOW)
    assert "spare" not in text_of(folder)
    assert [str(key) for key in hashes(folder)] == ["P1/C1", "P2/C4"]


def test_new_circuits_stand_next_to_those_of_their_plant(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    keys = [CircuitKey("P2", "C1"), CircuitKey("P1", "D2"), CircuitKey("P1", "D3")]
    edit(folder, lambda editor: editor.add(keys, {"owner": "cooling", "features": "[a]"}), now=NOW)
    assert (
        "      D1:\n"
        "      D2: {owner: cooling, features: [a]}\n"
        "      D3: {owner: cooling, features: [a]}\n"
        "  P2:\n"
        "    circuits:\n"
        "      C1: {owner: cooling, features: [a]}\n"
        "\n# the end\n"
    ) in text_of(folder)


def test_a_circuit_that_is_there_is_not_added_again(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    with pytest.raises(BadInput, match=r"P1/C2 is declared already at config/circuits\.yaml:"):
        edit(folder, lambda editor: editor.add([C2], {}), now=NOW)


def test_retired_circuits_go_with_the_comments_above_them(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    edit(folder, lambda editor: editor.retire([C1, C3]), now=NOW)
    assert text_of(folder) == DEFAULTS + PLANTS.replace(
        PLANTS[PLANTS.index("      # by the window") : PLANTS.index("      C2:")], ""
    ).replace(PLANTS[PLANTS.index("      C3:") : PLANTS.index("      # the last")], "")


def test_a_plant_that_loses_all_its_circuits_goes_too_but_never_the_last(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    edit(folder, lambda editor: editor.add([CircuitKey("P2", "C1")], {}), now=NOW)
    edit(folder, lambda editor: editor.retire([C1, C2, C3, D1]), now=NOW)
    assert "P1" not in text_of(folder)
    assert "hall" not in text_of(folder)
    before = text_of(folder)
    with pytest.raises(InvalidFleet):
        edit(folder, lambda editor: editor.retire([CircuitKey("P2", "C1")]), now=NOW)
    assert text_of(folder) == before


@pytest.mark.parametrize(
    ("circuits", "said"),
    [
        (DEFAULTS.replace("2025-06-30", "&c 2025-06-30") + PLANTS.replace("'2025-07-31'", "*c"), "alias"),
        (DEFAULTS + PLANTS.replace("'2025-07-31'", "&c 2025-07-31"), "not written as a single value"),
        (
            DEFAULTS + PLANTS.replace("'2025-07-31'", ">\n        2025-07-31\n"),
            "not written as a single value",
        ),
    ],
)
def test_forms_that_cannot_be_edited_are_refused_with_their_line(
    tmp_path: Path, circuits: str, said: str
) -> None:
    folder = written(tmp_path / "f", circuits.replace("  # the plant's", ""))
    before = text_of(folder)
    with pytest.raises(BadInput, match=rf"config/circuits\.yaml:\d+: .*{said}") as caught:
        set_values(folder, {key: {"cutoff_date": "2025-08-31"} for key in (C1, C2, C3, D1)})
    assert "hand" in caught.value.fix or "write the value out" in caught.value.fix
    assert text_of(folder) == before


def test_circuits_on_one_line_are_not_retired_one_by_one(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + "plants: {P1: {circuits: {C1: {}, C2: {}}}}\n")
    with pytest.raises(BadInput, match="on one line"):
        edit(folder, lambda editor: editor.retire([C1]), now=NOW)
    set_values(folder, {C1: {"revision": 1}})
    assert "{C1: {revision: 1}, C2: {}}" in text_of(folder)


@pytest.mark.parametrize("value", ["2025-02-30", "tomorrow", "2099-01-01", "2025-01-01}"])
def test_values_that_are_not_valid_change_nothing(tmp_path: Path, value: str) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    before = text_of(folder)
    with pytest.raises(InvalidFleet):
        set_values(folder, {C1: {"cutoff_date": value}})
    assert text_of(folder) == before


def test_a_file_that_somebody_else_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + PLANTS)
    editor = CircuitEditor(folder, now=NOW)
    edited = editor.set_values({C1: {"revision": 1}})
    theirs = text_of(folder) + "# theirs\n"
    (folder / "config" / "circuits.yaml").write_text(theirs, encoding="utf-8")
    with pytest.raises(BadInput, match="changed meanwhile"):
        editor.write(edited)
    assert text_of(folder) == theirs


def test_lines_that_end_the_windows_way_and_byte_order_marks_stay(tmp_path: Path) -> None:
    windows = "\ufeff" + (DEFAULTS + PLANTS).replace("\n", "\r\n")
    folder = written(tmp_path / "f", windows)
    set_values(folder, {C3: {"revision": 1}, C1: {"revision": 1}})
    edit(folder, lambda editor: editor.add([CircuitKey("P1", "D2")], {}), now=NOW)
    text = text_of(folder)
    assert text.startswith("\ufeff")
    assert text.count("\n") == text.count("\r\n")
    assert len(hashes(folder)) == 5


def test_a_file_without_a_last_line_break_can_be_extended(tmp_path: Path) -> None:
    folder = written(tmp_path / "f", DEFAULTS + "plants:\n  P1:\n    circuits:\n      C1: {}")
    edit(folder, lambda editor: editor.add([C2], {}), now=NOW)
    assert text_of(folder).endswith("      C1: {}\n      C2: {}")
    edit(folder, lambda editor: editor.retire([C2]), now=NOW)
    assert list(hashes(folder)) == [C1]


STYLES = st.sampled_from(
    ["{}", "", "~", "{owner: x}", "{owner: x, }", "\n        owner: x  # why", "null  # c"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    styles=st.lists(STYLES, min_size=1, max_size=6),
    own=st.sets(st.integers(0, 5)),
    chosen=st.sets(st.integers(0, 5), min_size=1),
    plant=st.booleans(),
)
def test_exactly_the_chosen_circuits_get_the_new_value(
    tmp_path_factory: pytest.TempPathFactory,
    styles: list[str],
    own: set[int],
    chosen: set[int],
    plant: bool,
) -> None:
    rows = []
    for number, style in enumerate(styles):
        rows.append(f"      # note {number}\n      C{number}: {style}".rstrip(" "))
        if number in own and style.startswith("\n"):
            rows.append("        delta_version: 5")
    defaults = "    defaults: {delta_version: 4}\n" if plant else ""
    text = f"{DEFAULTS}plants:\n  P1:\n{defaults}    circuits:\n" + "\n".join(rows) + "\n"
    folder = written(tmp_path_factory.mktemp("f") / "f", text)
    before = load_fleet(folder, now=NOW).circuits
    wanted = {CircuitKey("P1", f"C{n}") for n in chosen if n < len(styles)}
    set_values(folder, {key: {"delta_version": 9} for key in wanted})
    after = load_fleet(folder, now=NOW).circuits
    assert [(c.key, c.delta_version) for c in after] == [
        (c.key, 9 if c.key in wanted else c.delta_version) for c in before
    ]
    assert text_of(folder).count("# note") == len(styles)
    formatted(folder)


def formatted(folder: Path) -> None:
    """Formatting changes no training hash, loses no comment, and is done after once."""
    before, comments = hashes(folder), text_of(folder).count("#")
    format_fleet(folder, now=NOW, write=True)
    assert hashes(folder) == before
    assert text_of(folder).count("#") == comments
    assert format_fleet(folder, now=NOW, write=True).files == {}


def test_formatting_gives_one_form_and_keeps_every_comment(tmp_path: Path) -> None:
    messy = (
        "defaults:\n"
        "    model:   'linear'     # family\n"
        "    features:\n"
        "    - a\n"
        "    - b\n"
        '    frequency: "1h"\n'
        "    forecast_horizon: 24h\n"
        "    training_days: 30\n"
        "    cutoff_date: 2025-06-30\n"
        "    data_source: readings\n"
        "    delta_version: 3\n"
        '    pipeline_component_version: "1.0.0"\n'
        "plants:\n"
        "    P1:\n"
        "        circuits:\n"
        "            C1: {  owner:  'x' ,revision: 2}\n"
    )
    folder = written(tmp_path / "f", messy)
    formatted(folder)
    text = text_of(folder)
    assert "  features:\n    - a\n    - b\n" in text
    assert "# family" in text
    assert "      C1: {revision: 2, owner: x}\n" in text
