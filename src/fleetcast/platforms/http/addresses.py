"""Where a name leads, and whether fleetcast may go there; the same for each protocol."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence

from fleetcast.domain.errors import BadInput
from fleetcast.domain.outgoing import Address, Outgoing, address_of

Resolve = Callable[[str, int], Sequence[str]]
"""All addresses of a host, as the system writes them; raises OSError."""


class AddressRefused(BadInput):
    """An address outside that fleetcast may not connect to."""


def addresses_of(host: str, port: int) -> Sequence[str]:
    """All addresses of a host by the system's own name service."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def looked_up(resolve: Resolve, host: str, port: int, seconds: float) -> Sequence[str]:
    """What a name service says, which has no time limit of its own.

    Raises:
        TimeoutError: It takes longer than that; nobody waits for it any more.
        OSError: The name is not known.
    """
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("its name takes too long to look up") from None
    if isinstance(answer, Exception):
        raise OSError("its name is not known")
    return answer


def judged(outgoing: Outgoing, where: str, found: Sequence[str], *, encrypted: bool) -> list[Address]:
    """Those of some addresses that may be connected to.

    Args:
        outgoing: What is allowed.
        where: What led to them, for the error.
        found: As a name service says them.
        encrypted: Whether TLS will be spoken.

    Raises:
        AddressRefused: None of them may.
    """
    addresses = [address_of(text) for text in found]
    refusals = {address: outgoing.refusal(address, encrypted=encrypted) for address in addresses}
    allowed = [address for address, why in refusals.items() if not why]
    if refusals and not allowed:
        raise AddressRefused(
            f"{where} is not connected to: {next(iter(refusals.values()))}",
            fix=f"if that is meant, add its network to `{outgoing.setting}`",
        )
    return allowed
