"""A command line that does not fit is answered with one sentence of our own, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetcast.cli.commands import COMMANDS
from fleetcast.cli.main import run
from fleetcast.config.templates import init_fleet

_OTHERS_WORDS = re.compile(
    r"Usage:|Try '|Invalid value|Input should|Value error|No such|unable to parse|unexpected extra|"
    r"requires an argument|Missing |Traceback|pydantic|\[type="
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet to stand in: values are read after it was found."""
    folder = tmp_path_factory.mktemp("usage") / "fleet"
    init_fleet(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        ("approve abc", "'abc' is no number of a request", "approvals list"),
        ("approve 99999999999999999999 x", "'x' is no number of a request", "approvals list"),
        ("alarms ack abc", "'abc' is no number of an alarm", "alarms list"),
        ("token revoke 1.5", "'1.5' is no number of a token", "token list"),
        ("plan --format yaml", "'yaml' is no value of --format", "write text, json or markdown"),
        ("plan --format=", "'' is no value of --format", "write text, json or markdown"),
        ("plan --format", "--format is without a value", "write --format VALUE"),
        ("deploy prd", "'prd' is no value of WHAT", "write test, prod or status; did you mean `prod`?"),
        ("serve --port abc", "--port: 'abc' is no whole number", "write a whole number"),
        ("serve prod --port 99999999", "--port: 99999999 is too large", "write 65535 or less"),
        ("serve prod --port -1", "--port: -1 is too small", "write 0 or more"),
        ("propose --min-gain abc", "--min-gain: 'abc' is no number", "write a number"),
        ("serve", "ENVIRONMENT is missing", "write dev, test or prod"),
        ("forecast", "PLANT/CIRCUIT is missing", "which circuit"),
        ("plan --formt json", "fleetcast plan has no option --formt", "did you mean `--format`"),
        ("planx", "fleetcast has no command 'planx'", "did you mean `plan`"),
        ("alarms foo", "fleetcast alarms has no command 'foo'", "`fleetcast alarms --help` says more"),
        ("--foo", "fleetcast has no option --foo", "`fleetcast --help` says more"),
        ("approvals show 1 2", "'2' is more than fleetcast approvals show takes", "it takes REQUEST"),
        ("plan extra", "'extra' is more than fleetcast plan takes", "it takes options alone"),
        ("approve", "name requests by number, or give --passing", "`fleetcast approve --help` says more"),
        ("alarms snooze 1 --for abc", "'abc' is not a duration", "5s, 10min, 1h, 7d, 2w"),
        ("alarms snooze 1 --for 0h", "'0h' is no time at all", "longer than zero"),
        ("forecast P/C --at abc", "'abc' is not a date or an instant", "2025-11-01T12:00:00Z"),
        ("forecast P/C --at 2025-02-31", "'2025-02-31' is not a day of the calendar", "a date that exists"),
        ("audit list --before abc", "--before: 'abc' is no whole number", "write a whole number"),
    ],
)
def test_what_does_not_fit_is_said_in_our_words(
    words: str,
    what: str,
    fix: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert run(words.split()) == 64
    said = capsys.readouterr()
    assert said.out == ""
    error, mend = said.err.splitlines()
    assert error == f"error: {what}"
    assert mend.startswith("  fix: ")
    assert fix in mend
    assert not _OTHERS_WORDS.search(said.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_answers_an_odd_option_in_others_words(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--no-such-option"]) == 64
    said = capsys.readouterr().err
    assert said.splitlines()[0] == f"error: fleetcast {command} has no option --no-such-option"
    assert not _OTHERS_WORDS.search(said)


def test_what_was_typed_cannot_take_over_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["approve", "\x1b[31m" + "9" * 500]) == 64
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert len(said.splitlines()[0]) < 200
