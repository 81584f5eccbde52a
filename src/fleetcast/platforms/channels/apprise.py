"""Whatever Apprise reaches, in a process of its own.

So its time limit holds whatever a plug-in does, its log, which may hold addresses with secrets, goes nowhere, and each
connection is judged, whoever opens it. The address goes there by standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from fleetcast.domain.outgoing import Outgoing
from fleetcast.platforms.channels.apprise_process import Ending
from fleetcast.platforms.channels.limits import LONGEST
from fleetcast.ports.channels import Delivery, Message, Sent, TryLater, Words

_HANDED_ON = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "SYSTEMROOT",
    "TMPDIR",
)  # fmt: skip
"""Variables, none of which holds a secret, and none a proxy."""


class AppriseService:
    """One address of Apprise. It says whether a message was taken, and nothing of why not."""

    def __init__(
        self,
        url: str,
        variable: str,
        words: Words,
        outgoing: Outgoing,
        environ: Mapping[str, str],
        *,
        seconds: float = LONGEST,
    ) -> None:
        self._url, self._variable, self._words, self._outgoing = url, variable, words, outgoing
        self._environ, self._seconds = environ, seconds

    def send(self, message: Message) -> Delivery:
        """Send a title and a short text."""
        if find_spec("apprise") is None:
            return TryLater("Apprise is not installed: pip install 'fleetcast[notifications]'")
        title, text = self._words.line(message)
        order = {
            "url": self._url,
            "title": title,
            "text": text,
            "networks": [str(network) for network in self._outgoing.networks],
        }
        handed_on = {name: self._environ[name] for name in _HANDED_ON if name in self._environ}
        if "SSL_CERT_FILE" in handed_on:
            # What Apprise asks by knows only this name.
            handed_on["REQUESTS_CA_BUNDLE"] = handed_on["SSL_CERT_FILE"]
        try:
            ended = subprocess.run(  # our own program
                [sys.executable, "-m", "fleetcast.platforms.channels.apprise_process"],
                input=json.dumps(order).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=handed_on,
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TryLater(f"the service of {self._variable} did not answer in time")
        except OSError as error:
            return TryLater(f"Apprise cannot be started: {error.strerror}")
        return self._outcome(ended.returncode)

    def _outcome(self, code: int) -> Delivery:
        match code:
            case Ending.TAKEN:
                return Sent()
            case Ending.NOT_UNDERSTOOD:
                return TryLater(
                    f"{self._variable} holds no address that Apprise knows; see its list of services"
                )
            case Ending.NOT_ALLOWED:
                return TryLater(
                    f"the service of {self._variable} leads to an address that is not public; if that is meant, "
                    f"add its network to `{self._outgoing.setting}`"
                )
        return TryLater(f"the service of {self._variable} did not take it; Apprise does not say why")
