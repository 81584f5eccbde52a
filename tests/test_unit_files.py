"""The unit file and the container file of the examples: what starts `fleetcast up` elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetcast.cli.command_lines import complaint_of

EXAMPLES = Path(__file__).parents[1] / "examples"
UNIT = EXAMPLES / "systemd" / "fleetcast.service"
CONTAINER = EXAMPLES / "container" / "Containerfile"


def settings(name: str) -> Sequence[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_file(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, said) == (0, [])
    unit.write_text(UNIT.read_text().replace("Restart=always", "Restart=allways"))
    refused = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "allways" in refused.stderr


def test_the_unit_starts_a_command_that_fleetcast_takes_and_starts_it_again() -> None:
    (line,) = settings("ExecStart")
    words = line.split()
    assert words[:2] == ["/usr/bin/env", "fleetcast"]
    assert complaint_of(words[2:]) == ""
    assert settings("Restart") == ["always"]
    assert settings("User") == ["fleetcast"]
    assert settings("EnvironmentFile") == ["-/etc/fleetcast.env"]
    assert int(settings("TimeoutStopSec")[0]) > 20, "members are given that long by `up` itself"


def test_the_container_starts_a_command_that_fleetcast_takes_and_not_as_root() -> None:
    text = CONTAINER.read_text()
    last = text[text.rindex("\nFROM ") :]
    (command,) = re.findall(r"^CMD (.+)$", last, re.MULTILINE)
    assert complaint_of(json.loads(command)) == ""
    (user,) = re.findall(r"^USER (.+)$", last, re.MULTILINE)
    assert int(user) > 0
    assert last.index("USER") < last.index("ENTRYPOINT")
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"python:3\.\d+-slim", image), "a name with its tag, and no host"


def test_what_the_container_copies_is_there() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINER.read_text(), re.MULTILINE):
        for source in sources.split():
            assert (EXAMPLES.parent / source).exists(), source
