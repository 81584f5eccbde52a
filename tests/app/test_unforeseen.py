"""What nobody foresaw is told in one line and reported without secrets; what the system does has its own sentence."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetcast.app.unforeseen import told
from fleetcast.domain.foreseen import why

SECRET = "hunter2-hunter2"  # noqa: S105  # made up


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a state folder, in a process with a secret."""
    (tmp_path / "fleet" / ".fleetcast").mkdir(parents=True)
    (tmp_path / "fleet" / "fleetcast.yaml").write_text("url: ${env:MY_HOOK}\n")
    monkeypatch.setenv("FLEETCAST_TOKEN", SECRET)
    monkeypatch.setenv("MY_HOOK", "https://hooks/T0/abcdefgh")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("FLEETCAST_VERBOSE", raising=False)
    return tmp_path / "fleet"


def caught(raises: Callable[[], object]) -> BaseException:
    try:
        raises()
    except BaseException as error:  # noqa: BLE001  # any
        return error
    raise AssertionError


def odd() -> None:
    raise KeyError(f"{SECRET} at https://hooks/T0/abcdefgh and http://u:other@h")


def test_a_report_is_its_owners_alone_and_holds_no_secret(fleet: Path) -> None:
    error = told(caught(odd), ["plan", "--fleet", str(fleet), "--token", "typed"])
    assert str(error).startswith("something that fleetcast did not foresee: KeyError at ")
    assert "README.md" in error.fix
    (path,) = (fleet / ".fleetcast" / "reports").iterdir()
    assert str(error).endswith(f"; a report is in {path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text()
    for part in (
        "command   fleetcast plan --fleet",
        "python    3.",
        "Traceback (most recent call last)",
        "in odd",
    ):
        assert part in text
    for secret in (SECRET, "abcdefgh", "other", "typed"):
        assert secret not in text


def test_a_report_replaces_none(fleet: Path) -> None:
    for _ in range(3):
        told(caught(odd), ["plan", f"--fleet={fleet}"])
    assert len(list((fleet / ".fleetcast" / "reports").iterdir())) == 3


def test_without_a_fleet_it_is_kept_for_the_user(fleet: Path, tmp_path: Path) -> None:
    told(caught(odd), ["plan", "--fleet", str(tmp_path / "none")])
    assert not (fleet / ".fleetcast" / "reports").exists()
    assert len(list((tmp_path / "state" / "fleetcast" / "reports").iterdir())) == 1


def test_where_nothing_can_be_written_the_line_says_so(fleet: Path, tmp_path: Path) -> None:
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "from fleetcast.app.unforeseen import told\n"
        "try: {}['x']\n"
        f"except KeyError as error: print(told(error, ['plan', '--fleet', {str(fleet)!r}]))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert "KeyError" in done.stdout
    assert "no report could be written: file too large" in done.stdout
    assert list(tmp_path.rglob("*.txt")) == []


def test_verbose_shows_the_way_it_took_without_secrets(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEETCAST_VERBOSE", "1")
    told(caught(odd), ["plan", "--fleet", str(fleet)])
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "/x/y: the disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EIO, "Input/output error", "/x"), "/x: the disk does not read or write"),
        (OSError(errno.EMFILE, "Too many open files", "/x"), "as many files open as it may"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: this user may not use it"),
        (MemoryError(), "memory ran out"),
        (
            ValueError("Generic LocalFileSystem error: No space left on device (os error 28)"),
            "the disk is full",
        ),
        (ImportError("x.so: failed to map segment from shared object"), "memory ran out"),
    ],
)
def test_what_the_system_does_has_its_own_sentence_and_no_report(
    fleet: Path, error: Exception, says: str
) -> None:
    made = told(error, ["plan", "--fleet", str(fleet)])
    assert says in str(made)
    assert made.fix
    assert not (fleet / ".fleetcast" / "reports").exists()


def test_a_stack_that_is_too_deep_is_reported(fleet: Path) -> None:
    def deep(number: int) -> int:
        return deep(number + 1) + 1

    error = told(caught(lambda: deep(0)), ["plan", "--fleet", str(fleet)])
    assert "RecursionError at" in str(error)
    (path,) = (fleet / ".fleetcast" / "reports").iterdir()
    assert len(path.read_text()) < 20_000


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[Errno 111] Connection refused", "Connection refused"),
        ("No token. Set AZURE_CLIENT_ID and AZURE_TENANT_ID. Run again.", "No token. Run again"),
        ("set AWS_SECRET_ACCESS_KEY", "it does not say why (ValueError)"),
        ("Unable to copy data to file: No space left on device (os error 28)", "the disk is full"),
        (f"GET https://u:{SECRET}@h fails", "GET https://…@h fails"),
        (
            "No usable temporary directory found in ['/tmp']",
            "no folder for temporary files can be written to",
        ),
        ("(Background on this error at: https://sqlalche.me/e/20/e3q8)", "it does not say why (ValueError)"),
    ],
)
def test_of_a_librarys_words_none_is_shown_that_speaks_of_its_own_settings(said: str, shown: str) -> None:
    assert why(ValueError(said)) == shown
