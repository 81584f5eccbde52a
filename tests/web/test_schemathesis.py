"""The API walked by its own description: no answer that it does not describe, and none that says it broke."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.web.conftest import MadeFleet
from tests.web.serving import Served, served

SECONDS = 60
"""For all operations together; with time to spare."""
EXAMPLES = 20
"""Of each operation, right ones and wrong ones."""


@pytest.fixture(scope="module")
def server(made_once: MadeFleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("walked") / "fleet"
    with served(made_once.copy_to(folder).folder) as found:
        yield found


@pytest.mark.slow
def test_schemathesis_finds_no_answer_that_is_not_described(server: Served, made_once: MadeFleet) -> None:
    schema: OpenApiSchema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    # A cursor, a name or a number may be well formed, and yet nobody's: that is no mistake of the description.
    headers = {"Authorization": f"Bearer {made_once.tokens['ada']}"}
    answers: Counter[tuple[str, int]] = Counter()
    asked: Counter[str] = Counter()
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) >= 18
    # The last, as it ends the token that all of them show.
    operations.sort(key=lambda operation: operation.label == "POST /api/v1/logout")
    for operation in operations:
        until = time.monotonic() + SECONDS / len(operations)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(1107)
            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def walk(case: schemathesis.Case[Any]) -> None:
                # However slow the machine is, each is asked once.
                if time.monotonic() > until and asked[operation.label]:  # noqa: B023  # called right here
                    return
                answer = case.call(headers=headers)
                answers[operation.label, answer.status_code] += 1  # noqa: B023  # called right here
                asked[operation.label] += 1  # noqa: B023
                large = [negative_data_rejection] if answer.status_code == 413 else []
                case.validate_response(
                    answer, headers=headers, excluded_checks=[positive_data_acceptance, *large]
                )

            nothing_to_get_wrong = mode is GenerationMode.NEGATIVE and not operation.body
            with suppress(*([Unsatisfiable] if nothing_to_get_wrong else [])):
                walk()
    assert len({label for label, _ in answers}) == len(operations)
    assert sum(count for (_, status), count in answers.items() if status == 200) > 100
    assert not [status for _, status in answers if status >= 500]
    assert "broke" not in server.log.read_text()
