"""An Azure storage server of the tests' own (Azurite): it speaks TLS and takes tokens, no shared key."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Certificates, write_certificates

PROGRAM = Path(__file__).parent / "azurite" / "node_modules" / ".bin" / "azurite-blob"
MISSING = "Azurite is not installed: `make test` installs it where npm is, or `make azurite`"
ACCOUNT = "devstoreaccount1"
_COUNT = itertools.count(1)


@dataclass(frozen=True, slots=True)
class AzureServer:
    """A server on a free port of this machine."""

    port: int
    certificates: Certificates

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.port}/{ACCOUNT}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ENDPOINT": self.endpoint,
            "AZURE_STORAGE_TOKEN": token(),
            "SSL_CERT_FILE": str(self.certificates.authority),
        }

    def new_container(self) -> str:
        name = f"fleet-{next(_COUNT)}"
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{self.endpoint}/{name}?restype=container",
            method="PUT",
            headers={
                "Authorization": f"Bearer {token()}",
                "x-ms-version": "2021-08-06",
                "Content-Length": "0",
            },
        )
        trusting = ssl.create_default_context(cafile=str(self.certificates.authority))
        urllib.request.urlopen(request, context=trusting).close()  # noqa: S310  # our own address
        return name


def token() -> str:
    """What Entra would give a managed identity; Azurite reads it and does not check who signed it."""
    now = int(time.time())
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3_600,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)] + [b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@contextmanager
def azure_server() -> Iterator[AzureServer]:
    folder = Path(tempfile.mkdtemp(prefix="fleetcast-azurite-"))
    certificates = write_certificates(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--oauth", "basic"]
    options += [
        "--blobPort",
        str(port),
        "--cert",
        str(certificates.certificate),
        "--key",
        str(certificates.key),
    ]
    with subprocess.Popen([str(PROGRAM), *options], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "successfully listen" in line:
                break
        assert process.poll() is None, "".join(said)
        try:
            yield AzureServer(port, certificates)
        finally:
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
