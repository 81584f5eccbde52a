"""The process that Apprise runs in: an order on standard input, and an exit code for what came of it."""

from __future__ import annotations

import json
import sys
from enum import IntEnum

from fleetcast.domain.errors import BadInput
from fleetcast.domain.outgoing import Outgoing, address_of, network_of

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system"})


class Ending(IntEnum):
    """What came of it."""

    TAKEN = 0
    FAILED = 3
    NOT_UNDERSTOOD = 4
    NOT_ALLOWED = 5


class _Guard:
    """Looks at whatever is connected to, and lets no program be started."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self.refused = False

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        """Hear what Python is about to do; raises `PermissionError` where it may not."""
        if event in _STARTS or (event in _CONNECTS and not self._may_go(args[1])):
            self.refused = True
            raise PermissionError("this may not be done here")

    def _may_go(self, place: object) -> bool:
        if place is None:
            # A datagram to what was connected to before.
            return True
        if not isinstance(place, tuple) or not isinstance(place[0], str):
            return False
        try:
            address = address_of(place[0])
        except BadInput:
            return False
        # Whether it will be encrypted cannot be seen here.
        return not self._outgoing.refusal(address, encrypted=True)


def main() -> Ending:
    """Send one message."""
    order = json.load(sys.stdin)
    guard = _Guard(Outgoing(tuple(network_of(network) for network in order["networks"])))
    from apprise import Apprise, AppriseAsset, NotifyFormat

    sys.addaudithook(guard)
    # No pictures of a third party, and nothing sent on to where an answer leads.
    asset = AppriseAsset(
        app_id="fleetcast", app_desc="fleetcast", app_url="", image_url_mask="", image_url_logo="",
        async_mode=False, http_redirects=False,
    )  # fmt: skip
    service = Apprise.instantiate(order["url"], asset=asset, suppress_exceptions=True)
    if service is None:
        return Ending.NOT_ALLOWED if guard.refused else Ending.NOT_UNDERSTOOD
    # What the address itself says of redirects does not count.
    service.redirects = False
    taken = Apprise(service, asset=asset).notify(
        body=order["text"] or order["title"], title=order["title"], body_format=NotifyFormat.TEXT
    )
    if taken:
        return Ending.TAKEN
    return Ending.NOT_ALLOWED if guard.refused else Ending.FAILED


if __name__ == "__main__":
    sys.exit(main())
