"""The control database of a team: a PostgreSQL server, version 13 or newer."""

from __future__ import annotations

import os
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExecutionContext
from sqlalchemy.pool import PoolProxiedConnection

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.domain.lease import Reach
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.platforms.database.backend import HALF_MIGRATED, Fate
from fleetcast.platforms.database.schema.approvals import pending_subject, requests

PasswordSource = Callable[[], str]
"""Asked for a password, or an access token in its place, before each new connection."""

LOCK_TIMEOUT = timedelta(seconds=10)
"""How long to wait for another process to finish its transaction."""
IDLE_TIMEOUT = timedelta(seconds=60)
"""After which the server ends a transaction whose process stands still, so that it holds nobody up."""
CONNECT_TIMEOUT = timedelta(seconds=10)
_WRITERS = 0x666C6565
"""The advisory lock that writers take: one at a time, as on SQLite."""

_FATES = {"committed": Fate.COMMITTED, "aborted": Fate.UNDONE, "in progress": Fate.OPEN}
_NUMBER_OF_THE_FUTURE = "22023"
"""What the server says of a transaction's number that it has not given to anybody."""
_LOST = ("08", "57P")
"""SQLSTATE classes of lost connections, and of servers that stop or start."""
_FIXES = {
    "08": "see whether the server is up and the network lets you through",
    "28": "check the user and the password or token in the environment",
    "3D000": "create the database: createdb NAME",
    "42P01": HALF_MIGRATED,
    "42703": HALF_MIGRATED,
    "42P07": HALF_MIGRATED,
    "42701": HALF_MIGRATED,
    "42501": "grant the user the right: GRANT ALL ON SCHEMA public TO user",
    "25006": "it is a standby or was set read-only: take the address of the primary",
    "25P03": "the process stood still for too long in mid-transaction; run it again",
    "53100": "free some disk space on the database server",
    "53": "the server has too many connections or too little memory; raise its limits",
    "55P03": "another process is writing; wait for it, or stop it",
    "57P": "the server is stopping or starting; run it again",
}
_DRIVER = "postgresql+fleetcast"
_TLS_FOR_ALL_BUT = ("localhost", "127.0.0.1", "::1")


class Dialect(PGDialect_pg8000):
    """SQLAlchemy's own for pg8000, but quick with many rows, and wise to servers that go away."""

    supports_statement_cache = True
    use_insertmanyvalues_wo_returning = True
    """The driver sends many rows one by one."""

    def is_disconnect(
        self,
        e: sa.exc.DBAPIError | Exception,
        connection: object,  # noqa: ARG002  # SQLAlchemy's signature
        cursor: object,  # noqa: ARG002
    ) -> bool:
        """Whether the pool must drop this connection."""
        return _is_loss(e)

    def connect(self, *arguments: Any, **named: Any) -> DBAPIConnection:
        """Make a connection."""
        with self._the_drivers_errors():
            return super().connect(*arguments, **named)

    def initialize(self, connection: Connection) -> None:
        """Ask a server what it is."""
        with self._the_drivers_errors():
            super().initialize(connection)  # type: ignore[no-untyped-call]  # not typed there

    def do_execute(
        self,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None = None,
    ) -> None:
        """Run one statement."""
        with self._the_drivers_errors():
            super().do_execute(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]

    def do_executemany(
        self,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None = None,
    ) -> None:
        """Run one statement many times."""
        with self._the_drivers_errors():
            super().do_executemany(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]

    def do_commit(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Commit."""
        with self._the_drivers_errors():
            super().do_commit(dbapi_connection)  # type: ignore[no-untyped-call]

    def do_rollback(self, dbapi_connection: PoolProxiedConnection) -> None:
        """Undo."""
        with self._the_drivers_errors():
            super().do_rollback(dbapi_connection)  # type: ignore[no-untyped-call]

    def do_close(self, dbapi_connection: DBAPIConnection) -> None:
        """Close a connection, in silence where it is broken already: that has been told, or was fixed."""
        with suppress(self.loaded_dbapi.Error), self._the_drivers_errors():
            dbapi_connection.close()

    @contextmanager
    def _the_drivers_errors(self) -> Iterator[None]:
        """Whatever a broken connection makes of the driver, as an error of the driver's own: it lets some through."""
        try:
            yield
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, EOFError, struct.error) as error:
            raise self.loaded_dbapi.InterfaceError("network error") from error


