"""What routes of the API have in common: how an answer is described, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Response, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from fleetcast.domain.canonical import Json
from fleetcast.web import problems
from fleetcast.web.bodies import NoQuery

READS = (401, 403, 404, 408, 413, 415, 421, 422, 500, 503)
CHANGES = (*READS, 409)
OPEN_CHANGES = (403, 408, 413, 415, 421, 422, 429, 500, 503)


def _problems(statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": "; ".join(kind.title for kind in problems.KINDS if kind.status == status),
            "content": {problems.MEDIA_TYPE: schema},
        }
        for status in statuses
    }


def answers(
    shape: type[BaseModel], statuses: Sequence[int] = READS, *, more: Sequence[int] = ()
) -> dict[int | str, dict[str, Any]]:
    """How a route's answers are described: the one that it gives, and the problems there may be."""
    return {200: {"model": shape, "description": shape.__doc__ or ""}, **_problems((*statuses, *more))}


async def no_query(query: Annotated[NoQuery, Query()]) -> None:
    """Refuse everything in the query; without a thread, for which it would wait behind those that ask the database."""
    del query


TOKEN = Security(HTTPBearer(auto_error=False, bearerFormat="fct_…", description="A token of fleetcast."))
PLAIN = [Depends(no_query)]


def json_answer(value: Json) -> Response:
    """An answer in JSON, as the command line writes it."""
    return Response(json_text(value), media_type="application/json")


def json_text(value: Json) -> str:
    """Without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
