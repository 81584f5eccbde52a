"""`platform:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.paths import inside
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, PlatformKind, PlatformSettings

_PLANNED_PLATFORMS = ("ray",)


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
    storage: Annotated[Text, judged(Location)] | None = None
    database: Annotated[None, PlainValidator(_no_database)] = None
    workers: Annotated[Whole, judged(lambda number: PlatformSettings(workers=number))] | None = None
    max_parallel: Annotated[Whole, judged(lambda number: PlatformSettings(max_parallel=number))] | None = None
    batch_size: Annotated[Whole, judged(lambda number: PlatformSettings(batch_size=number))] | None = None
    lease: Annotated[Duration, judged(lambda length: PlatformSettings(lease=length))] | None = None


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
    return PlatformSettings(
        kind=written.kind or plain.kind,
        state=state,
        workers=written.workers,
        max_parallel=written.max_parallel or plain.max_parallel,
        batch_size=written.batch_size or plain.batch_size,
        storage=None if written.storage is None else Location(written.storage),
        lease=written.lease or plain.lease,
    )
