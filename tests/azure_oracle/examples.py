"""Microsoft's own examples, as the exchanges that they tell of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import API_VERSION
from tests.azure_oracle.operations import Operation, Operations
from tests.azure_oracle.planes import RESOURCE_MANAGER
from tests.azure_oracle.specs import Json


@dataclass(frozen=True, slots=True)
class Example:
    """One of the answers of one example file."""

    operation: Operation
    file: Path
    exchange: Exchange


def examples_of(
    operations: Operations, version_of: Callable[[Operation], str] | None = None
) -> Iterator[Example]:
    """Every request with every answer of it, in the order of the descriptions.

    Args:
        operations: Those whose examples are read.
        version_of: What api-version an example has; by default the one that it says.
    """
    for operation in operations:
        host = operations.specs.document(operation.document).get("host", RESOURCE_MANAGER)
        for reference in operation.content.get("x-ms-examples", {}).values():
            file = _found(operation.document.parent, str(reference["$ref"]))
            content = json.loads(file.read_text(encoding="utf-8-sig"))
            for status, answer in content["responses"].items():
                exchange = replace(_exchange(operation, content, int(status), answer), host=host)
                if version_of is not None:
                    version = {API_VERSION: version_of(operation)}
                    exchange = replace(exchange, query={**exchange.query, **version})
                yield Example(operation, file, exchange)


def _found(folder: Path, reference: str) -> Path:
    """The file of a reference; some are written in another case than the file has."""
    for part in Path(reference).parts:
        exact = folder / part
        folder = (
            exact
            if exact.exists()
            else next(each for each in folder.iterdir() if each.name.casefold() == part.casefold())
        )
    return folder


def _exchange(operation: Operation, content: Json, status: int, answer: Json) -> Exchange:
    given: Mapping[str, object] = content["parameters"]
    body = operation.body
    queries = operation.sent_in("query")
    return Exchange(
        method=operation.method,
        host="",
        path=_path(operation, content),
        # Half of the lists say `$skipToken`, and no description does: names that are not declared tell nothing.
        query={name: _text(value) for name, value in given.items() if name in queries},
        request=given.get(body.name) if body else None,
        status=status,
        response_headers={name.casefold(): str(value) for name, value in answer.get("headers", {}).items()},
        response=answer.get("body"),
    )


def _path(operation: Operation, content: Json) -> str:
    """The template with the example's values; what it does not give is taken from the address that it tells."""
    path = operation.template
    for name in operation.sent_in("path"):
        if name in content["parameters"]:
            path = path.replace(f"{{{name}}}", _text(content["parameters"][name]))
    if "{" not in path or "x-ms-vss-request-url" not in content:
        return path
    return unquote(urlsplit(content["x-ms-vss-request-url"]).path)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
