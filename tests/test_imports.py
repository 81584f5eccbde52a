"""What the command line may load before a command is known: little, so that `--help` answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "cryptography",
    "anyio",
    "deltalake",
    "fastapi",
    "httpcore",
    "httpx",
    "joserfc",
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
    "starlette",
    "uvicorn",
)


@pytest.fixture(scope="module")
def modules() -> frozenset[str]:
    """In memory after a fresh interpreter imported the command line."""
    code = "import fleetcast.cli.main, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.split())


@pytest.fixture(scope="module")
def loaded_by_the_command_line(modules: frozenset[str]) -> frozenset[str]:
    """The top-level packages of what was imported."""
    return frozenset(name.partition(".")[0] for name in modules)


@pytest.mark.parametrize("package", HEAVY)
def test_the_command_line_loads_a_heavy_package_only_where_it_is_used(
    package: str, loaded_by_the_command_line: frozenset[str]
) -> None:
    assert package not in loaded_by_the_command_line


def test_looking_at_what_the_command_line_loads_sees_it(loaded_by_the_command_line: frozenset[str]) -> None:
    assert {"fleetcast", "typer"} <= loaded_by_the_command_line


def test_of_fleetcast_itself_it_loads_nothing_that_a_single_command_needs(modules: frozenset[str]) -> None:
    ours = {name for name in modules if name.partition(".")[0] == "fleetcast"}
    assert ours == {
        "fleetcast",
        "fleetcast.cli",
        "fleetcast.cli.commands",
        "fleetcast.cli.in_fleet",
        "fleetcast.cli.main",
        "fleetcast.cli.near_misses",
        "fleetcast.cli.on_demand",
        "fleetcast.cli.option_headings",
        "fleetcast.cli.output",
        "fleetcast.cli.shown_help",
        "fleetcast.cli.usage_errors",
        "fleetcast.domain",
        "fleetcast.domain.canonical",
        "fleetcast.domain.errors",
        "fleetcast.domain.identity",
        "fleetcast.domain.legible",
        "fleetcast.domain.secrets",
        "fleetcast.domain.wording",
    }


def test_the_app_knows_where_everything_that_it_offers_is() -> None:
    import fleetcast.app

    for name in fleetcast.app.__all__:
        assert getattr(fleetcast.app, name).__name__ == name
