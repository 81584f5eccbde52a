"""Cursors: where a list goes on. Callers send them back as they are, and know nothing of what is inside."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import BadInput
from fleetcast.web.bodies import PageQuery

_PASSED_ON = {"after", "limit"}


def cursor(query: PageQuery, last: int | str | None) -> str | None:
    """The cursor of the page that comes after `last`; None: there is none.

    Args:
        query: What was asked for: the cursor fits this list alone.
        last: The number or name that the page ended with.
    """
    if last is None:
        return None
    return urlsafe_b64encode(json.dumps([_list(query), last]).encode()).decode().rstrip("=")


def after_number(query: PageQuery) -> int | None:
    """After which number a page begins.

    Raises:
        BadInput: The cursor was made for another list, or by nobody.
    """
    last = _last(query)
    if last is not None and not (isinstance(last, int) and 0 <= last < 2**31):
        raise _no_cursor()
    return last if isinstance(last, int) else None


def after_name(query: PageQuery) -> str | None:
    """After which name a page begins.

    Raises:
        BadInput: As `after_number`.
    """
    last = _last(query)
    if last is not None and not isinstance(last, str):
        raise _no_cursor()
    return last


def _last(query: PageQuery) -> object:
    if query.after is None:
        return None
    try:
        of, last = json.loads(urlsafe_b64decode(query.after + "=" * (-len(query.after) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise _no_cursor() from error
    if of != _list(query) or last is None or isinstance(last, bool):
        raise _no_cursor()
    found: object = last
    return found


def _list(query: PageQuery) -> str:
    """Which list it is: by its kind and filters."""
    filters = query.model_dump(mode="json", exclude=_PASSED_ON)
    return digest_of({"list": type(query).__name__, "filters": filters}).hex[:16]


def _no_cursor() -> BadInput:
    return BadInput(
        "this cursor was not made for this list",
        fix="begin anew without `after`, or send what `next` said with the same filters",
    )
