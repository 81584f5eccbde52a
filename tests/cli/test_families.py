"""`fleetcast families`: what a circuit can be modelled with."""

from __future__ import annotations

import json

import pytest

from fleetcast.cli.main import run
from fleetcast.domain.family import FAMILIES, SAYS


def test_each_family_is_listed_with_all_its_hyperparameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["families"]) == 0
    said = capsys.readouterr().out
    for family, parameters in FAMILIES.items():
        assert f"\n{family}\n" in f"\n{said}"
        assert SAYS[family] in said
        for parameter in parameters:
            (line,) = (line for line in said.splitlines() if line.startswith(f"{parameter.name} "))
            assert parameter.says in line
            assert parameter.default in line


def test_programs_read_ranges_and_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["families", "linear", "--format", "json"]) == 0
    (family,) = json.loads(capsys.readouterr().out)
    found = {each["name"]: each for each in family["hyperparameters"]}
    assert (found["lookback"]["kind"], found["lookback"]["minimum"], found["lookback"]["maximum"]) == (
        "integer",
        8,
        4096,
    )
    assert found["sharing"]["choices"] == ["auto", "per-sensor", "pooled"]


def test_an_unknown_family_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["families", "lineer"]) == 1
    said = capsys.readouterr().err
    assert "did you mean 'linear'?" in said
    assert "fleetcast families" in said
