"""Traces: a real receiver gets what a request spent its time on, and nothing that is secret."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.metrics import Metrics
from fleetcast.serving.newest import NewestReadings
from fleetcast.serving.server import ScoringServer
from fleetcast.serving.tracing import Tracing, tracing
from tests.serving.house import KEY, TEST, House

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass
class Received:
    """What a collector was sent."""

    address: str
    bodies: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> dict[str, Any]:
        """By name."""
        return {
            span.name: span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }


@contextmanager
def collector() -> Iterator[Received]:
    """Takes what is sent to it by OTLP over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def traced(house: House, how: Tracing) -> House:
    """The same server anew, with nothing in memory, and traced."""
    engine = house.server.engine
    fresh = replace(
        engine,
        models=LoadedModels(engine.models.open_one, 10**9),
        readings=NewestReadings(engine.readings.tables, engine.clock),
        trace=how.trace,
    )
    assert how.around is not None
    return replace(house, server=how.around(ScoringServer(house.watcher, fresh, Metrics())))


def test_a_request_is_traced_below_its_caller(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.address)
        how = tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": received.address}, TEST)
        server = traced(house, how)
        headers = {
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "traceparent": f"00-{TRACE}-{CALLER}-01",
        }
        assert server.ask(b'{"circuit_id": "CIRCUIT01"}', headers=headers).status_code == 200
        assert server.ask(path="/health/live", method="GET", headers={}).status_code == 200
        how.end()
    spans = received.spans
    assert set(spans) == {
        "POST /endpoints/{plant}/score",
        "open model",
        "read readings",
        "forecast",
    }
    request = spans["POST /endpoints/{plant}/score"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert request.parent_span_id.hex() == CALLER
    assert spans["forecast"].parent_span_id == request.span_id
    known = {one.key: one.value.string_value for one in spans["forecast"].attributes}
    assert known["fleetcast.circuit"] == "PLANT001/CIRCUIT01"
    assert known["fleetcast.release"] == str(house.release)
    assert not any(KEY.encode() in body for body in received.bodies)


def test_a_request_for_nothing_has_the_name_of_its_kind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collector() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.address)
        how = tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": received.address}, TEST)
        server = traced(house, how)
        server.ask(path="/a/path/of/the/callers/choice")
        server.ask(path="/score", method="BREW")
        how.end()
    assert set(received.spans) == {"POST", "HTTP /score"}


@pytest.mark.parametrize(
    "variables", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}]
)
def test_without_an_address_nothing_is_traced(variables: dict[str, str]) -> None:
    how = tracing(variables, TEST)
    assert how.around is None
    with how.trace("forecast", {}):
        how.end()


def test_serving_without_traces_loads_nothing_of_it() -> None:
    code = "import fleetcast.serving.start, sys; print(*(m for m in sys.modules if m.startswith('opentelemetry')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_address_without_the_libraries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetcast.serving.tracing.find_spec", lambda _name: None)
    with pytest.raises(BadInput, match="OTEL_EXPORTER_OTLP_ENDPOINT asks for traces") as refused:
        tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, EnvironmentName.PROD)
    assert "fleetcast[tracing]" in refused.value.fix