sa.dialects.registry.register("postgresql.fleetcast", __name__, Dialect.__name__)
# Said here and not where the index is declared: naming a dialect loads it, for those too who have no server.
pending_subject.dialect_options["postgresql"]["where"] = requests.c.state == "pending"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that many machines may use at the same time."""

    engine: Engine
    address: str
    lock_timeout: timedelta
    shared: bool = True
    reach: Reach = Reach.MANY_MACHINES
    witness: None = None

    def begin_reading(self, connection: Connection) -> None:
        """Take a snapshot; works on a standby too."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def begin_changing(self, connection: Connection) -> str:
        """Become the only writer; the ticket is the transaction's number, and since when the server runs."""
        limits = {"lock_timeout": self.lock_timeout, "idle_in_transaction_session_timeout": IDLE_TIMEOUT}
        connection.execute(
            sa.select(
                *(
                    sa.func.set_config(name, str(int(length.total_seconds() * 1000)), sa.true())
                    for name, length in limits.items()
                )
            )
        )
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS)))
        query = sa.text("SELECT pg_current_xact_id()::text, pg_postmaster_start_time()::text")
        return " since ".join(connection.execute(query).one())

    def fate(self, connection: Connection, ticket: str) -> Fate:
        """Ask the server how the transaction ended.

        A server that crashed, or took over from another, may give a number that was lost to somebody else's
        transaction: then "committed" proves nothing.
        """
        number, _, since = ticket.partition(" since ")
        query = sa.text("SELECT pg_xact_status(CAST(:number AS xid8)), pg_postmaster_start_time()::text")
        try:
            status, runs_since = connection.execute(query, {"number": number}).one()
        except sa.exc.DBAPIError as error:
            if _state(error.orig) == _NUMBER_OF_THE_FUTURE:
                return Fate.UNDONE
            raise
        if status == "committed" and runs_since != since:
            return Fate.UNKNOWN
        return _FATES.get(status, Fate.UNKNOWN)

    def now(self, connection: Connection) -> float:
        """The server's time in seconds since 1970, at this moment, not at the transaction's beginning."""
        moment = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float(53))
        return float(connection.execute(sa.select(moment)).scalar_one())

    def is_lost(self, error: sa.exc.DBAPIError) -> bool:
        """A broken connection, or a server that is stopping, starting or not there."""
        return error.connection_invalidated or (error.orig is not None and _is_loss(error.orig))

    def explain(self, error: sa.exc.DBAPIError) -> Unavailable:
        """What the server says, and what to do."""
        state = _state(error.orig)
        if not state:
            return Unavailable(
                f"the control database at {self.address} does not answer: {why(error, _words(error))}",
                fix=f"see whether the server is up, and whether {DATABASE_URL_VARIABLE} names it",
            )
        fix = next((fix for sign, fix in _FIXES.items() if state.startswith(sign)), "see the server's log")
        return Unavailable(f"the control database at {self.address} refuses: {_words(error)}", fix=fix)


