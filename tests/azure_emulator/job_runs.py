"""Runs jobs on this machine: inputs are fetched, the command runs in a folder of its own, outputs are put away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fleetcast.ports.clock import Clock
from tests.azure_emulator.blob_store import BlobStore
from tests.azure_emulator.job_parts import (
    Bindings,
    Program,
    component_of,
    filled,
    in_order,
    outputs_of,
    root_inputs,
    step_inputs,
)
from tests.azure_emulator.messages import Json, Refused, part, text
from tests.azure_emulator.scope import Scope, Scopes
from tests.azure_emulator.store import Store
from tests.azure_emulator.workspaces import ARTIFACTS

LOG = "user_logs/std_log.txt"
FINAL = frozenset({"Completed", "Failed", "Canceled"})
_GRACE = 5.0
"""Seconds between asking a process to end and ending it."""


class Canceled(Exception):
    """Somebody has asked for the job to be ended."""


@dataclass(slots=True)
class _Run:
    """A job that is wanted, and its process while there is one."""

    canceled: threading.Event = field(default_factory=threading.Event)
    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        with self.lock:
            self.canceled.set()
            if self.process is not None:
                _end(self.process)


class JobRuns:
    """Runs so many jobs at the same time; the others are queued."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        blobs: BlobStore,
        scopes: Scopes,
        clock: Clock,
        environment: Callable[[], Mapping[str, str]],
        at_once: int,
    ) -> None:
        self._folder = folder
        self._store = store
        self._blobs = blobs
        self._scopes = scopes
        self._clock = clock
        self._environment = environment
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="azure-job")
        self._runs: dict[str, _Run] = {}
        self._closing = False

    def submit(self, scope: Scope, name: str) -> None:
        """Let a job run as soon as it is its turn."""
        self._runs[scope.key("jobs", name)] = _Run()
        self._pool.submit(self._run, scope, name)

    def cancel(self, scope: Scope, name: str) -> None:
        """End a job: at once if it waits, and when its process has gone if it runs."""
        run = self._runs.get(scope.key("jobs", name))
        if run is not None:
            run.cancel()

    def close(self) -> None:
        """End all processes; what was not done is run again by the next emulator with this state."""
        self._closing = True
        for run in self._runs.values():
            run.cancel()
        self._pool.shutdown(cancel_futures=True)

    def keep_log(self, scope: Scope, name: str) -> None:
        """Put what a job has written so far where its log is read."""
        file = self._folder / name / "std_log.txt"
        if file.is_file():
            place = self._scopes.locate(scope, artifacts(name)).below(LOG)
            self._blobs.put(place, file.read_bytes(), content_type="text/plain")

    def _run(self, scope: Scope, name: str) -> None:
        run = self._runs[scope.key("jobs", name)]
        status, error = "Completed", ""
        try:
            self._begin(scope, name, run)
            properties = part(self._store.get(scope.key("jobs", name)).body, "properties")
            outputs = outputs_of(name, {}, part(properties, "outputs"), {})
            inputs = root_inputs(properties)
            if text(properties, "jobType") == "Command":
                program = Program(
                    text(properties, "command"), text(properties, "codeId"), _variables(properties)
                )
                self._command(scope, name, run, program, inputs, outputs)
            else:
                self._pipeline(scope, name, run, part(properties, "jobs"), inputs, outputs)
        except Canceled:
            status = "Canceled"
        except Exception as problem:  # noqa: BLE001  # whatever it is, the job does not stay running for ever
            status, error = "Failed", str(problem)
        if not self._closing:
            self._end(scope, name, status, error)

    def _begin(self, scope: Scope, name: str, run: _Run) -> None:
        if run.canceled.is_set():
            raise Canceled
        self._note(scope, name, "Running", {"started": self._clock.now().isoformat()})
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "std_log.txt").touch()

    def _end(self, scope: Scope, name: str, status: str, error: str) -> None:
        if error:
            with (self._folder / name / "std_log.txt").open("a") as log:
                log.write(f"{error}\n")
        self.keep_log(scope, name)
        self._note(scope, name, status, {"ended": self._clock.now().isoformat(), "error": error})
        for left in ("work", "inputs", "outputs"):
            shutil.rmtree(self._folder / name / left, ignore_errors=True)

    def _note(self, scope: Scope, name: str, status: str, kept: Json) -> None:
        with self._store.lock:
            record = self._store.get(scope.key("jobs", name))
            part(record.body, "properties")["status"] = status
            self._store.write(record.id, record.body, {**record.kept, **kept})

    def _pipeline(
        self, scope: Scope, name: str, run: _Run, steps: Json, inputs: Bindings, outputs: Bindings
    ) -> None:
        done: dict[str, Bindings] = {}
        for step, said in in_order(steps):
            spec = component_of(said, self._scopes)
            child = f"{name}.{step}"
            given = step_inputs(said, part(spec, "inputs"), inputs, done)
            done[step] = outputs_of(child, part(spec, "outputs"), part(said, "outputs"), outputs)
            self._child(scope, name, child, said, spec, done[step])
            status, error = "Completed", ""
            try:
                self._begin(scope, child, run)
                if text(spec, "type") == "pipeline":
                    self._pipeline(scope, child, run, part(spec, "jobs"), given, done[step])
                else:
                    variables = {**_variables(spec), **_variables(said)}
                    program = Program(text(spec, "command"), text(spec, "code"), variables)
                    self._command(scope, child, run, program, given, done[step])
            except Canceled:
                status = "Canceled"
                raise
            except Exception as problem:
                status, error = "Failed", str(problem)
                raise
            finally:
                if not self._closing:
                    self._end(scope, child, status, error)

    def _child(
        self, scope: Scope, parent: str, child: str, step: Json, spec: Json, outputs: Bindings
    ) -> None:
        made: Json = {
            "jobType": "Pipeline" if text(spec, "type") == "pipeline" else "Command",
            "displayName": child.rpartition(".")[2],
            "componentId": text(step, "componentId"),
            "status": "Queued",
            "isArchived": False,
            "services": {},
            "tags": {},
            "properties": {},
            "outputs": {
                name: {"uri": one.said, "mode": one.mode, "jobOutputType": one.kind}
                for name, one in outputs.items()
            },
        }
        if text(spec, "type") == "command":
            made |= {"command": spec["command"], "environmentId": spec["environment"]}
        else:
            made |= {"jobs": spec["jobs"]}
        identity = scope.key("jobs", child)
        body: Json = {"id": identity, "name": child, "type": scope.kind("jobs"), "properties": made}
        self._store.write(identity, body, {"parent": parent})

    def _command(
        self, scope: Scope, name: str, run: _Run, program: Program, inputs: Bindings, outputs: Bindings
    ) -> None:
        folder = self._folder / name
        work = folder / "work"
        work.mkdir()
        if program.code:
            code = part(self._scopes.resolve(program.code).body, "properties")
            self._blobs.download(self._scopes.locate(scope, text(code, "codeUri")), work)
        values: dict[str, str] = {}
        for key, bound in inputs.items():
            values[f"inputs.{key}"] = bound.said
            if bound.is_local:
                values[f"inputs.{key}"] = str(self._fetched(scope, folder / "inputs" / key, bound.said))
        for key, bound in outputs.items():
            local = folder / "outputs" / key
            (local.parent if bound.is_file else local).mkdir(parents=True, exist_ok=True)
            values[f"outputs.{key}"] = str(local) if bound.is_local else bound.said
        try:
            code_of_end = self._process(name, run, filled(program.command, values.get), program, work)
        finally:
            # As a mount would, and an upload at the end: what is there is there, however the command has fared.
            for key, bound in outputs.items():
                local = folder / "outputs" / key
                if bound.is_local and local.exists() and not self._closing:
                    self._blobs.upload(local, self._scopes.locate(scope, bound.said))
        if run.canceled.is_set():
            raise Canceled
        if code_of_end != 0:
            raise Refused(400, "UserError", f"The command has ended with exit code {code_of_end}.")

    def _fetched(self, scope: Scope, target: Path, uri: str) -> Path:
        """Where an input now lies on this machine; a URI may be that of an asset."""
        if "datastores/" not in uri and not uri.startswith("https:"):
            asset = part(self._scopes.resolve(uri).body, "properties")
            uri = text(asset, "dataUri") or text(asset, "modelUri")
        self._blobs.download(self._scopes.locate(scope, uri), target)
        return target

    def _process(self, name: str, run: _Run, command: str, program: Program, work: Path) -> int:
        beside = Path(sys.executable).parent
        environment = {
            **os.environ,
            **self._environment(),
            "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}",
            "AZUREML_RUN_ID": name,
            "AZUREML_ROOT_RUN_ID": name.partition(".")[0],
            **program.environment,
        }
        with (self._folder / name / "std_log.txt").open("ab") as log:
            with run.lock:
                if run.canceled.is_set():
                    raise Canceled
                run.process = subprocess.Popen(
                    ["/bin/bash", "-c", command],
                    cwd=work,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            try:
                return run.process.wait()
            finally:
                with run.lock:
                    run.process = None


def artifacts(job: str) -> str:
    """Where a job's logs are."""
    return f"azureml://datastores/{ARTIFACTS}/paths/ExperimentRun/dcid.{job}"


def _variables(said: Json) -> Mapping[str, str]:
    found = part(said, "environmentVariables") or part(said, "environment_variables")
    return {name: str(value) for name, value in found.items()}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process and all that it has started to end, and end them if they do not."""
    _tell(process, signal.SIGTERM)
    timer = threading.Timer(_GRACE, _tell, (process, signal.SIGKILL))
    timer.daemon = True
    timer.start()


def _tell(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, what)
