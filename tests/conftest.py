"""What holds for all tests."""

from __future__ import annotations

import faulthandler
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, OIDC_SECRET_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.ports.served import URL_VARIABLE
from tests.servers.azure_storage import MISSING as AZURITE_MISSING
from tests.servers.azure_storage import PROGRAM, AzureServer, azure_server
from tests.servers.oidc_provider import MISSING as OIDC_MISSING
from tests.servers.oidc_provider import OidcServer, is_installed, oidc_provider
from tests.servers.postgres import MISSING, PostgresServer, binaries, postgres_server
from tests.servers.s3 import S3Server, s3_server
from tests.users import AsUser, user_changer

# Tests name their own databases, keys and tokens; never those of whoever runs them.
for _variable in (
    DATABASE_URL_VARIABLE,
    OIDC_SECRET_VARIABLE,
    SIGNING_KEY_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
):
    os.environ.pop(_variable, None)


# One key seals what all processes of a test run write, and it is no key of whoever runs them.
_STATE = "FLEETCAST_TESTS_STATE"
_BEGAN = _STATE not in os.environ
if _BEGAN:
    os.environ[_STATE] = tempfile.mkdtemp(prefix="fleetcast-tests-")
os.environ["XDG_STATE_HOME"] = os.environ[_STATE]


_CRASHED = "crashed-"


def pytest_xdist_auto_num_workers() -> int:
    """Half as many more as processors: tests wait for disks, servers and other processes a quarter of their time."""
    processors = len(os.sched_getaffinity(0))
    return processors + (processors + 1) // 2


def pytest_sessionstart() -> None:
    """Let a worker that crashes leave its stack where the summary finds it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        # A number, never closed: whoever crashes writes there at the very end.
        faulthandler.enable(os.open(f"{os.environ[_STATE]}/{_CRASHED}{worker}", os.O_WRONLY | os.O_CREAT))


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if _BEGAN:
        shutil.rmtree(os.environ[_STATE], ignore_errors=True)


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> AsUser:
    """Go on as another user of this machine."""
    return user_changer(monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, for all tests of this process."""
    if binaries() is None:
        pytest.skip(MISSING)
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 server, which all clients of this process find from now on."""
    with s3_server() as server, patch.dict(os.environ, server.environment):
        yield server


@pytest.fixture(scope="session")
def azure() -> Iterator[AzureServer]:
    """A real Azure storage server."""
    if not PROGRAM.exists():
        pytest.skip(AZURITE_MISSING)
    with azure_server() as server:
        yield server


@pytest.fixture(scope="session")
def oidc() -> Iterator[OidcServer]:
    """A real OpenID Connect provider."""
    if not is_installed():
        pytest.skip(OIDC_MISSING)
    with oidc_provider() as server:
        yield server


LONGEST = (
    "test_agents_example.py",
    "test_adopt_example.py",
    "test_rollout_example.py",
    "test_monitoring_example.py",
    "test_documents_run.py",
    "test_chaos.py",
)
"""Of the slow ones these begin first: the last to begin is what everybody waits for."""
ALL_STORIES = "FLEETCAST_TEST_ALL_STORIES"
ON_BOTH = (
    "test_decisions_race.py",
    "test_people_decide.py",
    "test_tampered_requests.py",
    "test_two_at_once.py",
)
"""Stories in which the database matters: told over a server in each run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests after the fast ones, so that most mistakes show at once; tell most stories over one database."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is not None, item.path.name not in LONGEST))
    if os.environ.get(ALL_STORIES):
        return
    once = pytest.mark.skip(reason="told over SQLite here; `make test-all` tells it over PostgreSQL too")
    for item in items:
        if long := item.get_closest_marker("long"):
            why = f"it takes minutes: `{long.kwargs['told_by']}` and `make test-all` run it"
            item.add_marker(pytest.mark.skip(reason=why))
        elif _is_told_again(item):
            item.add_marker(once)


def _is_told_again(item: pytest.Item) -> bool:
    """Whether a test is run over a server only because all are, and not as it is about one."""
    if item.path.name == "test_damaged_database.py":
        return _over_a_server(item, "address")
    if item.path.parent.name != "scenarios" or item.path.name in ON_BOTH:
        return False
    chosen = any(mark.args[0] == "server" for mark in item.iter_markers("parametrize"))
    return not chosen and _over_a_server(item, "server")


def _over_a_server(item: pytest.Item, named: str) -> bool:
    found = getattr(item, "callspec", None)
    return found is not None and found.params.get(named) == "postgres"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests recorded (what was synced before each acknowledgement), and where workers crashed."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    lines = [str(said) for report in reports for name, said in report.user_properties if name == "synced"]
    if lines:
        terminalreporter.section("synced before each acknowledgement")
        for line in lines:
            terminalreporter.line(line)
    for path in sorted(Path(os.environ[_STATE]).glob(f"{_CRASHED}*")):
        if stack := path.read_text(errors="replace"):
            terminalreporter.section(path.name)
            terminalreporter.line(stack)
