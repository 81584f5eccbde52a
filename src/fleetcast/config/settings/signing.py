"""`signing:` in `fleetcast.yaml`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator, model_validator

from fleetcast.config import scalars
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Text, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location, file_uri
from fleetcast.domain.settings import SigningSettings
from fleetcast.domain.signing_key import PublicKey, Revoked, TrustedKey


class TrustedKeyWritten(Written):
    """One entry of `signing.trusted:`."""

    key: Annotated[Text, judged(PublicKey)]
    revoked_at: Annotated[datetime, PlainValidator(scalars.instant)] | None = None
    revoked: Annotated[str, PlainValidator(scalars.one_of("true", "false"))] | None = None

    @model_validator(mode="after")
    def _in_one_way(self) -> TrustedKeyWritten:
        if self.revoked_at is not None and self.revoked is not None:
            raise Refused(
                "has both `revoked` and `revoked_at`",
                "keep `revoked: true` if nothing that the key signed is to count, else `revoked_at`",
            )
        return self

    @property
    def trusted_key(self) -> TrustedKey:
        """The key, and whether it still counts."""
        if self.revoked == "true":
            return TrustedKey(PublicKey(self.key), Revoked())
        revoked = None if self.revoked_at is None else Revoked(self.revoked_at)
        return TrustedKey(PublicKey(self.key), revoked)


class SigningWritten(Written):
    """`signing:`."""

    trusted: list[TrustedKeyWritten] | None = None
    checkpoints: Text | None = None


def read_signing(written: SigningWritten | None, file: SettingsFile) -> SigningSettings:
    """The keys whose signatures count; none where nothing is written."""
    keys = written.trusted if written is not None else None
    place = written.checkpoints if written is not None else None
    kept: Location | None = None
    try:
        kept = None if place is None else _location(place)
    except BadInput as error:
        file.refuse(error, "signing", "checkpoints")
    try:
        trusted = tuple(entry.trusted_key for entry in keys or ())
        return SigningSettings(trusted, kept)
    except BadInput as error:
        file.refuse(error, "signing", "trusted")
        return SigningSettings()


def _location(place: str) -> Location:
    """A path from / on, or a URI.

    Raises:
        BadInput: It is neither.
    """
    if "://" in place:
        return Location(place)
    if not Path(place).is_absolute():
        raise BadInput(
            f"{place!r} is below no root", fix="write the path of a folder from / on, or s3://bucket/folder"
        )
    return Location(file_uri(Path(place)))
