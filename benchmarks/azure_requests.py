"""What fleetcast asks of Azure for 200 circuits, counted by the emulator of the tests, next to plain SDK calls.

    python benchmarks/azure_requests.py [CIRCUITS]

Each command is a process of its own. Requests to Azure's control plane and to the registry count; files, tokens, looks
at a job that runs and at an operation that takes its time are shown apart. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.azure_emulator.emulator import AzureEmulator  # the emulator that the tests use
from tests.azure_emulator.exchange import Exchange
from tests.azure_fleet import write_azure_fleet
from tests.contracts.azure import REGISTRY, WORKSPACES, azure_emulated
from tests.scenarios.repository import Repository

from fleetcast.domain.place import EnvironmentName

FEW, PER_PLANT = 20, 20
BATCH = 50
COMMANDS = (
    ("plan", "plan", 0),
    ("train", "train", 3),
    ("plan_waiting", "plan", 0),
    ("share", "train", 0),
    ("plan_idle", "plan", 0),
    ("train_idle", "train", 0),
)
"""What is typed one after another, with the exit code; before `share` everything is approved."""
PLANS = ("plan", "plan_waiting", "plan_idle")
_WORKSPACE = re.compile(r".*/workspaces/[^/]+", re.IGNORECASE)


class Kind(Enum):
    """What a request is for."""

    COUNTS = "count"
    TOKEN = "tokens"  # noqa: S105  # a word in a table
    OPERATION = "looks at operations"
    JOB = "looks at jobs"
    BLOB = "files"


def kind_of(exchange: Exchange) -> Kind:
    """What a request is for."""
    if exchange.host.startswith("127.") or ".blob." in exchange.host:
        return Kind.BLOB
    if exchange.host.startswith("login."):
        return Kind.TOKEN
    if re.search(r"/mfeOperation(sStatus|Results)/", exchange.path):
        return Kind.OPERATION
    if exchange.method == "GET" and re.search(r"/jobs(/|$)", exchange.path):
        return Kind.JOB
    return Kind.COUNTS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("circuits", nargs="?", type=int, default=200)
    many: int = parser.parse_args().circuits
    with tempfile.TemporaryDirectory() as folder:
        small, _ = _fleet(Path(folder) / "small", FEW, lambda _fleet, _emulator: {})
        large, plain = _fleet(Path(folder) / "large", many, _plain)
    counts = {name: _counted(exchanges) for name, exchanges in large.items()}
    shown = [kind.value for kind in Kind]
    print(f"requests, {many} circuits    " + "".join(f"{name:>22}" for name in shown))
    for name, _, _ in COMMANDS:
        print(f"{name:<26}" + "".join(f"{counts[name][kind]:>22,}" for kind in Kind))
    registration = [one for one in large["train"] if _about_models(one, "/workspaces/")]
    sharing = [one for one in large["share"] if _about_models(one, "/registries/")]
    result: dict[str, float] = {
        "circuits": many,
        **{f"{name}_requests": counts[name][Kind.COUNTS] for name in PLANS},
        **{
            f"{name}_{size}": _counted(of[name])[Kind.COUNTS]
            for name in ("plan_idle", "train_idle")
            for size, of in (("few", small), ("many", large))
        },
        "registration": round(len(registration) / many, 2),
        "share": round(len(sharing) / many, 2),
        "share_with_looks": round((len(sharing) + counts["share"][Kind.OPERATION]) / many, 2),
        "workspace_lookups": _most(large.values(), lambda one: bool(_WORKSPACE.fullmatch(one.path))),
        "discovery_lookups": _most(large.values(), lambda one: "/discovery" in one.path),
        **plain,
    }
    most = max(counts[name][Kind.COUNTS] for name in PLANS)
    result["ratio_plan"] = round(plain["plain_look"] * many / most, 1)
    result["ratio_share"] = round(plain["plain_share"] / result["share"], 2)
    print(
        f"each registration from a job's output {result['registration']:.2f}, each share {result['share']:.2f}"
    )
    print(
        f"plain SDK calls, one by one: {plain['plain_look']:.2f} to look at a circuit's job and model, "
        f"{plain['plain_share']:.2f} for each share"
    )
    print(json.dumps(result))


def _fleet(
    folder: Path, circuits: int, after: Callable[[Repository, AzureEmulator], Mapping[str, float]]
) -> tuple[Mapping[str, Sequence[Exchange]], Mapping[str, float]]:
    """Take a fleet through all commands; gives what each asked, and what is measured after them."""
    folder.mkdir()
    asked: dict[str, Sequence[Exchange]] = {}
    with azure_emulated(folder / "azure") as emulator:
        plants = max(circuits // PER_PLANT, 1)
        fleet = write_azure_fleet(
            folder / "fleet", emulator, plants=plants, circuits=circuits // plants, batch_size=BATCH
        )
        for name, command, code in COMMANDS:
            if name == "share":
                fleet.approve_all()
            before, began = len(emulator.exchanges()), time.monotonic()
            process = fleet.start(command)
            out, err = process.communicate()
            if process.returncode != code:
                raise SystemExit(f"{command} ended with {process.returncode}: {out[-2000:]}{err[-2000:]}")
            asked[name] = emulator.exchanges()[before:]
            print(f"{circuits} circuits, {name:<12} {time.monotonic() - began:6.1f} s", flush=True)
        unknown = [f"{one.method} {one.path}" for one in emulator.exchanges() if not one.known]
        if unknown:
            raise SystemExit(f"the emulator does not know {unknown[:5]}")
        return asked, after(fleet, emulator)


def _plain(fleet: Repository, emulator: AzureEmulator) -> Mapping[str, float]:
    """Requests a circuit when its job, its model and its sharing are asked for one by one, as is documented."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    names = [name for name, _ in fleet.versions()][:FEW]
    job = str(fleet.rows("SELECT name FROM handed_over")[0][0])
    setup = emulator.setup
    client = MLClient(
        DefaultAzureCredential(exclude_interactive_browser_credential=True),
        setup.subscription,
        setup.resource_group,
        WORKSPACES[EnvironmentName.DEV],
    )
    began = len(emulator.exchanges())
    for name in names:
        client.jobs.get(job)
        client.models.get(name, "1")
    looked = len(emulator.exchanges())
    for name in names:
        client.models.share(
            name, "1", registry_name=REGISTRY, share_with_name=name, share_with_version="1001"
        )
    asked = emulator.exchanges()
    apart = (Kind.TOKEN, Kind.BLOB, Kind.OPERATION)
    look = sum(kind_of(one) not in apart for one in asked[began:looked])
    share = sum(kind_of(one) not in apart for one in asked[looked:])
    return {"plain_look": round(look / len(names), 2), "plain_share": round(share / len(names), 2)}


def _counted(exchanges: Sequence[Exchange]) -> Counter[Kind]:
    return Counter(kind_of(one) for one in exchanges)


def _most(commands: Iterable[Sequence[Exchange]], meets: Callable[[Exchange], bool]) -> int:
    """How often some requests were made at most in one command."""
    return max(sum(map(meets, exchanges)) for exchanges in commands)


def _about_models(exchange: Exchange, place: str) -> bool:
    """Whether it counts, and is about one model or is an import into the registry, which names none in its path."""
    if kind_of(exchange) is not Kind.COUNTS or place not in exchange.path:
        return False
    return "/models/" in exchange.path or exchange.path.endswith("/import")


if __name__ == "__main__":
    main()
