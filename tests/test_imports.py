"""What the command line may load before a command is known: little, so that `--help` answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "cryptography",
    "deltalake",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "plotext",
    "polars",
    "pyarrow",
    "safetensors",
    "scipy",
    "sqlalchemy",
)


@pytest.fixture(scope="module")
def loaded_by_the_command_line() -> frozenset[str]:
    """The top-level packages in memory after a fresh interpreter imported the command line."""
    code = "import fleetcast.cli.main, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("package", HEAVY)
def test_the_command_line_loads_a_heavy_package_only_where_it_is_used(
    package: str, loaded_by_the_command_line: frozenset[str]
) -> None:
    assert package not in loaded_by_the_command_line


def test_looking_at_what_the_command_line_loads_sees_it(loaded_by_the_command_line: frozenset[str]) -> None:
    assert {"fleetcast", "typer"} <= loaded_by_the_command_line