def postgres(
    address: str, *, password: PasswordSource | None = None, lock_timeout: timedelta = LOCK_TIMEOUT
) -> Postgres:
    """The PostgreSQL database at a URL.

    Args:
        address: `postgresql://user@host:5432/name`, with `?sslmode=disable|require|verify-full`,
            `&sslrootcert=FILE` and `&auth=entra` where wanted. The password may be in it, or in `PGPASSWORD`.
        password: Gives a password for each new connection; None: as the address says.
        lock_timeout: How long to wait for another writer.

    Raises:
        BadInput: The address cannot be read, or the driver is not installed.
    """
    url = _url(address)
    arguments = {"timeout": CONNECT_TIMEOUT.total_seconds(), "application_name": "fleetcast"}
    socket = url.query.get("host")
    if isinstance(socket, str) and socket.startswith("/"):
        arguments["unix_sock"] = f"{socket}/.s.PGSQL.{url.port or 5432}"
    arguments["ssl_context"] = _tls(url)
    plain = URL.create(_DRIVER, url.username, url.password, url.host, url.port, url.database)
    if not plain.password and "PGPASSWORD" in os.environ:
        plain = plain.set(password=os.environ["PGPASSWORD"])
    try:
        engine = sa.create_engine(plain, connect_args=arguments, pool_size=2, max_overflow=4)
    except ModuleNotFoundError as error:
        raise BadInput(
            "PostgreSQL needs a driver that is not installed", fix="pip install 'fleetcast[postgres]'"
        ) from error
    sa.event.listen(engine, "do_connect", _connecting(_shown(url), password or _password_source(url)))
    return Postgres(engine, _shown(url), lock_timeout)


def _url(address: str) -> URL:
    example = f"write {DATABASE_URL_VARIABLE}=postgresql://user@host:5432/database"
    try:
        url = make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        # the address is not repeated: it may hold a password
        raise BadInput(f"{DATABASE_URL_VARIABLE} is not a database address", fix=example) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInput(f"{DATABASE_URL_VARIABLE} names {url.drivername!r}, not PostgreSQL", fix=example)
    if not url.username or not url.database:
        raise BadInput(f"{DATABASE_URL_VARIABLE} lacks the user or the database", fix=example)
    return url


def _shown(url: URL) -> str:
    return f"{url.host or url.query.get('host') or 'localhost'}:{url.port or 5432}/{url.database}"


def _tls(url: URL) -> ssl.SSLContext | bool:
    """TLS with a checked certificate, for all but this machine; `SSL_CERT_FILE` is honoured."""
    local = "host" in url.query or (url.host or "localhost") in _TLS_FOR_ALL_BUT
    mode = str(url.query.get("sslmode", "disable" if local else "verify-full"))
    if mode == "disable":
        return False
    if mode not in ("require", "verify-full"):
        raise BadInput(f"sslmode {mode!r} is not known", fix="write disable, require or verify-full")
    root = url.query.get("sslrootcert")
    try:
        context = ssl.create_default_context(cafile=str(root) if root else None)
    except OSError as error:
        raise BadInput(
            f"cannot read sslrootcert {root}: {why(error)}", fix="name a file of certificates"
        ) from error
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _password_source(url: URL) -> PasswordSource | None:
    auth = url.query.get("auth")
    if auth is None:
        return None
    if auth != "entra":
        raise BadInput(f"auth {auth!r} is not known", fix="write auth=entra, or leave it out")
    from fleetcast.platforms.database.entra import EntraTokens

    return EntraTokens()


def _connecting(shown: str, source: PasswordSource | None) -> Callable[..., object]:
    def connect(
        dialect: sa.Dialect, _record: object, arguments: Sequence[object], named: dict[str, object]
    ) -> object:
        if source is not None:
            named["password"] = source()
        try:
            return dialect.connect(*arguments, **named)
        except ssl.SSLError as error:
            raise Unavailable(
                f"the control database at {shown} cannot be trusted: {why(error)}",
                fix="write ?sslrootcert=FILE, of the certificate authority, at the end of its URL",
            ) from error

    return connect


def _is_loss(error: BaseException) -> bool:
    """A server that is stopping, starting or gone; the driver calls all that it can say of a network so."""
    return _state(error).startswith(_LOST) if _said(error) else type(error).__name__ == "InterfaceError"


def _said(error: BaseException | None) -> Mapping[str, str]:
    """The fields of the server's answer; empty if it did not answer."""
    arguments = error.args if error is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], dict) else {}


def _state(error: BaseException | None) -> str:
    """The SQLSTATE, five letters and digits."""
    return _said(error).get("C", "")


def _words(error: sa.exc.DBAPIError) -> str:
    said = _said(error.orig)
    if said:
        return f"{said.get('M', 'unknown error')} (SQLSTATE {said.get('C', '')})"
    cause = error.orig.__cause__ if error.orig is not None else None
    return str(cause or error.orig)
