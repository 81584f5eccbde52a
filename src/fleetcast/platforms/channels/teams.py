"""Microsoft Teams, by the webhook of a workflow: one POST with an Adaptive Card.

The address is a secret: it is named by its variable in all that is said, and sent to nobody but its host.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.platforms.channels.limits import asked_pause
from fleetcast.platforms.http.guarded import Answer, GuardedHttp
from fleetcast.ports.channels import Delivery, Gone, Message, Refused, Sent, TryLater, Words
from fleetcast.ports.clock import Clock

LARGEST = 28_000
"""Bytes of a message; Teams takes some 28 KB."""
_TYPE = "application/json; charset=utf-8"
_MALFORMED = frozenset({400, 411, 413, 414, 415, 422, 431})
_BUSY = frozenset({408, 425, 429})


class TeamsWebhook:
    """One webhook. Whether Teams shows what it took is not known: it says so to nobody."""

    def __init__(self, url: str, variable: str, words: Words, http: GuardedHttp, clock: Clock) -> None:
        self._url, self._variable = url, variable
        self._words, self._http, self._clock = words, http, clock

    def send(self, message: Message) -> Delivery:
        """Send a card; what does not fit into one is left out, and counted there."""
        if not _is_webhook(self._url):
            return TryLater(
                f"{self._variable} holds no address of a webhook: it begins with https:// and has a path"
            )
        card = self._words.card(message, LARGEST)
        try:
            answer = self._http.hand_over(self._url, card, content_type=_TYPE)
        except (BadInput, Unavailable) as error:
            return TryLater(f"{error}; {error.fix}" if isinstance(error, BadInput) else str(error))
        return _outcome(answer, self._variable, self._clock.now())


def _is_webhook(url: str) -> bool:
    """Whether this may be shown by its host: anything else may be a secret as a whole."""
    try:
        parts = urlsplit(url)
        names_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return bool(
        plain and names_port and parts.scheme == "https" and parts.hostname and len(parts.path) > 1
    ) and not (parts.username or parts.password)


def _outcome(answer: Answer, variable: str, now: datetime) -> Delivery:
    """What became of a message, by the status; what the server writes besides is not repeated.

    Where the address itself is at fault, the message waits: whoever mends the variable gets it.
    """
    status, after = answer.status, asked_pause(answer.headers.get("retry-after"), now)
    if answer.is_good:
        return Sent()
    if status == 410:
        return Gone(f"the webhook of {variable} is gone (410)")
    if status in _MALFORMED:
        return Refused(f"the webhook of {variable} does not take this message ({status})")
    if 300 <= status < 400:
        return TryLater(
            f"the webhook of {variable} leads elsewhere ({status}), and a secret is not sent on; see its address",
            after,
        )
    if status in _BUSY or status >= 500:
        return TryLater(f"the webhook of {variable} takes nothing right now ({status})", after)
    return TryLater(f"the webhook of {variable} answers {status}: see its address and who may use it", after)
