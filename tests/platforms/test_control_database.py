"""The control database over SQLite and PostgreSQL: schemas, lost connections, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fleetcast.domain.audit import GENESIS, AuditEvent, Mark, chained
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.platforms.control.audit import ControlAuditLog
from fleetcast.platforms.database import migrate, schema
from fleetcast.platforms.database.backend import Backend, Fate
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.marks import last_mark
from fleetcast.platforms.database.postgres import postgres
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.ports.clock import SystemClock
from fleetcast.ports.signing import Sealing
from fleetcast.stored.audit import AUDIT_ENTRY
from tests.clocks import FixedClock
from tests.contracts.samples import ADA
from tests.platforms.conftest import Address
from tests.sealing import SEALING
from tests.servers.cutting_proxy import cutting_proxy
from tests.servers.postgres import PostgresServer, postgres_server

ROOT = Path(__file__).parents[2]


def opened(address: Address, clock: FixedClock | SystemClock | None = None) -> ControlDatabase:
    backend: Backend = sqlite(address) if isinstance(address, Path) else postgres(address)
    return ControlDatabase(backend, clock=clock or FixedClock(), sealing=SEALING)


def at_first_schema(address: Address) -> ControlDatabase:
    """A database as the first version of fleetcast made it."""
    database = opened(address)
    step: Callable[[sa.Connection, Sealing], str | None] = (
        migrate._one_step
    )  # an old database is what it took
    database.change(lambda connection: step(connection, SEALING))
    database.change(schema.schema_version.drop)
    assert migrate.schema_number(database) == "0001"
    return database


SCHEMAS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
)
"""Every number that a database has had."""


def tables(database: ControlDatabase) -> set[str]:
    return database.read(lambda connection: set(sa.inspect(connection).get_table_names()))


def note(database: ControlDatabase, text: str) -> None:
    """Write something into the audit log, as the first version wrote it too."""
    event = AuditEvent("test.noted", text, {})

    def write(connection: sa.Connection) -> None:
        last = last_mark(connection) or Mark(0, GENESIS)
        entry = chained(last.number + 1, database.clock.now(), ADA, event, last.digest)
        row = {"number": entry.number, "digest": entry.digest.hex, "content": AUDIT_ENTRY.to_json(entry)}
        connection.execute(sa.insert(sa.table("audit", *map(sa.column, row))).values(row))

    database.change(write)


def noted(database: ControlDatabase) -> list[str]:
    return [entry.event.subject for entry in ControlAuditLog(Session(database, ADA)).entries()]


# Schemas


def test_the_migrations_end_at_the_tables_that_an_empty_database_gets(address: Address) -> None:
    database = opened(address)
    assert migrate.upgrade(database) == SCHEMAS
    differences = database.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection), schema.metadata)
    )
    assert differences == []
    assert migrate.schema_number(database) == schema.NUMBER
    first = database.read(
        lambda connection: connection.execute(sa.select(schema.first_schema_version.c.version)).scalar()
    )
    assert first == schema.FIRST_SCHEMA_VERSION


def test_an_older_database_is_upgraded_where_it_belongs_to_this_machine_alone(address: Address) -> None:
    database = at_first_schema(address)
    note(database, "before")
    if database.backend.shared:
        with pytest.raises(BadInput, match="schema 0001") as caught:
            migrate.ensure_schema(database)
        assert "fleetcast database upgrade" in caught.value.fix
        assert migrate.schema_number(database) == "0001"
        assert migrate.upgrade(database) == SCHEMAS[1:]
    migrate.ensure_schema(database)
    assert migrate.schema_number(database) == schema.NUMBER
    assert noted(database) == ["before"]
    assert migrate.upgrade(database) == ()


def test_an_older_program_refuses_a_newer_schema_and_writes_nothing(address: Address) -> None:
    database = opened(address)
    migrate.ensure_schema(database)
    database.change(
        lambda connection: connection.execute(sa.update(schema.schema_version).values(version_num="0099"))
    )
    before = tables(database)
    for attempt in (migrate.ensure_schema, migrate.upgrade):
        with pytest.raises(BadInput, match=r"schema 0099.*knows no newer one") as caught:
            attempt(database)
        assert "newer" in caught.value.fix
    assert migrate.schema_number(database) == "0099"
    assert tables(database) == before


KILLED = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from tests.platforms.test_control_database import opened
from fleetcast.platforms.control.audit import ControlAuditLog
from fleetcast.platforms.database import migrate
target, statement = sys.argv[1:]
database = opened(Path(target) if "://" not in target else target)
def die(connection, cursor, said, *_):
    if said.strip().startswith(statement):
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(database.backend.engine, "after_cursor_execute", die)
migrate.upgrade(database)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE leases",
        "UPDATE schema_version",
        "UPDATE alembic_version",
        "INSERT INTO refused_models",
        "ALTER TABLE model_versions",
        "CREATE INDEX requests_by_name",
    ],
)
def test_a_migration_killed_at_any_statement_is_resumed(address: Address, statement: str) -> None:
    database = at_first_schema(address)
    note(database, "before")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(address), statement],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != -signal.SIGKILL:  # the number is inserted where the first version had no such table
        assert statement == "UPDATE alembic_version", done.stderr
    assert migrate.schema_number(database) in SCHEMAS
    migrate.upgrade(database)
    assert migrate.schema_number(database) == schema.NUMBER
    assert noted(database) == ["before"]


OPENED = """
import sys
from pathlib import Path
from tests.platforms.test_control_database import opened
from fleetcast.platforms.control.audit import ControlAuditLog
from fleetcast.platforms.database import migrate
from tests.sealing import SEALING
target = sys.argv[1]
migrate.ensure_schema(opened(Path(target) if "://" not in target else target))
"""


def test_two_programs_that_open_an_empty_database_at_once_make_it_once(address: Address) -> None:
    command = [
        sys.executable,
        "-c",
        OPENED,
        str(address),
    ]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert migrate.schema_number(opened(address)) == schema.NUMBER


# Lost connections


def test_a_transaction_cut_off_in_the_middle_is_done_again_once(postgres: PostgresServer) -> None:
    with cutting_proxy(postgres.port) as proxy:
        database = opened(replace(postgres, port=proxy.port).url(postgres.new_database()), SystemClock())
        migrate.ensure_schema(database)
        proxy.word, proxy.cuts = b"insert into audit", 1
        note(database, "once")
        assert proxy.cuts == 0
        assert noted(database) == ["once"]


def test_a_transaction_whose_commit_was_not_confirmed_is_not_done_twice(postgres: PostgresServer) -> None:
    with cutting_proxy(postgres.port) as proxy:
        database = opened(replace(postgres, port=proxy.port).url(postgres.new_database()), SystemClock())
        migrate.ensure_schema(database)
        proxy.word, proxy.cuts = b"commit", 1
        note(database, "once")
        assert proxy.cuts == 0
        assert noted(database) == ["once"]


def test_a_connection_reset_at_any_request_is_outlived_and_nothing_is_done_twice(
    postgres: PostgresServer,
) -> None:
    """From making the first connection to giving the last answer; a driver must let no socket's error through."""
    with cutting_proxy(postgres.port) as proxy:
        url = replace(postgres, port=proxy.port).url(postgres.new_database())
        migrate.ensure_schema(opened(url))
        told: list[str] = []
        while proxy.asked >= proxy.reset_at:
            proxy.asked, proxy.reset_at = 0, len(told) + 1
            database = opened(url)
            told.append(f"{len(told)}")
            note(database, told[-1])
            assert noted(database) == told
    assert len(told) > 20


