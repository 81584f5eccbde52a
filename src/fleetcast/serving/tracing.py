"""Traces by OpenTelemetry: what each request spent its time on, sent where the usual variables say.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) names a collector that speaks OTLP over HTTP;
the other variables of OpenTelemetry's SDK hold too. Without an address nothing is traced, and nothing of it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from fleetcast import __version__
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

Trace = Callable[[str, Mapping[str, str]], AbstractContextManager[object]]
"""Begins a part of what is being traced: its name, and what else is known of it."""
_ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LIBRARIES = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.asgi",
)
_NOT_TRACED = "health/live,health/ready,metrics"
_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOTHING = nullcontext()
"""What is traced where nothing is."""


def untraced(_name: str, _known: Mapping[str, str]) -> AbstractContextManager[object]:
    """Trace nothing."""
    return NOTHING


@dataclass(frozen=True, slots=True)
class Tracing:
    """How a server traces."""

    trace: Trace = untraced
    around: Callable[[Any], Any] | None = None
    """Puts the tracing of whole requests around an ASGI application; None: nothing is traced."""
    end: Callable[[], None] = lambda: None
    """Sends what was not sent yet; blocks."""


def tracing(variables: Mapping[str, str], environment: EnvironmentName) -> Tracing:
    """Trace, if the variables say where to.

    Args:
        variables: Of the process.
        environment: Which is served.

    Raises:
        BadInput: They say so, and the libraries are not there.
    """
    named = next((name for name in _ADDRESSES if variables.get(name)), None)
    if named is None or variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Tracing()
    if not all(map(_is_there, _LIBRARIES)):
        raise BadInput(
            f"{named} asks for traces, and OpenTelemetry is not installed",
            fix="pip install 'fleetcast[tracing]', or unset the variable",
        )
    return _opened(variables, environment)


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # what it is a part of is not there either
        return False


def _opened(variables: Mapping[str, str], environment: EnvironmentName) -> Tracing:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    told = {
        "service.name": variables.get("OTEL_SERVICE_NAME", "fleetcast"),
        "service.version": __version__,
        "deployment.environment.name": environment.value,
    }
    provider = TracerProvider(resource=Resource.create(told))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("fleetcast", __version__)

    def trace(name: str, known: Mapping[str, str]) -> AbstractContextManager[object]:
        attributes = {f"fleetcast.{key}": value for key, value in known.items()}
        return tracer.start_as_current_span(name, attributes=attributes)

    def around(app: Any) -> Any:
        return OpenTelemetryMiddleware(
            app,
            excluded_urls=_NOT_TRACED,
            default_span_details=_request,
            tracer_provider=provider,
            exclude_spans=["receive", "send"],
        )

    return Tracing(trace, around, provider.shutdown)


def _request(scope: MutableMapping[str, Any]) -> tuple[str, dict[str, str]]:
    """A request's name and what is known of it: of few kinds, whatever is asked for."""
    path, verb = scope["path"], scope["method"]
    shown = verb if verb in _VERBS else "HTTP"
    begin, _, end = path.rpartition("/")
    if end == "score" and begin.startswith("/endpoints/"):
        route = "/endpoints/{plant}/score"
    elif path == "/score":
        route = path
    else:
        return shown, {}
    return f"{shown} {route}", {"http.route": route}
