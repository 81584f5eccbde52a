"""Run the emulator until it is ended: `python -m tests.azure_emulator --state FOLDER`."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.setup import Setup


def main() -> None:
    usual = Setup()
    parser = argparse.ArgumentParser(prog="python -m tests.azure_emulator", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the folder where everything is kept")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; a free one if none is named")
    parser.add_argument("--workspace", action="append", help="a workspace's name; may be repeated")
    parser.add_argument("--registry", action="append", help="a registry's name; may be repeated")
    parser.add_argument("--jobs", type=int, default=usual.jobs_at_once, help="how many run at the same time")
    parser.add_argument("--containers", action="store_true", help="run what deployments serve")
    parser.add_argument(
        "--storage", metavar="ACCOUNT/CONTAINER", help="a container of a fleet, to be reached too"
    )
    asked = parser.parse_args()
    setup = Setup(
        workspaces=asked.workspace or usual.workspaces,
        registries=asked.registry or usual.registries,
        jobs_at_once=asked.jobs,
        containers=asked.containers,
    )
    ends = {signal.SIGINT, signal.SIGTERM}
    # Before any thread is started, so that all of them leave these signals to this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with AzureEmulator(asked.state.resolve(), setup, port=asked.port) as emulator:
        variables = dict(emulator.environment)
        if asked.storage:
            account, _, container = asked.storage.partition("/")
            emulator.blobs.make_container(account, container)
            variables |= emulator.storage_environment(account)
        for name, value in variables.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
