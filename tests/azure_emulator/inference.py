"""The server in a deployment's container: it calls `init` and `run` of a scoring script, as Azure's own does.

    python -m tests.azure_emulator.inference FOLDER SCRIPT

Prints the port it answers at once `init` is through. `POST /score` gives the body to `run`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class AMLResponse:
    """What a script answers with that sets its own status, as `azureml.contrib.services.aml_response` has it."""

    message: Any
    status_code: int
    response_headers: dict[str, str] = field(default_factory=dict)
    json_str: bool = False


def main() -> None:
    folder, script = Path(sys.argv[1]).resolve(), sys.argv[2]
    os.environ["AML_APP_ROOT"] = str(folder)
    os.chdir(folder)
    _offer_aml_response()
    described = importlib.util.spec_from_file_location("scoring_script", folder / script)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    module.init()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(module))
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


def _offer_aml_response() -> None:
    names = (
        "azureml",
        "azureml.contrib",
        "azureml.contrib.services",
        "azureml.contrib.services.aml_response",
    )
    for name in names:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules[names[-1]].AMLResponse = AMLResponse  # type: ignore[attr-defined]  # made just now


def _handler(module: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            try:
                answer = module.run(body.decode())
                given = answer if isinstance(answer, AMLResponse) else AMLResponse(answer, 200)
                status, said = given.status_code, str(given.message).encode()
            except Exception as error:  # noqa: BLE001  # as the real server does: the container goes on
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                status, said = 500, b'{"message": "An unexpected error occurred in scoring script."}'
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            """Say nothing of each request."""

    return Handler


if __name__ == "__main__":
    main()