def terminated_at(server: PostgresServer, database: ControlDatabase, name: str, moment: int) -> list[str]:
    """End all of fleetcast's connections at the n-th event that the engine tells of; gives what it was, if it came."""
    address = server.url(name).replace("postgresql:", "postgresql+pg8000:")
    outside = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    events: list[str] = []

    def told(event: str) -> Callable[..., None]:
        def now(*_: object) -> None:
            events.append(event)
            if len(events) == moment:
                with outside.connect() as connection:
                    connection.exec_driver_sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'fleetcast' AND datname = current_database()"
                    )

        return now

    engine = database.backend.engine
    for event in ("before_cursor_execute", "after_cursor_execute", "commit", "rollback"):
        sa.event.listen(engine, event, told(event))
    for event in ("connect", "checkout", "reset", "checkin"):
        sa.event.listen(engine.pool, event, told(event))
    return events


def test_a_backend_terminated_at_any_moment_is_outlived_and_nothing_is_done_twice(
    postgres: PostgresServer, capfd: pytest.CaptureFixture[str]
) -> None:
    name = postgres.new_database()
    migrate.ensure_schema(opened(postgres.url(name)))
    told: list[str] = []
    reached = True
    while reached:
        database = opened(postgres.url(name))
        events = terminated_at(postgres, database, name, len(told) + 1)
        told.append(f"{len(told)}")
        note(database, told[-1])
        assert noted(database) == told
        reached = len(events) >= len(told)
    assert len(told) > 20
    assert "Traceback" not in capfd.readouterr().err


