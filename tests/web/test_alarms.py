"""Alarms over HTTP and by commands that ask a server: seen by whoever may look, taken in hand by whoever operates."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleetcast.app import open_desk
from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.domain.alarm import Alarm, Cause, CauseKind, Change, Finding, LastLook, Looked, next_alarms
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.ports.served import URL_VARIABLE
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.routes import Routes
from tests.clocks import NOON
from tests.web.conftest import Client, MadeFleet, actor, client_of
from tests.web.serving import served
from tests.web.test_remote import typed

PROD = EnvironmentName.PROD
EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = {"idempotency-key": "a-key-of-this-test"}


@pytest.fixture
def alarmed(made: MadeFleet) -> MadeFleet:
    """One alarm about one sensor, of a look at noon."""
    book = open_desk(made.folder).as_(actor("ada")).platform.control.alarms
    one = Observation(
        Signal.SENSOR_FAULT,
        PROD,
        "PLANT001",
        "CIRCUIT01",
        "flow",
        NOON,
        Outcome.BREACHED,
        detail={"fault": "stuck"},
    )
    cause = Cause(CauseKind.SENSOR_BROKEN, PROD, "PLANT001", "CIRCUIT01", "flow")
    finding = Finding(cause, NOON - timedelta(hours=3), (one,), 0.25)
    looked = Looked(PROD, NOON, [one], [CircuitKey("PLANT001", "CIRCUIT01")], whole=True)

    def decided(alarms: Sequence[Alarm]) -> Sequence[Change]:
        return next_alarms(alarms, [finding], looked, lambda _cause: "Ada")

    book.settle(LastLook(PROD, NOON, 1, {Outcome.BREACHED: 1}), decided)
    return made


@pytest.fixture
def client(alarmed: MadeFleet) -> Any:
    with client_of(alarmed) as found:
        yield found


def test_alarms_are_listed_with_state_owner_and_when_was_looked(client: Client) -> None:
    found = client.get("/api/v1/alarms", "vera")
    (alarm,) = found["alarms"]
    assert (alarm["alarm_id"], alarm["state"], alarm["owner"]) == (1, "open", "Ada")
    assert (alarm["kind"], alarm["sensor"], alarm["page"]) == ("sensor broken", "flow", False)
    assert alarm["shown_by"][0]["detail"] == {"fault": "stuck"}
    assert [(one["environment"], one["looked_at"]) for one in found["last_looks"]] == [
        ("prod", "2025-12-01T12:00:00Z")
    ]
    assert client.get("/api/v1/alarms", "vera", environment="test")["alarms"] == []
    assert len(client.get("/api/v1/alarms", "vera", last="5")["alarms"]) == 1
    assert client.get("/api/v1/alarms/1", "vera") == alarm
    assert [one["alarm_id"] for one in client.get("/api/v1/status", "vera")["alarms"]] == [1]


def test_an_alarm_that_is_not_there_is_missing(client: Client) -> None:
    assert client.ask("GET", "/api/v1/alarms/2").status_code == 404


def test_taking_one_in_hand_is_done_once_in_the_name_of_who_asks(client: Client) -> None:
    for _ in range(2):
        answer = client.ask(
            "POST", "/api/v1/alarms/1/acknowledge", "ada", json={"comment": "mine"}, headers=KEY
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "acknowledged"
        assert answer.json()["acknowledged"]["by"] == "ada"
    taken = client.get("/api/v1/audit", action="alarm.acknowledged")["entries"]
    assert len(taken) == 1


def test_a_moment_that_has_passed_is_refused(client: Client) -> None:
    answer = client.ask("POST", "/api/v1/alarms/1/snooze", "ada", json={"until": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 422, answer.text
    assert "has passed" in answer.json()["detail"]


@pytest.mark.slow
def test_commands_do_at_a_server_what_they_do_in_a_folder(
    alarmed: MadeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, alarmed.tokens["ada"])
    here = typed(alarmed, "alarms", "list"), typed(alarmed, "alarms", "show", "1", "--format", "json")
    with served(alarmed.folder) as found:
        monkeypatch.setenv(URL_VARIABLE, found.url)
        assert (
            typed(alarmed, "alarms", "list"),
            typed(alarmed, "alarms", "show", "1", "--format", "json"),
        ) == here
        assert (
            typed(alarmed, "alarms", "list", "test")[1] == "No alarm. To look again: fleetcast monitor prod\n"
        )
        code, out, err = typed(alarmed, "alarms", "ack", "1", "--comment", "mine")
        assert (code, "acknowledged by ada" in out) == (0, True), err
        code, out, err = typed(alarmed, "alarms", "snooze", "1", "--for", "4h")
        assert (code, "snoozed until" in out) == (0, True), err
        monkeypatch.setenv(TOKEN_VARIABLE, alarmed.tokens["vera"])
        code, _, err = typed(alarmed, "alarms", "ack", "1")
        assert (code, "may not" in err) == (1, True), err
        assert "snoozed until" in typed(alarmed, "alarms", "list", "prod", "--all")[1]


# What Prometheus is told, and what Grafana asks of it


def forecaster_of_none(circuit: Circuit, model: ServedModel) -> Forecaster:
    raise AssertionError(f"nobody opens {model} of {circuit.key}")


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, as Prometheus' own client reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_is_told_of_alarms_and_looks(client: Client) -> None:
    answer = client.ask("GET", "/api/v1/metrics", "vera")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answer.text)
    assert found["fleetcast_open_alarms", "prod", "sensor broken", "open"] == 1
    assert found["fleetcast_open_alarms", "prod", "process changed", "open"] == 0
    assert found["fleetcast_alarm_impact", "prod"] == 0.25
    assert found["fleetcast_last_look_timestamp_seconds", "prod"] == NOON.timestamp()
    assert found["fleetcast_last_look_observations", "prod", "breached"] == 1


def test_the_dashboard_asks_for_nothing_that_is_not_told(client: Client) -> None:
    told = {name for name, *_ in samples(client.ask("GET", "/api/v1/metrics", "vera").text)}
    serving = Metrics()
    serving.answered("PLANT001", 200, 0.01)
    told |= {
        name for name, *_ in samples(serving.text(LoadedModels(forecaster_of_none, 0), Routes()).decode())
    }
    board = json.loads((EXAMPLES / "grafana" / "fleetcast.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [each["query"] for each in board["templating"]["list"]]
    names = {name for text in asked for name in re.findall(r"\bfleetcast_\w+", text)}
    assert len(names) >= 7
    assert names <= told
