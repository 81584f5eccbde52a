"""The commands that the documents show, run as they stand, each page in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.glob("*.md") if page.name != "REFERENCE.md")]
SHOWING = [page for page in PAGES if "```console" in page.read_text(encoding="utf-8")]
_EXPECTED = re.compile(r"\s+# exit (\d+)$")


def commands(page: str) -> Iterator[tuple[str, int]]:
    """Each command of a page with the exit code it should end with."""
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                expected = _EXPECTED.search(line)
                yield _EXPECTED.sub("", line[2:]), int(expected[1]) if expected else 0


@pytest.mark.slow
@pytest.mark.parametrize("page", SHOWING, ids=lambda page: page.stem)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    here = tmp_path
    for command, expected in commands(page.read_text(encoding="utf-8")):
        if command.startswith("cd "):
            here = here / command.removeprefix("cd ")
            continue
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=here,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, f"$ {command}\n{done.stdout}{done.stderr}"


def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import build_reference; print(build_reference.reference(), end='')"],
        cwd=DOCS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (DOCS / "REFERENCE.md").read_text(encoding="utf-8"), "run `make docs`"
