"""`fleetcast database`: looking at the control database, upgrading it, and moving to a server."""

from __future__ import annotations

from dataclasses import replace

from fleetcast.platforms.database import schema
from tests.scenarios.repository import ON_POSTGRES, ON_SQLITE, Repository
from tests.servers.postgres import PostgresServer


def test_where_the_database_is_and_what_schema_it_has(promoted: Repository) -> None:
    shown = promoted.type("database", "show", "--format", "json")
    assert shown.code == 0
    assert shown.json["schema"] == shown.json["newest_schema"] == schema.NUMBER
    assert shown.json["leases"] == []
    where = promoted.database if promoted.server else str(promoted.state / "control.db")
    assert shown.json["address"].endswith(where)
    assert where in promoted.type("database", "show").out


def test_upgrading_what_is_up_to_date_says_so(promoted: Repository) -> None:
    said = promoted.type("database", "upgrade")
    assert (said.code, "is up to date" in said.out) == (0, True)


def test_a_newer_schema_is_one_clear_error_for_every_command(promoted: Repository) -> None:
    promoted.change("UPDATE alembic_version SET version_num = '0099'")
    for words in (["plan"], ["train"], ["approvals", "list"], ["database", "upgrade"]):
        said = promoted.type(*words)
        assert said.code == 1
        assert f"has schema 0099, this fleetcast knows no newer one than {schema.NUMBER}" in said.err
    assert promoted.type("database", "show").code == 0


@ON_SQLITE
def test_a_fleet_moves_to_a_server_with_all_that_was_done(
    promoted: Repository, postgres: PostgresServer
) -> None:
    moved = replace(promoted, server=postgres, database=postgres.new_database())
    copied = moved.type("database", "copy")
    assert copied.code == 0, copied.err
    assert "model_versions 2" in copied.out
    assert moved.versions() == promoted.versions()
    assert moved.audited() == promoted.audited()
    assert moved.type("audit", "verify").code == 0
    assert moved.type("plan", "--detailed-exitcode").code == 0
    assert moved.type("train").code == 0
    again = moved.type("database", "copy")
    assert (again.code, "is not empty" in again.err) == (1, True)


@ON_SQLITE
def test_copying_needs_a_server_to_copy_to(promoted: Repository) -> None:
    said = promoted.type("database", "copy")
    assert (said.code, "FLEETCAST_DATABASE_URL" in said.err) == (1, True)


@ON_POSTGRES
def test_a_server_that_is_down_is_one_clear_error(promoted: Repository) -> None:
    assert promoted.server is not None
    away = replace(promoted, server=replace(promoted.server, port=9))
    for words in (["plan"], ["database", "show"]):
        said = away.type(*words)
        assert said.code == 1
        assert said.err.count("error: ") == 1
        assert "does not answer" in said.err
