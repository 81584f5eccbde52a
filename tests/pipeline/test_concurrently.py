"""Work on several threads: results in order, bounded, and the first error where its result would have been."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.pipeline.concurrently import in_order


def test_results_come_in_the_order_of_the_items_whichever_is_ready_first() -> None:
    second_is_done = Event()

    def work(item: int) -> int:
        if item == 1:
            assert second_is_done.wait(10)
        if item == 2:
            second_is_done.set()
        return item * 10

    assert list(in_order(work, [1, 2, 3], 2)) == [10, 20, 30]


def test_no_items_give_no_results() -> None:
    assert list(in_order(str, [], 2)) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_items_are_taken_than_can_be_under_way(threads: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(20):
            taken.append(item)
            yield item

    results = in_order(str, items(), threads)
    assert next(results) == "0"
    assert len(taken) == 2 * threads


def test_an_error_is_raised_where_its_result_would_have_been() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise BadInput("item 2 is broken")
        return item

    results = in_order(work, [1, 2, 3], 1)
    assert next(results) == 1
    with pytest.raises(BadInput, match="item 2 is broken"):
        next(results)
