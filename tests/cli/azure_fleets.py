"""A fleet of the platform azureml for commands: the emulator, the way to it, and settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.setup import Setup
from tests.contracts.azure import REGISTRY, WORKSPACES, led_to

CONTAINER = "fleet"
_OTHERS = ("HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy", "CURL_CA_BUNDLE")


@contextmanager
def azure_in_place(state: Path, *, cores: int = 100) -> Iterator[AzureEmulator]:
    """An emulator to which this process's environment leads; at the end nothing was asked that it does not know."""
    setup = Setup(workspaces=tuple(WORKSPACES.values()), registries=(REGISTRY,), cores=cores)
    with AzureEmulator(state, setup) as emulator, patch.dict(os.environ):
        for name in _OTHERS:
            os.environ.pop(name, None)
        with led_to(emulator):
            yield emulator
        assert [str(one) for one in emulator.exchanges() if not one.known] == []


def settings(emulator: AzureEmulator) -> str:
    return f"""\
registry: {REGISTRY}
platform: {{kind: azureml, storage: az://{CONTAINER}/fleet}}
azure:
  subscription_id: {emulator.setup.subscription}
  resource_group: {emulator.setup.resource_group}
  cluster: {{size: Standard_DS3_v2, max_nodes: 3, idle: 5min}}
"""


def held(emulator: AzureEmulator, *parts: str, workspace: str = "fleetcast-dev") -> dict[str, Any]:
    """A thing in a workspace, as the emulator keeps it."""
    body: dict[str, Any] = emulator.store.get(emulator.scopes.workspace(workspace).key(*parts)).body
    return body


def rewrite(emulator: AzureEmulator, body: dict[str, Any]) -> None:
    """Let somebody change a thing by hand."""
    emulator.store.write(body["id"], body)
