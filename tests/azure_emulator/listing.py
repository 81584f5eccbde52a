"""Lists: filtered, ordered, and a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from tests.azure_emulator.messages import Answer, Json, Refused, Request, Value, answered, part
from tests.azure_emulator.store import Record

_ORDERS = ("createdtime", "createdat", "modifiedtime", "updatedtime")


def listed(request: Request, records: Sequence[Record], size: int) -> Answer:
    """A page of the resources that are asked for; newest first, as the service does if it is not told.

    Raises:
        Refused: The order is unknown, or a number is none.
    """
    wanted = [record for record in records if _viewed(request, record) and _tagged(request, record)]
    column, _, direction = (request.asked("$orderBy") or "createdtime desc").strip().partition(" ")
    if column.lower() not in _ORDERS or direction.strip().lower() not in {"", "asc", "desc"}:
        raise Refused(400, "InvalidOrderBy", f"cannot order by {request.asked('$orderBy')}")
    newest = direction.strip().lower() == "desc"
    wanted.sort(key=lambda record: (_when(column, record), record.number), reverse=newest)
    begin, top = _number(request, "$skip") or 0, _number(request, "$top")
    end = begin + min(size, top) if top is not None else begin + size
    shown: Json = {"value": [record.body for record in wanted[begin:end]]}
    if end < len(wanted) and (top is None or top > size):
        query = {
            name: value for name, value in request.query.items() if name.lower() not in {"$skip", "$top"}
        }
        query["$skip"] = str(end)
        if top is not None:
            query["$top"] = str(top - size)
        shown["nextLink"] = f"https://{request.host}{request.path}?{urlencode(query)}"
    return answered(shown)


def _viewed(request: Request, record: Record) -> bool:
    archived = part(record.body, "properties").get("isArchived") is True
    view = (request.asked("listViewType") or "ActiveOnly").lower()
    return view == "all" or archived == (view == "archivedonly")


def _tagged(request: Request, record: Record) -> bool:
    """Filters read `name` or `name=value`, several of them with commas between."""
    tags = part(record.body, "properties", "tags")
    for wanted in (request.asked("tag") or request.asked("tags") or "").split(","):
        name, said, value = wanted.partition("=")
        if name and (name not in tags or (said and tags[name] != value)):
            return False
    return True


def _when(column: str, record: Record) -> str:
    if column.lower() in {"createdtime", "createdat"}:
        return ""
    when: Value = part(record.body, "systemData").get("lastModifiedAt")
    return str(when)


def _number(request: Request, name: str) -> int | None:
    asked = request.asked(name)
    if asked is None:
        return None
    if not asked.isdigit():
        raise Refused(400, "InvalidQuery", f"{name} is {asked}, which is no number")
    return int(asked)