def test_a_commit_of_which_the_server_says_nothing_is_not_repeated(postgres: PostgresServer) -> None:
    name = postgres.new_database()
    with cutting_proxy(postgres.port) as proxy:
        database = opened(replace(postgres, port=proxy.port).url(name), FixedClock())
        migrate.ensure_schema(database)
        proxy.word, proxy.cuts = b"commit", 1
        proxy_goes = partial(proxy.listener.shutdown, socket.SHUT_RDWR)
        sa.event.listen(database.backend.engine, "commit", lambda _connection: proxy_goes())
        with pytest.raises(Unavailable, match="was kept is not known") as caught:
            note(database, "perhaps")
        assert "looks at what is there" in caught.value.fix
    assert noted(opened(postgres.url(name))) in ([], ["perhaps"])


def test_a_commit_that_a_restarted_server_calls_done_proves_nothing() -> None:
    """The number may have been lost in a crash, and given to somebody else's transaction."""
    with postgres_server() as server:
        database = opened(server.url("postgres"))
        migrate.ensure_schema(database)
        backend = database.backend
        ticket = database.change(backend.begin_changing)
        assert database.read(lambda connection: backend.fate(connection, ticket)) is Fate.COMMITTED
        later = ticket.replace(ticket.split()[0], f"{int(ticket.split()[0]) + 1_000_000}")
        assert database.read(lambda connection: backend.fate(connection, later)) is Fate.UNDONE
        server.restart("fast")
        assert database.read(lambda connection: backend.fate(connection, ticket)) is Fate.UNKNOWN


def test_a_server_that_is_restarted_in_between_is_waited_for() -> None:
    with postgres_server() as server:
        database = opened(server.url("postgres"), SystemClock())
        migrate.ensure_schema(database)
        for number in range(3):
            note(database, f"{number}")
            server.restart()
        assert noted(database) == ["0", "1", "2"]


def test_a_server_that_stays_away_is_waited_for_as_long_as_patience_lasts() -> None:
    clock = FixedClock()
    with postgres_server() as server:
        database = opened(server.url("postgres"), clock)
        migrate.ensure_schema(database)
        server.stop()
        with pytest.raises(Unavailable, match="does not answer") as caught:
            note(database, "never")
        assert "FLEETCAST_DATABASE_URL" in caught.value.fix
    assert sum(clock.slept, timedelta(0)) >= timedelta(minutes=2)


# What is refused


