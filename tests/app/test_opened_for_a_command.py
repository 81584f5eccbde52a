"""A command opens only what it needs: it answers sooner, and is not stopped by what does not concern it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleetcast.config.templates import init_fleet

HEAVY = ("deltalake", "numpy", "polars", "scipy")
LISTS = (["approvals", "list"], ["audit", "list"], ["runs", "list"])
LOADED = """
import sys
from fleetcast.cli.main import run
code = run(sys.argv[1:])
print("loaded", *sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fleet") / "fleet"
    init_fleet(directory)
    return directory


def loaded_by(words: list[str], fleet: Path) -> set[str]:
    """Every module in memory after a command in a process of its own."""
    typed = [sys.executable, "-c", LOADED, *words, "--fleet", str(fleet)]
    done = subprocess.run(typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("loaded ")]
    return set(line.split()[1:])


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_list_loads_neither_forecasting_nor_tables(words: list[str], fleet: Path) -> None:
    loaded = loaded_by(words, fleet)
    assert {name for name in loaded if name.partition(".")[0] in HEAVY} == set()
    assert {name for name in loaded if name.startswith("fleetcast.forecasting")} == set()
    assert "fleetcast.platforms.control.opening" in loaded


def test_looking_at_models_loads_no_worker_and_no_table(fleet: Path) -> None:
    loaded = loaded_by(["models", "list"], fleet)
    assert "fleetcast.platforms.local.job_service" in loaded
    assert not {"fleetcast.platforms.jobs.pool", "fleetcast.pipeline.fit", "deltalake", "scipy"} & loaded
