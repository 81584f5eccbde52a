"""What states say to somebody who reads them for the first time, at terminals of any width and through pipes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.first_impressions.screens import WIDTHS, Screen, at_terminal, piped
from tests.found.story import CIRCUITS, Fleet, Story

SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet whose run asked for approvals: two circuits, one of them without readings."""
    story = Story(tmp_path_factory.mktemp("states"), SOURCES)
    fleet: Fleet = story.fleet(circuits=1)
    fleet.edit(CIRCUITS, "      CIRCUIT01: {}\n", "      CIRCUIT01: {}\n      CIRCUIT02: {}\n")
    fleet.type("train", code=3)
    return fleet.folder


@pytest.fixture
def fleet(asked: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(asked, tmp_path / "fleet"))


def test_a_status_names_what_is_unfit_and_never_says_nothing_to_do_above_it(asked: Path) -> None:
    for screen in (
        *(at_terminal(["status"], asked, width=width) for width in WIDTHS),
        piped(["status"], asked, environment={"NO_COLOR": "1"}),
    ):
        assert screen.code == 0
        assert "Needs somebody" in screen.shown
        assert "othing to do" not in screen.shown
        # Cells of narrow tables break anywhere, so the words are looked for in the step below the tables.
        assert "fleetcast data quality PLANT001/CIRCUIT02" in screen.text
        assert "is blocked: no readings in the training window" in screen.text
        assert screen.lines.index("Next") > screen.lines.index("Needs somebody")
    assert "\x1b[" not in screen.raw


def test_a_run_says_why_a_circuit_is_not_trained_and_which_requests_fail(fleet: Path) -> None:
    screen = piped(["train"], fleet)
    assert screen.code == 3
    assert "1 unfit to train on (PLANT001/CIRCUIT02: no readings in the training window)" in screen.text
    assert "fleetcast data quality PLANT001/CIRCUIT02" in screen.text
    _offers_only_what_there_is(screen)
    listed = piped(["runs", "list"], fleet)
    assert re.search(r"run-0001 +awaiting approval .* \d", listed.shown)


def test_who_decides_is_told_what_happens_then(fleet: Path) -> None:
    rejected = piped(["reject", "2", "--comment", "too wide"], fleet)
    assert "stays a candidate and is not asked for again" in rejected.text
    assert "1 request still waits" in rejected.text
    approved = at_terminal(["approve", "1"], fleet, width=60)
    assert "next: fleetcast train # shares what was approved" in approved.text
    assert "still wait" not in approved.text


def test_a_second_person_is_named_where_two_are_needed(fleet: Path) -> None:
    settings = fleet / "fleetcast.yaml"
    text = re.sub(
        r"(registry-promotion: *\{?.*?minimum: )1", r"\g<1>2", settings.read_text(), flags=re.DOTALL
    )
    assert text != settings.read_text()
    settings.write_text(text)
    assert piped(["train"], fleet).code == 3
    number = re.search(
        r"^ *(\d+) +pending +environment", piped(["approvals", "list"], fleet).shown, re.MULTILINE
    )
    assert number is not None
    approved = piped(["approve", number[1]], fleet)
    assert "pending, 1 more to go: somebody else" in approved.text
    assert "next:" not in approved.text


def test_a_retired_circuit_stays_visible(fleet: Path) -> None:
    circuits = fleet / CIRCUITS
    circuits.write_text(circuits.read_text().replace("      CIRCUIT01: {}\n", ""))
    before = piped(["circuits", "list", "--retired"], fleet)
    assert "no longer declared: the next `fleetcast train` takes it out of use" in before.text
    piped(["train"], fleet)
    for screen in (
        piped(["circuits", "list", "--retired"], fleet),
        piped(["models", "show", "PLANT001/CIRCUIT01"], fleet),
    ):
        assert screen.code == 0
        assert re.search(r"retired since \d{4}-\d\d-\d\d", screen.text), screen.text
        assert "by run-0002 of commit" in screen.text
        assert "1 version registered, the last 1" in screen.text
    listed = at_terminal(["models", "list"], fleet, width=120)
    assert "1 circuit retired. Since when: fleetcast circuits list --retired" in listed.text


def _offers_only_what_there_is(screen: Screen) -> None:
    """`approve --passing` is offered where a request passes, and a request that fails is looked at first."""
    some_fail = re.search(r"fails? a check", screen.text)
    if some_fail is not None:
        assert "look: fleetcast approvals show" in screen.text
        assert ("--passing" in screen.text) == ("every check" in screen.text)
    else:
        assert "approve: fleetcast approve --passing" in screen.text
