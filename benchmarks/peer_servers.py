"""The servers that a user would pick instead, each in an environment of its own, pinned by hash."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from served_fleet import http_post

HERE = Path(__file__).parent
ROOT = HERE.parent
MODELS = 200
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Peer:
    name: str
    environment: str
    """Of its programs, and the file below constraints/peers/ that pins them."""
    prepare: Callable[[Path, int], Sequence[str]]
    """Writes what it is started with into a folder; gives the command, after the folder of its programs."""
    path: Callable[[int], str]
    """Where a model is asked."""
    body: Callable[[int, Sequence[float]], object]


def _mlserver(folder: Path, port: int, **more: object) -> Sequence[str]:
    """As it is installed, one worker process, but for its ports and what more is said."""
    settings = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, **more}
    (folder / "settings.json").write_text(json.dumps(settings))
    for number in range(MODELS):
        model = folder / f"m{number:03d}"
        model.mkdir()
        said = {"name": model.name, "implementation": "mlserver_model.Forecasts"}
        (model / "model-settings.json").write_text(json.dumps(said))
    return ("mlserver", "start", str(folder))


def _mlserver_tuned(folder: Path, port: int) -> Sequence[str]:
    """Without a worker process, so that nothing is handed from one to the other, and without its access log."""
    return _mlserver(folder, port, parallel_workers=0, debug=False)


def _infer(number: int) -> str:
    return f"/v2/models/m{number:03d}/infer"


def _tensor(_number: int, history: Sequence[float]) -> object:
    values = {"name": "history", "shape": [1, len(history)], "datatype": "FP64", "data": list(history)}
    return {"inputs": [values]}


def _bentoml(folder: Path, port: int) -> Sequence[str]:
    return ("bentoml", "serve", "bento_service:Forecasts", "--port", str(port), "--working-dir", str(folder))


PEERS = (
    Peer("mlserver", "mlserver", _mlserver, _infer, _tensor),
    Peer("mlserver_tuned", "mlserver", _mlserver_tuned, _infer, _tensor),
    Peer(
        "bentoml",
        "bentoml",
        _bentoml,
        lambda _number: "/score",
        lambda number, history: {"circuit_id": f"m{number:03d}", "history": list(history)},
    ),
)


@contextmanager
def serving(peer: Peer, folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """One of them with 200 models and one worker; gives its port, and a request for each model."""
    from serving_bodies import histories

    programs, port = installed(peer.environment), _free_port()
    for file in (HERE / "peers").glob("*.py"):
        shutil.copy(file, folder / file.name)
    command = peer.prepare(folder, port)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(programs / command[0]), *command[1:]],
            cwd=folder,
            env=environment_of(programs, folder),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        requests = [
            http_post(peer.path(number), json.dumps(peer.body(number, history)).encode())
            for number, history in enumerate(histories(MODELS))
        ]
        _wait_until_it_answers(port, requests[-1], process, folder / "log")
        yield port, requests
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def installed(name: str) -> Path:
    """The programs of a peer's environment, which is made if need be."""
    environment = ROOT / ".venv" / "peers" / name
    stamp, pinned = environment / "installed", ROOT / "constraints" / "peers" / f"{name}.txt"
    if not stamp.exists() or stamp.read_bytes() != pinned.read_bytes():
        print(f"Installing {name} with {pinned.relative_to(ROOT)}", flush=True)
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "install", "--no-compile", "--no-deps", "--require-hashes", "-r", str(pinned)], check=True
        )
        stamp.write_bytes(pinned.read_bytes())
    return environment / "bin"


def environment_of(programs: Path, folder: Path) -> Mapping[str, str]:
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
    }
    return {**os.environ, **threads, **own}


def _wait_until_it_answers(port: int, request: bytes, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
                one.sendall(request)
                if one.recv(12).endswith(b"200"):
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"it does not answer:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
