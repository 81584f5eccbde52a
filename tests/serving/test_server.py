"""The scoring server: who is answered, with what, and what is sent away."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.identity import Digest
from fleetcast.domain.ramp import EVERYTHING
from fleetcast.domain.token import digest_of_secret
from fleetcast.domain.traffic import Override, Watch
from fleetcast.platforms.local.endpoints import LocalEndpointKeys, LocalEndpoints
from fleetcast.serving.asked import LARGEST_BODY
from fleetcast.serving.counters import WindowCounters
from fleetcast.serving.green import Green
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.routes import Coming, Routes, Share
from fleetcast.serving.server import Limits, ScoringServer
from fleetcast.workflows.forecast import MakeForecast
from tests.serving.house import ENDPOINT, JSON, KEY, House


def test_a_forecast_is_that_of_the_command_line_and_says_where_it_comes_from(house: House) -> None:
    platform = house.fleet.opened.platform
    said = house.ask(circuit_id="CIRCUIT01").json()
    made = MakeForecast(platform, house.fleet.clock)(house.fleet.circuit, version=2)
    for number, sensor in enumerate(made.forecast.sensors):
        for name in ("point", "lower_80", "upper_80", "lower_95", "upper_95"):
            np.testing.assert_allclose(
                said["sensors"][sensor][name], getattr(made.forecast, name)[:, number], rtol=1e-9
            )
    served = house.release.release.circuits["CIRCUIT01"]
    assert (said["model_name"], said["version"]) == (served.name, served.version)
    assert (said["training_hash"], said["artifact"]) == (served.training_hash.hex, served.artifact.hex)
    assert (said["release"], said["deployment"]) == (str(house.release), "blue")
    assert (said["steps"], said["step_seconds"]) == (48, 3600.0)
    first, *others = said["sensors"].values()
    assert (first["unit"], {sensor["unit"] for sensor in others}) == ("°C", {None})
    assert said["readings"]["source"] == "readings"
    assert (said["override"], said["reason_codes"]) == (None, {})


def test_a_history_that_is_sent_along_is_what_is_forecast_from(house: House) -> None:
    sensors = {name: [20.0 + (hour % 24) for hour in range(400)] for name in house.fleet.circuit.targets}
    history = {"end_at": "2025-06-01T00:00:00Z", "sensors": sensors}
    answer = house.ask(circuit_id="CIRCUIT01", history=history)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["readings"]["source"] == "request"
    assert said["origin_at"] == "2025-06-01T00:00:00Z"
    assert house.ask(circuit_id="CIRCUIT01", history=history).content == answer.content


def test_many_circuits_are_answered_in_their_order(house: House) -> None:
    answer = house.ask(forecasts=[{"circuit_id": "CIRCUIT02"}, {"circuit_id": "CIRCUIT01"}])
    assert [one["circuit_id"] for one in answer.json()["forecasts"]] == ["CIRCUIT02", "CIRCUIT01"]
    assert house.ask(forecasts=[{"circuit_id": "CIRCUIT02"}, {"circuit_id": "NONE"}]).status_code == 404


def test_what_a_history_lacks_is_said(house: House) -> None:
    history = {"end_at": "2025-06-01T00:00:00Z", "sensors": {"temperature": [1.0]}}
    answer = house.ask(circuit_id="CIRCUIT01", history=history)
    assert answer.status_code == 422
    assert "no sensor" in answer.json()["detail"]


def test_an_override_is_served_until_its_time_is_over(house: House) -> None:
    endpoints = house.fleet.opened.platform.workspace.endpoints
    until = house.fleet.clock.now() + timedelta(hours=1)
    endpoints.override(ENDPOINT, Override("CIRCUIT01", None, Unused.HELD, until))
    house.watcher.look()
    said = house.ask(circuit_id="CIRCUIT01").json()
    assert (said["override"], said["version"]) == ("held", None)
    assert set(said["reason_codes"].values()) == {"model: held; previous model: absent"}
    assert house.ask(circuit_id="CIRCUIT02").json()["override"] is None
    house.fleet.clock.sleep(timedelta(hours=2))
    assert house.ask(circuit_id="CIRCUIT01").json()["version"] == 2


def test_a_damaged_model_is_replaced_by_the_one_before(house: House) -> None:
    artifacts = house.fleet.opened.state / "artifacts"
    served = house.release.release.circuits["CIRCUIT01"].artifact
    weights = artifacts / served.hex[:2] / served.hex / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    fresh = LoadedModels(house.server.engine.models.open_one, 10**9)
    engine = replace(house.server.engine, models=fresh)
    server = ScoringServer(house.watcher, engine, Metrics())
    try:
        said = replace(house, server=server).ask(circuit_id="CIRCUIT01").json()
    finally:
        weights.write_bytes(whole)
    assert said["version"] == 1
    assert set(said["reason_codes"].values()) == {"model: damaged"}


# Who is answered


def test_a_key_opens_its_own_endpoint_alone(house: House) -> None:
    body = b'{"circuit_id": "CIRCUIT01"}'
    mine = {"authorization": f"Bearer {KEY}", **JSON}
    assert house.ask(body, path="/score").status_code == 200
    assert house.ask(body, path="/endpoints/NOWHERE/score").status_code == 404
    for headers in (
        JSON,
        {"authorization": "Bearer ", **JSON},
        {"authorization": f"Basic {KEY}", **JSON},
        {"authorization": f"Bearer {KEY}x", **JSON},
    ):
        for path in ("/score", "/endpoints/PLANT001/score", "/endpoints/NOWHERE/score"):
            refused = house.ask(body, path=path, headers=headers)
            assert refused.status_code == 401
            assert "PLANT001" not in refused.text
    rotated = "fck_" + "r" * 43
    endpoints = house.fleet.opened.platform.workspace.endpoints
    assert isinstance(endpoints, LocalEndpoints)
    keys = LocalEndpointKeys(endpoints.session)
    keys.put(ENDPOINT, "secondary", digest_of_secret(rotated))
    assert keys.slots(ENDPOINT) == ["primary", "secondary"]
    house.watcher._revision = -1  # its clock stands still, and keys are read every two seconds
    house.watcher.look()
    assert house.ask(body, headers={"authorization": f"bearer {rotated}", **JSON}).status_code == 200
    assert house.ask(body, headers=mine).status_code == 200


SHAPES: Mapping[str, tuple[int, dict[str, Any]]] = {
    "a form": (415, {"content": b"circuit_id=C", "type": "application/x-www-form-urlencoded"}),
    "a pickle": (415, {"content": b"\x80\x04N.", "type": "application/octet-stream"}),
    "arrow": (415, {"content": b"ARROW1", "type": "application/vnd.apache.arrow.stream"}),
    "no type": (415, {"content": b"{}", "type": ""}),
    "compressed": (415, {"content": b"\x1f\x8b", "more": {"content-encoding": "gzip"}}),
    "too large": (413, {"content": b" " * (LARGEST_BODY + 1)}),
    "said to be too large": (413, {"content": b"{}", "more": {"content-length": "99999999999999"}}),
    "no JSON": (400, {"content": b"{"}),
    "another deployment": (404, {"content": b"{}", "more": {"azureml-model-deployment": "purple"}}),
    "green, which is not there": (
        404,
        {"content": b'{"circuit_id": "CIRCUIT01"}', "more": {"azureml-model-deployment": "green"}},
    ),
}


@pytest.mark.parametrize("what", SHAPES)
def test_what_is_no_request_is_sent_away(house: House, what: str) -> None:
    status, shape = SHAPES[what]
    headers = {"authorization": f"Bearer {KEY}", "content-type": shape.get("type", "application/json")}
    answer = house.ask(shape["content"], headers={**headers, **shape.get("more", {})})
    assert answer.status_code in (status, 422 if what == "another deployment" else status), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_verbs_and_paths_are_sent_away(house: House) -> None:
    assert house.ask(method="GET").status_code == 405
    for path in (
        "/",
        "/endpoints",
        "/endpoints/PLANT001",
        "/endpoints/PLANT001/score/",
        "/endpoints/a%2fb/score",
    ):
        assert house.ask(path=path).status_code in (401, 404)


def test_too_much_at_once_is_sent_away_with_when_to_come_back(house: House) -> None:
    full = replace(house, server=replace_limits(house.server, Limits(at_once=0)))
    answer = full.ask(circuit_id="CIRCUIT01")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_what_takes_too_long_is_given_up(house: House) -> None:
    late = replace(house, server=replace_limits(house.server, Limits(deadline=timedelta(0))))
    assert late.ask(circuit_id="CIRCUIT01").status_code == 504


def replace_limits(server: ScoringServer, limits: Limits) -> ScoringServer:
    return ScoringServer(server.watcher, server.engine, server.metrics, limits)


def test_health_and_metrics_ask_for_no_key(house: House) -> None:
    assert house.ask(path="/health/live", method="GET", headers={}).status_code == 200
    assert house.ask(path="/health/ready", method="GET", headers={}).status_code == 200
    house.ask(circuit_id="CIRCUIT01")
    text = house.ask(path="/metrics", method="GET", headers={}).text
    assert 'fleetcast_requests_total{plant="PLANT001",status="200"} 1.0' in text
    assert "fleetcast_loaded_models 1.0" in text


def test_who_asked_a_green_that_became_what_serves_is_answered(house: House, tmp_path: Path) -> None:
    """It is swapped in, and its process ended, while it is working on a request of a first release."""
    swapped = house.watcher.routes
    served = swapped.by_plant["PLANT001"]
    assert served.blue is not None

    class Swap(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            house.watcher.routes = swapped

    green = Green.start(house.release.release.digest, tmp_path, lambda _release, _at: ["cat"], lambda: 0.0)
    green.ready = True
    counters = WindowCounters(Watch(), lambda: 0.0, has_blue=False)
    coming = Coming(green, served.blue, Share(EVERYTHING), counters)
    with socketserver.UnixStreamServer(str(green.socket), Swap) as process:
        threading.Thread(target=process.handle_request, daemon=True).start()
        house.watcher.routes = Routes({"PLANT001": replace(served, blue=None, coming=coming)})
        answer = house.ask(circuit_id="CIRCUIT01")
    green.end()
    assert (answer.status_code, answer.json().get("deployment")) == (200, "blue")


def test_what_is_not_believed_changes_nothing(house: House) -> None:
    endpoints = house.fleet.opened.platform.workspace.endpoints
    assert isinstance(endpoints, LocalEndpoints)
    other = Digest.of(b"another release").hex
    now = house.release.release.digest.hex
    endpoints.session.change(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE traffic SET revision = revision + 1, content = replace(content, '{now}', '{other}')"
        )
    )
    house.watcher.look()
    assert house.watcher.routes.refused
    assert house.ask(circuit_id="CIRCUIT01").json()["release"] == str(house.release)
    endpoints.session.change(lambda connection: connection.exec_driver_sql("DELETE FROM traffic"))


def test_what_the_fleet_declares_by_now_is_served_with_the_next_change(house: House) -> None:
    circuit = house.declared.circuits["CIRCUIT01"]
    sensor = circuit.targets[0]
    house.declared.next = {**house.declared.circuits, "CIRCUIT01": replace(circuit, units={sensor: "K"})}
    house.watcher.look()
    assert house.ask(circuit_id="CIRCUIT01").json()["sensors"][sensor]["unit"] == "°C", "nobody was told"
    endpoints = house.fleet.opened.platform.workspace.endpoints
    until = house.fleet.clock.now() + timedelta(hours=1)
    endpoints.override(ENDPOINT, Override("CIRCUIT02", None, Unused.HELD, until))
    house.watcher.look()
    assert house.ask(circuit_id="CIRCUIT01").json()["sensors"][sensor]["unit"] == "K"


def test_a_fleet_with_mistakes_keeps_nobody_from_rolling_back(house: House) -> None:
    house.declared.next = BadInput("config/circuits.yaml:3: a mistake")
    endpoints = house.fleet.opened.platform.workspace.endpoints
    until = house.fleet.clock.now() + timedelta(hours=1)
    endpoints.override(ENDPOINT, Override("CIRCUIT01", None, Unused.HELD, until))
    house.watcher.look()
    assert house.ask(circuit_id="CIRCUIT01").json()["override"] == "held"
    assert house.ask(circuit_id="CIRCUIT02").status_code == 200
