"""The plan of an installation in words."""

from __future__ import annotations

from dataclasses import replace

from fleetcast.domain.installation import plan_installation
from fleetcast.domain.installed_devops import Environment, VariableGroup, Variables, VaultSecrets
from fleetcast.views.installation import lines, others_in_one_line, summary

GROUP = VariableGroup("g", Variables({"a": "1", "b": "2"}))


def test_each_thing_and_each_field_that_differs_has_a_line_with_both_values() -> None:
    found = VariableGroup("g", Variables({"a": "0"}))
    plan = plan_installation([GROUP, Environment("e")], [found])
    assert list(lines(plan)) == [
        "~ variable group g",
        "      variable a: 0 → 1",
        "      variable b: (absent) → 2",
        "+ environment e",
    ]
    assert summary(plan) == "1 to make, 1 to change, 0 as declared"


def test_values_are_never_cut_so_that_two_that_differ_look_different() -> None:
    long = "x" * 200
    wanted, found = (replace(GROUP, content=Variables({"a": long + end})) for end in ("1", "2"))
    assert list(lines(plan_installation([wanted], [found])))[1] == f"      variable a: {long}2 → {long}1"


def test_what_others_have_written_cannot_play_tricks_on_a_terminal() -> None:
    found = VariableGroup("g", Variables({"a": "\x1b[2Jgone\nline", "b": "2"}))
    plan = plan_installation([GROUP], [found, Environment("\x1b[31mred")])
    assert list(lines(plan))[1] == "      variable a: \\x1b[2Jgone\\nline → 1"
    assert others_in_one_line(plan) == "not ours, left as it is: environment \\x1b[31mred"
    blocked = plan_installation(
        [VariableGroup("g", VaultSecrets("v", "c", frozenset({"s"})))],
        [VariableGroup("g", Variables({"\x1b[31m": "1"}))],
    )
    assert all(line.isprintable() for line in lines(blocked))
    assert summary(blocked) == "0 to make, 0 to change, 0 as declared, 1 for people to decide"


def test_nothing_to_do_is_said_in_one_line() -> None:
    plan = plan_installation([GROUP], [GROUP])
    assert list(lines(plan)) == []
    assert summary(plan) == "nothing to do: 1 thing as declared"
    assert others_in_one_line(plan) == ""
