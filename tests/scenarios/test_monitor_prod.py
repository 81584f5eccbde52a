"""What is served in production, watched by real commands: its forecasts against what came, and a server that dies."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import polars as pl
import pytest

from fleetcast.app import open_books
from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.domain.audit import Actor, Standing
from tests.scenarios.repository import ON_SQLITE, Repository
from tests.servers.mail import MailBox, mail_server
from tests.servers.scoring import Client, quick, serving, started, until

pytestmark = [pytest.mark.slow, ON_SQLITE]

SCORED = [f"2025-02-{day}" for day in range(22, 29)]
"""Past days, the last ones after all that models learned from; readings came until the first of March ended."""
LOOKED_AT = "2025-03-01T12:00:00Z"
DOWN, RECOVERED = "endpoint down at PLANT001", "endpoint down at PLANT001: found fine again"


def signed_in(fleet: Repository) -> str:
    """A token of an admin who has signed in: production is for such people alone."""
    assert fleet.type("people", "add", "grace", "--role", "viewer").code == 0
    name = fleet.type("whoami", "--format", "json").json["name"]
    admin = open_books(fleet.folder).control.people.directory().named(name)
    assert admin is not None
    books = open_books(fleet.folder, actor=Actor(name, Standing.VERIFIED, person=admin.id))
    return books.tokens.create("operating", timedelta(days=1)).text


def approved(fleet: Repository) -> None:
    (request,) = fleet.requests()
    assert fleet.type("approve", str(request["request_id"])).code == 0


def deployed(fleet: Repository, environment: str) -> None:
    """Ask, decide, and wait until it serves; a server runs there."""
    assert fleet.type("deploy", environment).code == 3
    approved(fleet)
    done = fleet.type("deploy", environment, "--wait")
    assert done.code == 0, done.out + done.err


def build_of(branch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an agent says what it builds."""
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("BUILD_SOURCEBRANCH", f"refs/heads/{branch}")


@contextmanager
def mortal(fleet: Repository) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of production that may be killed."""
    process, url = started(fleet.start("serve", "prod", "--port", "0"))
    try:
        yield process, url
    finally:
        process.kill()
        process.communicate()


def look(fleet: Repository, *more: str) -> str:
    said = fleet.type("monitor", "prod", *more)
    assert said.code == 0, said.out + said.err
    return said.out


def endpoint_alarms(fleet: Repository) -> list[str]:
    listed: Sequence[dict[str, str]] = fleet.type("alarms", "list", "--format", "json").json
    return [one["kind"] for one in listed if one["kind"].startswith("endpoint")]


def tell_by_mail(fleet: Repository, box: MailBox) -> None:
    settings = fleet.folder / "fleetcast.yaml"
    mail = (
        f"host: 127.0.0.1, port: {box.port}, security: none, from: fleet@example.com, to: [ada@example.com]"
    )
    settings.write_text(
        f"{settings.read_text()}\nnotifications:\n  channels: [{{name: duty, kind: email, {mail}}}]\n"
        "  allowed_networks: [127.0.0.1/32]\n"
    )


def test_forecasts_are_held_against_what_came_and_a_server_that_dies_is_a_page(
    declared: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = declared
    quick(fleet)
    fleet.edit("fleetcast.yaml", "  # lease: 60s  ", "  lease: 5s  #")
    alone = "minimum: 1, own_request: allowed}"
    fleet.edit("fleetcast.yaml", "minimum: 2, own_request: forbidden}", alone)
    fleet.promote()
    monkeypatch.setenv(TOKEN_VARIABLE, signed_in(fleet))
    build_of("release/1", monkeypatch)
    with serving(fleet):
        deployed(fleet, "test")
    signed = fleet.type("qa", "sign-off", "PLANT001", "-m", "looked at it")
    assert signed.code == 0, signed.out + signed.err
    build_of("main", monkeypatch)
    with mail_server() as box:
        tell_by_mail(fleet, box)
        with mortal(fleet) as (process, url):
            deployed(fleet, "prod")
            forecasts_are_held_against_what_came(fleet)
            client = Client(url, fleet.type("endpoints", "key", "prod/PLANT001").out.strip())
            assert until(lambda: client.asks().status_code, 200)
            assert endpoint_alarms(fleet) == []
            assert "endpoint" not in look(fleet).partition("could not be measured")[0]
            # What happened before the first delivery is told to nobody.
            assert fleet.type("notifications", "deliver").code == 0
            process.kill()
            process.wait()
            assert until(lambda: DOWN in look(fleet), wanted=True)
        assert endpoint_alarms(fleet) == ["endpoint down"]
        sent = fleet.type("notifications", "deliver")
        assert sent.code == 0, sent.err
        (page,) = [mail for mail in box.mails if "endpoint down" in mail["Subject"]]
        assert page["To"] == "ada@example.com"
        pages = fleet.type("notifications", "list", "--format", "json").json["pages"]
        assert "endpoint down: PLANT001" in [one["title"] for one in pages]
        with mortal(fleet) as (_, url):
            client = Client(url, client.headers["authorization"].partition(" ")[2])
            assert until(lambda: client.asks().status_code, 200)
            assert until(lambda: RECOVERED in look(fleet), wanted=True)
            assert endpoint_alarms(fleet) == []


def forecasts_are_held_against_what_came(fleet: Repository) -> None:
    for day in SCORED:
        done = fleet.type("score", "prod", "--date", day)
        assert done.code == 0, done.out + done.err
    look(fleet, "--at", LOOKED_AT)
    at = datetime.fromisoformat(LOOKED_AT)
    rows = pl.read_delta(str(fleet.state / "observations")).filter(pl.col("at") == at)
    judged = rows.filter(pl.col("signal").is_in(["accuracy", "coverage"]))
    assert set(judged["circuit_id"]) == {"CIRCUIT01", "CIRCUIT02"}
    assert set(judged["model"]) == {"plant001-circuit01:1", "plant001-circuit02:1"}
    assert judged["value"].is_not_null().any()
    before = rows.filter((pl.col("signal") == "endpoint-health") & (pl.col("sensor") == "serving"))
    assert list(before["outcome"]) == ["not measured"]