def test_an_address_that_nobody_listens_at_is_an_error_without_the_password() -> None:
    clock = FixedClock()
    database = opened("postgresql://fleet:hush-hush@127.0.0.1:9/fleet", clock)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9/fleet does not answer") as caught:
        migrate.ensure_schema(database)
    assert "hush" not in str(caught.value) + caught.value.fix
    assert sum(clock.slept, timedelta(0)) <= timedelta(seconds=10)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://u:hush@h/d", "not PostgreSQL"),
        ("hush hush", "not a database address"),
        ("postgresql://h", "lacks the user or the database"),
        ("postgresql://u:hush@h:port/d", "not a database address"),
        ("postgresql://u@h/d?auth=kerberos", "'kerberos' is not known"),
        ("postgresql://u@h/d?sslmode=maybe", "'maybe' is not known"),
        ("postgresql://u@h/d?sslrootcert=missing.pem", "missing.pem"),
    ],
)
def test_addresses_that_cannot_be_used_are_explained(address: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        postgres(address)
    assert "hush" not in str(caught.value) + caught.value.fix


def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(Unavailable, match=r'database "nowhere" does not exist') as caught:
        migrate.ensure_schema(opened(postgres.url("nowhere")))
    assert "createdb" in caught.value.fix


def test_a_user_without_rights_is_told_which_to_ask_for(postgres: PostgresServer) -> None:
    name = postgres.new_database()
    role = f"reader_{os.getpid()}"
    postgres.run(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(Unavailable, match="permission denied") as caught:
        migrate.ensure_schema(opened(replace(postgres, user=role).url(name)))
    assert "GRANT" in caught.value.fix


def test_a_read_only_database_can_be_read_but_not_changed(postgres: PostgresServer) -> None:
    name = postgres.new_database()
    database = opened(postgres.url(name))
    migrate.ensure_schema(database)
    note(database, "before")
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    standby = opened(postgres.url(name))
    migrate.ensure_schema(standby)
    assert noted(standby) == ["before"]
    with pytest.raises(Unavailable, match="read-only") as caught:
        note(standby, "after")
    assert "primary" in caught.value.fix
    assert noted(standby) == ["before"]


def test_a_writer_that_waits_too_long_for_another_is_told(postgres: PostgresServer) -> None:
    url = postgres.url(postgres.new_database())
    database = opened(url)
    migrate.ensure_schema(database)
    from fleetcast.platforms.database.postgres import postgres as connect

    hurried = ControlDatabase(
        connect(url, lock_timeout=timedelta(milliseconds=50)), clock=FixedClock(), sealing=SEALING
    )

    def meanwhile(_connection: sa.Connection) -> None:
        with pytest.raises(FleetcastError, match="lock timeout") as caught:
            note(hurried, "never")
        assert "another process" in caught.value.fix

    database.change(meanwhile)
    assert noted(database) == []


@dataclass(slots=True)
class TokenService:
    """What a managed identity asks for a token on an Azure machine: a real one, on this machine."""

    token: str
    asked_for: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes:
        self.asked_for.append(parse_qs(urlsplit(path).query)["resource"][0])
        said = {"access_token": self.token, "expires_on": "4102444800", "token_type": "Bearer"}
        return json.dumps(said).encode()


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenService]:
    service = TokenService("token-1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = service.answer(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        yield service
        server.shutdown()


def test_an_entra_token_takes_the_place_of_the_password(tokens: TokenService) -> None:
    with postgres_server() as server:
        server.require_password("entra", "token-1")
        address = replace(server, user="entra").url("postgres")
        database = opened(f"{address}?auth=entra")
        migrate.ensure_schema(database)
        note(database, "by token")
        assert noted(database) == ["by token"]
        assert tokens.asked_for == ["https://ossrdbms-aad.database.windows.net"]
        with pytest.raises(Unavailable, match="password authentication failed") as caught:
            migrate.ensure_schema(opened(address.replace("entra@", "entra:stale-token@")))
        assert "stale-token" not in str(caught.value)
        assert "token in the environment" in caught.value.fix


def test_a_password_from_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres_server() as server:
        server.require_password("ada", "hush-hush")
        monkeypatch.setenv("PGPASSWORD", "hush-hush")
        database = opened(replace(server, user="ada").url("postgres"))
        migrate.ensure_schema(database)
        who = database.read(lambda connection: connection.exec_driver_sql("SELECT current_user").scalar())
        assert who == "ada"


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with postgres_server(tls=True) as server:
        checked = f"{server.url('postgres')}?sslmode=verify-full"
        with pytest.raises(Unavailable, match="cannot be trusted") as caught:
            migrate.ensure_schema(opened(checked))
        assert "?sslrootcert=FILE" in caught.value.fix
        authority = server.folder / "authority.pem"
        migrate.ensure_schema(opened(f"{checked}&sslrootcert={authority}"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(authority))
            migrate.ensure_schema(opened(checked))
        migrate.ensure_schema(opened(f"{server.url('postgres')}?sslmode=require"))


def test_opening_a_file_again_in_one_process_ends_no_lock_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    first = opened(path)
    migrate.ensure_schema(first)
    log = path.with_name("control.db-wal")
    before = log.stat().st_ino
    opened(path)
    # Whoever is the last one to close the file removes its log: this process is still there.
    writing = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
other.execute("DELETE FROM leases")
other.commit()
other.close()
"""
    subprocess.run([sys.executable, "-c", writing, str(path)], check=True)
    assert log.stat().st_ino == before
    note(first, "still there")
    assert noted(first) == ["still there"]
