"""Circuits take turns, however many requests each of them has."""

from __future__ import annotations

import asyncio

from fleetcast.serving.turns import Turns


def order_of(asked: str) -> str:
    """In which order requests go on that are all there before the first one does, each named by its circuit."""

    async def all_of_them() -> str:
        turns, went = Turns(), []

        async def one(circuit: str) -> None:
            await turns.take(circuit)
            went.append(circuit)

        await asyncio.gather(*(one(circuit) for circuit in asked))
        return "".join(went)

    return asyncio.run(all_of_them())


def test_those_of_one_circuit_keep_their_order() -> None:
    assert order_of("aaa") == "aaa"


def test_a_flood_of_one_keeps_others_waiting_for_one_turn_each() -> None:
    assert order_of("aaaaaab") == "abaaaaa"
    assert order_of("aaaabbc") == "abcabaa"


def test_whoever_gave_up_costs_nobody_a_turn() -> None:
    async def story() -> list[str]:
        turns, went = Turns(), []

        async def one(name: str) -> None:
            await turns.take(name)
            went.append(name)

        tasks = [asyncio.create_task(one(name)) for name in ("a", "b", "c")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        later = asyncio.create_task(one("d"))
        await later
        return went

    assert asyncio.run(story()) == ["a", "c", "d"]
