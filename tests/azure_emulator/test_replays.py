"""Microsoft's own examples, sent to the emulator: an oracle that nobody here wrote.

Most of them name things that are not there, so many are refused; what is asked of the emulator is that whatever it
answers fits the descriptions, and that what can stand by itself is done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.exchange import Exchange
from tests.azure_emulator.messages import Answer, Request
from tests.azure_emulator.setup import Setup
from tests.azure_oracle.examples import Example, examples_of
from tests.azure_oracle.exchanges import API_VERSION
from tests.azure_oracle.oracle import check, oracle
from tests.azure_oracle.pins import PINNED, shape_of
from tests.azure_oracle.schemas import Side
from tests.azure_oracle.specs import NEEDS_SPECS

pytestmark = NEEDS_SPECS

HOST = "management.azure.com"
WORKSPACE = "my-aml-workspace"
_PLACE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices/workspaces/[^/]+",
    re.IGNORECASE,
)
_ORDER = ("PUT", "GET", "PATCH", "POST", "DELETE")
DONE = {
    "CodeVersions_CreateOrUpdate",
    "CodeVersions_Get",
    "ComponentVersions_CreateOrUpdate",
    "ComponentVersions_Get",
    "EnvironmentVersions_CreateOrUpdate",
    "EnvironmentVersions_Get",
    "Jobs_List",
    "OnlineEndpoints_List",
    "Schedules_List",
}
"""What stands by itself, and is done."""


def examples() -> Iterator[Example]:
    """Those that are asked with the version that the SDK asks with, each request once."""
    seen: set[Path] = set()
    found = [
        each
        for each in examples_of(oracle().operations)
        if each.exchange.query.get(API_VERSION) in PINNED.get(shape_of(each.exchange) or "", ())
    ]
    for each in sorted(found, key=lambda one: _ORDER.index(one.exchange.method)):
        if each.file not in seen and _PLACE.match(each.exchange.path):
            seen.add(each.file)
            yield each


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with AzureEmulator(tmp_path, Setup(workspaces=(WORKSPACE,))) as running:
        yield running


def sent(emulator: AzureEmulator, example: Example) -> tuple[Exchange, Answer]:
    """What the emulator answers to an example that is moved into its own workspace."""
    setup, told = emulator.setup, example.exchange
    place = (
        f"/subscriptions/{setup.subscription}/resourceGroups/{setup.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
    )
    path = _PLACE.sub(place, told.path)
    text = json.dumps(told.request) if told.request is not None else ""
    body = re.sub(_PLACE, place, text).encode()
    headers = {"authorization": f"Bearer {emulator.identity.token('https://management.azure.com')}"}
    answer = emulator.answer(Request(told.method, HOST, path, told.query, headers, body))
    exchange = replace(
        told,
        host=HOST,
        path=path,
        request=json.loads(body) if body else None,
        status=answer.status,
        response_headers=dict(answer.headers),
        response=answer.json(),
    )
    return exchange, answer


def test_whatever_an_example_asks_is_answered_as_it_is_published(emulator: AzureEmulator) -> None:
    wrong, done, asked, unknown = [], set(), 0, set()
    for example in examples():
        exchange, answer = sent(emulator, example)
        if not answer.known:
            unknown.add(example.operation.id)
            continue
        asked += 1
        emulator.operations.settle()
        checked = check(exchange)
        wrong += [
            f"{example.file.name}: {finding}" for finding in checked.findings if finding.side is Side.RESPONSE
        ]
        if answer.status >= 500:
            wrong.append(f"{example.file.name}: {answer.status}")
        if answer.status < 300:
            done.add(example.operation.id)
    assert wrong == []
    assert asked > 80
    assert done >= DONE
    assert not unknown & DONE
