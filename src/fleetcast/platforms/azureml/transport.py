"""How the SDK's requests are sent: what it asks anew with each call, and never changes, is asked once."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import HttpRequest, RequestsTransport, RequestsTransportResponse

_ONCE = re.compile(
    r"https://[^/]+/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/[^/?]+\?[^/]*|https://[^/]+/registrymanagement/v1\.0/registries/[^/]+/discovery.*",
    re.IGNORECASE,
)
"""A workspace itself, and where a registry is."""
_SCHEMAS = re.compile(r"azuremlschemas[a-z]*\.azureedge\.net")
"""Where the SDK downloads the schema of MLTable files from before each registration; fleetcast writes them itself."""


class OnceTransport(RequestsTransport):  # type: ignore[misc]  # its stubs are incomplete
    """Sends requests, with one set of connections for all clients."""

    def __init__(self) -> None:
        super().__init__()
        self._answered: dict[str, Any] = {}
        self._lock = threading.Lock()

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request, or give what it was answered before."""
        if _SCHEMAS.fullmatch(urlsplit(request.url).hostname or ""):
            return _nothing_there(request)
        if request.method != "GET" or not _ONCE.fullmatch(request.url):
            return super().send(request, **options)
        with self._lock:
            known = self._answered.get(request.url)
        if known is None:
            known = super().send(request, **options)
            if known.status_code == 200:
                known.read() if hasattr(known, "read") else known.body()
                with self._lock:
                    self._answered[request.url] = known
        return known


def _nothing_there(request: HttpRequest) -> RequestsTransportResponse:
    answer = requests.Response()
    answer.status_code, answer._content, answer.url = 404, b"", request.url  # noqa: SLF001  # how one is made
    return RequestsTransportResponse(request, answer)
