"""`--help` is plain text everywhere, and cuts no name."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import pytest

from fleetcast import __version__
from fleetcast.cli.main import run


@pytest.mark.parametrize(
    "words", [[], ["plan"], ["runs"], ["runs", "show"], ["dummy", "train"], ["people", "add"]]
)
def test_help_is_plain(words: list[str]) -> None:
    out = StringIO()
    with redirect_stdout(out):
        assert run([*words, "--help"]) == 0
    shown = out.getvalue()
    assert "Usage: fleetcast" in shown
    assert "╭" not in shown


def test_long_options_are_shown_whole() -> None:
    out = StringIO()
    with redirect_stdout(out):
        run(["dummy", "train", "--help"])
    assert "--simulate-propagation-delay DURATION" in out.getvalue()


def test_the_version_is_shown_without_a_command() -> None:
    out = StringIO()
    with redirect_stdout(out):
        assert run(["--version"]) == 0
    assert out.getvalue() == f"fleetcast {__version__}\n"
