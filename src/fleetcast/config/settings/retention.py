"""`retention:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fleetcast.config.written import Whole, Written, judged
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import DEFAULT_RETENTION, Retention


class RetentionWritten(Written):
    """Days, for one environment."""

    models: Annotated[Whole, judged(lambda days: Retention(models=days))] | None = None
    logs: Annotated[Whole, judged(lambda days: Retention(logs=days))] | None = None
    predictions: Annotated[Whole, judged(lambda days: Retention(predictions=days))] | None = None


class RetentionsWritten(Written):
    """`retention:`."""

    dev: RetentionWritten | None = None
    test: RetentionWritten | None = None
    prod: RetentionWritten | None = None


def read_retention(written: RetentionsWritten | None) -> Mapping[EnvironmentName, Retention]:
    """Days for each environment, on top of the defaults."""
    return {name: _retention(name, getattr(written, name) if written else None) for name in EnvironmentName}


def _retention(name: EnvironmentName, written: RetentionWritten | None) -> Retention:
    plain = DEFAULT_RETENTION[name]
    if written is None:
        return plain
    return Retention(
        written.models or plain.models, written.logs or plain.logs, written.predictions or plain.predictions
    )
