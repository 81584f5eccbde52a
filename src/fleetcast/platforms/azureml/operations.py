"""Making something in Azure once: what an answer that never came left behind is found by reading."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.platforms.azureml.client import NotThere, Taken, asked
from fleetcast.ports.clock import Clock

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

T = TypeVar("T")
R = TypeVar("R")

DIGEST_TAG = "fleetcast_digest"
"""By which a thing in Azure says what it was made from."""
_TRIES = 20
_BUSY = timedelta(seconds=15)
"""Between two tries to change what is being changed."""
_LOOKS = 80
"""At what Azure is busy making: a deployment takes some minutes."""
_UNDER_WAY = frozenset({"Creating", "Updating", "Provisioning", "Deleting"})
AT_ONCE = 8
"""Requests at the same time; Azure slows down whoever sends many more."""


def held(what: str, read: Callable[[], T]) -> T | None:
    """What Azure holds; None if there is none.

    Raises:
        FleetcastError: Azure does not say.
    """
    try:
        with asked(what):
            return read()
    except NotThere:
        return None


def made_once(what: str, read: Callable[[], T], make: Callable[[], T]) -> T:
    """Make a thing unless it is there. An error after which it is there anyway was none.

    What Azure shows and says that it failed with is not there, and is made anew.

    Args:
        what: For the text of an error.
        read: Gives it, or raises as the SDK does where there is none.
        make: Makes it.

    Raises:
        FleetcastError: It is not there, and Azure does not make it.
    """
    there = held(what, read)
    if there is not None and not failed(there):
        return there
    try:
        with asked(what):
            return make()
    except FleetcastError as error:
        there = held(what, read)
        if there is None or failed(there):
            raise error from error.__cause__
        return there


def written(value: object) -> str:
    """A state as Azure writes it: the SDK gives a text or one of its enumerations, as its version has it."""
    return str(getattr(value, "value", value))


def failed(there: object) -> bool:
    """Whether Azure shows a thing that it could not make."""
    return written(getattr(there, "provisioning_state", None)) == "Failed"


def under_way(there: object) -> bool:
    """Whether Azure is still at work on a thing, maybe for somebody who is gone."""
    return written(getattr(there, "provisioning_state", None)) in _UNDER_WAY


def settled(what: str, there: T, read: Callable[[], T], clock: Clock) -> T:
    """A thing once nothing goes on with it: whoever began to make it may be gone.

    Args:
        what: For the text of an error.
        there: The thing as it was seen.
        read: Reads it again.
        clock: For the pauses.

    Raises:
        NotThere: It is gone.
        Unavailable: It goes on for too long.
        FleetcastError: Azure does not say.
    """
    for _ in range(_LOOKS):
        if not under_way(there):
            return there
        clock.sleep(_BUSY)
        with asked(what):
            there = read()
    raise Unavailable(
        f"Azure is not done with {what} after {_LOOKS * _BUSY}", fix="repeat the command in a while"
    )


def seen_through(begin: Callable[[], LROPoller[T]]) -> T:
    """Begin an operation of Azure and wait for it, without the dot that the SDK prints for each look.

    It would stand in JSON, and a thread may print the first one before anybody waits.
    """
    with redirect_stdout(io.StringIO()):
        return begin().result()


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Ask for each, several at the same time; gives the answers in their order, as they come.

    Raises:
        FleetcastError: The first that went wrong; those that were begun are seen through.
    """
    waiting = list(items)
    if len(waiting) > 1:
        lay_out()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="azure") as pool:
        yield from pool.map(work, waiting)


@cache
def lay_out() -> None:
    """Let the SDK prepare its classes, which takes half a second.

    Each class is prepared as it is first used, without a lock: of threads that read a first answer at the same time,
    one now and then got a bare `dict` in place of a model.
    """
    from azure.ai.ml._restclient.arm_ml_service import models

    classes: list[Any] = [one for one in vars(models).values() if hasattr(one, "_calculated")]
    for one in classes:
        one.__new__(one)


def unless_busy(clock: Clock, change: Callable[[], object]) -> None:
    """Change something of Azure that takes one change at a time: while another one goes on, wait and try again.

    Raises:
        Taken: It stays busy.
        FleetcastError: What the change raises.
    """
    for _ in range(_TRIES):
        try:
            change()
        except Taken:
            clock.sleep(_BUSY)
        else:
            return
    change()
