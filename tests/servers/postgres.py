"""A real PostgreSQL server of the tests' own, from Debian's package or another in the usual places."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from tests.servers.certificates import write_certificates

MISSING = "PostgreSQL is not installed: `make test` installs it, or `apt-get install postgresql`"
_COUNT = itertools.count(1)
_QUICK = {"fsync": "off", "full_page_writes": "off", "max_connections": "50"}


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, of the newest version; None if there is none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass(slots=True)
class PostgresServer:
    """A server on a free port of this machine; anyone on it may connect as `fleet`."""

    folder: Path
    port: int
    user: str = "fleet"
    settings: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in {**_QUICK, **self.settings}.items())
        listening = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self._pg_ctl("start", "-w", "-l", str(self.folder / "log"), "-o", f"{listening} {options}")

    def stop(self, mode: str = "immediate") -> None:
        self._pg_ctl("stop", "-w", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        """Stop at once, breaking all connections, and start again."""
        self.stop(mode)
        self.start()

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """The name of an empty database, or of a copy of another one."""
        name = f"fleet_{os.getpid()}_{next(_COUNT)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def run(self, statement: str, database: str = "postgres") -> None:
        """Say something to the server, past fleetcast."""
        address = self.url(database).replace("postgresql:", "postgresql+pg8000:")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def require_password(self, user: str, password: str) -> None:
        """A user who is let in with a password only."""
        self.run(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'")
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        self.run("SELECT pg_reload_conf()")

    def create(self) -> None:
        binary = ["initdb", "-D", str(self.folder / "data"), "-U", self.user, "-A", "trust", "-E", "UTF8"]
        self._as_owner([*binary, "--no-sync", "--locale=C"])

    def _pg_ctl(self, *words: str) -> None:
        self._as_owner(["pg_ctl", "-D", str(self.folder / "data"), *words])

    def _as_owner(self, words: list[str]) -> None:
        """Run one of the server's programs; it refuses root, so root becomes `postgres`."""
        folder = binaries()
        assert folder is not None, MISSING
        account = _account()
        done = subprocess.run(
            [str(folder / words[0]), *words[1:]],
            user=account,
            group=account,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words[0]} {words[-1]}: {done.stderr}{self._log()}"

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""


@contextmanager
def postgres_server(*, tls: bool = False) -> Iterator[PostgresServer]:
    """A server that lives as long as a `with` block; with TLS, its authority is in `authority.pem`."""
    folder = Path(tempfile.mkdtemp(prefix="fleetcast-postgres-"))
    settings = {}
    if tls:
        files = write_certificates(folder)
        settings = {"ssl": "on", "ssl_cert_file": str(files.certificate), "ssl_key_file": str(files.key)}
    account = _account()
    if account is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, account, account)
    server = PostgresServer(folder, _free_port(), settings=settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        _end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _end(folder: Path) -> None:
    """End the server at once, if it runs: nothing of it is needed any more."""
    note = folder / "data" / "postmaster.pid"
    if note.exists():
        os.kill(int(note.read_text().split()[0]), signal.SIGQUIT)


def _account() -> str | None:
    """The system's account for the server; None for the present one."""
    if os.getuid() != 0:
        return None
    return pwd.getpwnam("postgres").pw_name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
