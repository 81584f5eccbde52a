"""`platform:` in `fleetcast.yaml`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.paths import inside
from fleetcast.config.scalars import Refused
from fleetcast.config.schema import Duration, Text, Written
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, PlatformKind, PlatformSettings

_PLANNED_PLATFORMS = ("azure", "ray")


def _platform(value: object) -> PlatformKind:
    found = scalars.scalar(value).text
    known = ", ".join(PlatformKind)
    if found in _PLANNED_PLATFORMS:
        raise Refused(f"platform {found!r} is not in this version", f"known are {known}")
    if found not in {kind.value for kind in PlatformKind}:
        raise Refused(f"unknown platform {found[:60]!r}", f"known are {known}")
    return PlatformKind(found)


def _no_database(_value: object) -> None:
    raise Refused(
        "is never written in a file, as its URL may hold a password",
        f"set the environment variable {DATABASE_URL_VARIABLE}",
    )


class PlatformWritten(Written):
    """`platform:`."""

    kind: Annotated[PlatformKind, PlainValidator(_platform)] | None = None
    state: Text | None = None
    storage: Text | None = None
    database: Annotated[None, PlainValidator(_no_database)] = None
    workers: Annotated[int, PlainValidator(scalars.whole(1, 1_024))] | None = None
    max_parallel: Annotated[int, PlainValidator(scalars.whole(1, 1_000))] | None = None
    batch_size: Annotated[int, PlainValidator(scalars.whole(1, 10_000))] | None = None
    lease: Duration | None = None


def read_platform(written: PlatformWritten | None, file: SettingsFile) -> PlatformSettings:
    """The platform; its defaults where nothing is written or could be read."""
    plain = PlatformSettings()
    if written is None:
        return plain
    state = plain.state
    if written.state is not None:
        try:
            state = inside(file.directory, written.state)
        except BadInput as error:
            file.refuse(error, "platform", "state")
    given = PlatformSettings(
        kind=written.kind or plain.kind,
        state=state,
        workers=written.workers,
        max_parallel=written.max_parallel or plain.max_parallel,
        batch_size=written.batch_size or plain.batch_size,
    )
    if written.lease is not None:
        try:
            given = replace(given, lease=written.lease)
        except BadInput as error:
            file.refuse(error, "platform", "lease")
    if written.storage is not None:
        try:
            given = replace(given, storage=Location(written.storage))
        except BadInput as error:
            file.refuse(error, "platform", "storage")
    return given
