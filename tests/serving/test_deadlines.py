"""One timer gives up whatever takes too long, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest

from fleetcast.serving.deadlines import Deadlines


async def worked(deadlines: Deadlines, until: asyncio.Event, began: float) -> str:
    """How a request ended: done, late, or cancelled by somebody else."""
    task = deadlines.begin(began)
    try:
        await until.wait()
    except asyncio.CancelledError:
        if not deadlines.passed(task):
            raise
        return "late"
    finally:
        deadlines.end(task)
    return "done"


def test_each_is_given_up_at_its_own_time_and_who_is_done_is_not() -> None:
    async def story() -> list[str]:
        deadlines, never, done = Deadlines(3600.0), asyncio.Event(), asyncio.Event()
        now = time.perf_counter()
        early = [asyncio.create_task(worked(deadlines, never, now - 3599.98)) for _ in range(2)]
        other = asyncio.create_task(worked(deadlines, done, now))
        await asyncio.gather(*early)
        assert not other.done()
        done.set()
        return [await one for one in (*early, other)]

    assert asyncio.run(story()) == ["late", "late", "done"]


def test_a_timer_that_ran_out_is_set_anew_by_who_comes_next() -> None:
    async def story() -> list[str]:
        deadlines, never = Deadlines(0.0), asyncio.Event()
        return [await asyncio.create_task(worked(deadlines, never, time.perf_counter())) for _ in range(3)]

    assert asyncio.run(story()) == ["late"] * 3


def test_who_is_cancelled_by_another_is_cancelled() -> None:
    async def story() -> None:
        task = asyncio.create_task(worked(Deadlines(3600.0), asyncio.Event(), time.perf_counter()))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())
