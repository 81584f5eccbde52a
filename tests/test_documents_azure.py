"""What docs/SETUP.md says of Azure, as far as it can be tried without Azure: settings, SQL, and what it quotes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetcast.config.templates import init_fleet
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from tests.servers.postgres import PostgresServer

ROOT = Path(__file__).parent.parent
SETUP = (ROOT / "docs" / "SETUP.md").read_text(encoding="utf-8")
SOMEBODY = "5f1c0d6e-2f4b-4b52-9f0c-7d1c3a9e8b10"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", SETUP, re.DOTALL)


def fleetcast(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fleetcast.cli.main", *words],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_settings_for_azure_are_valid_as_they_are_shown(tmp_path: Path) -> None:
    init_fleet(tmp_path)
    path = tmp_path / "fleetcast.yaml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    shown: dict[str, Any] = {}
    for block in blocks("yaml"):
        shown |= yaml.safe_load(re.sub(r"\bID\b", SOMEBODY, block))
    assert {"platform", "azure", "azure_devops"} <= shown.keys()
    path.write_text(yaml.safe_dump(settings | shown))
    said = fleetcast("validate", "--fleet", str(tmp_path))
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.slow
def test_whoever_is_let_into_the_database_shares_what_others_made_there(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    once, each = blocks("sql")
    in_azure = [line for line in each.splitlines() if "pgaadauth" in line]
    assert len(in_azure) == 1  # only there, and it makes the role that is made here by hand
    plainly = each.replace(in_azure[0], "")
    people = ("mlops-dev", "ada")
    for statement in once.split(";"):
        if statement.strip():
            postgres.run(statement)
    for name in people:
        postgres.run(f'CREATE ROLE "{name}" LOGIN')
        for statement in plainly.replace("mlops-dev", name).split(";"):
            if statement.strip():
                postgres.run(statement)
    init_fleet(tmp_path)
    addresses = [postgres.url("fleet").replace(f"//{postgres.user}@", f"//{name}@") for name in people]
    assert len(set(addresses)) == 2
    key = {"FLEETCAST_SIGNING_KEY": "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="}
    for address in addresses:
        for words in (("runs", "list"), ("audit", "verify")):
            said = fleetcast(
                *words, "--fleet", str(tmp_path), environment={DATABASE_URL_VARIABLE: address, **key}
            )
            assert said.returncode == 0, said.stdout + said.stderr
