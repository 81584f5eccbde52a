"""Environments, components and data assets in the control database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain import happened
from fleetcast.domain.assets import Asset, AssetKind, RegisteredAsset, VersionTaken
from fleetcast.domain.identity import Digest
from fleetcast.domain.snapshot import DataAsset
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, moment
from fleetcast.platforms.database.session import Kept, changes, chunks, reads
from fleetcast.stored.assets import ASSET, DATA_ASSET
from fleetcast.stored.form import unreadable


class LocalAssetRegistry(Kept):
    """Holds versions of environments and components."""

    def find(self, kind: AssetKind, name: str, version: str) -> RegisteredAsset | None:
        """One version, or None if it is not registered."""
        return next((held for held in self.versions(kind, name) if held.asset.version == version), None)

    @reads
    def versions(self, connection: Connection, kind: AssetKind, name: str) -> Sequence[RegisteredAsset]:
        """All versions of one asset, oldest first."""
        table = schema.assets
        query = (
            sa.select(table)
            .where(table.c.kind == kind.value, table.c.name == name)
            .order_by(table.c.registered_at, table.c.version)
        )
        return [_registered(row) for row in connection.execute(query)]

    @reads
    def names(self, connection: Connection, kind: AssetKind) -> Collection[str]:
        """The names of all assets of a kind."""
        table = schema.assets
        query = sa.select(table.c.name).where(table.c.kind == kind.value).distinct()
        return set(connection.execute(query).scalars())

    @reads
    def newest(
        self, connection: Connection, kind: AssetKind, version: str | None = None
    ) -> RegisteredAsset | None:
        """What was registered last of a kind, whatever its name; with a version, only among those that have it."""
        table = schema.assets
        wanted = [table.c.kind == kind.value, *([] if version is None else [table.c.version == version])]
        query = sa.select(table).where(*wanted).order_by(table.c.registered_at.desc()).limit(1)
        row = connection.execute(query).first()
        return None if row is None else _registered(row)

    @changes
    def register(self, connection: Connection, asset: Asset) -> RegisteredAsset:
        """Register a version; the same content again changes nothing."""
        table = schema.assets
        now = self.session.clock.now()
        key = (table.c.kind == asset.kind.value, table.c.name == asset.name, table.c.version == asset.version)
        held = connection.execute(sa.select(table).where(*key)).first()
        if held is None:
            connection.execute(
                sa.insert(table).values(
                    kind=asset.kind.value,
                    name=asset.name,
                    version=asset.version,
                    digest=asset.digest.hex,
                    registered_at=now.isoformat(),
                    content=ASSET.to_json(asset),
                )
            )
            self.session.audit(connection, [happened.asset_registered(asset)])
            return RegisteredAsset(asset, now)
        if held.digest != asset.digest.hex:
            raise VersionTaken(asset.name, asset.version, _digest(held), asset.digest)
        return _registered(held)


_NONE_LEFT_OUT = r'%"left\_out":[]%'
"""How content begins to say that all sensors are fit."""


class LocalDataAssets(Kept):
    """Holds what is known of the data of circuits."""

    @reads
    def held(self, connection: Connection, digests: Collection[Digest]) -> Mapping[Digest, DataAsset]:
        """Those of the assets that are registered."""
        table = schema.data_assets
        found: dict[Digest, DataAsset] = {}
        for some in chunks([digest.hex for digest in digests]):
            for row in connection.execute(sa.select(table).where(table.c.digest.in_(some))):
                asset = DATA_ASSET.from_json(row.content, f"data_assets {row.digest}")
                found[asset.digest] = asset
        return found

    @reads
    def partial(self, connection: Connection) -> Sequence[DataAsset]:
        """Those of whose sensors some are left out: the database looks for them, as parsing all takes seconds."""
        table = schema.data_assets
        query = sa.select(table).where(table.c.content.notlike(_NONE_LEFT_OUT, escape="\\"))
        found = [
            DATA_ASSET.from_json(row.content, f"data_assets {row.digest}")
            for row in connection.execute(query)
        ]
        return [asset for asset in found if asset.verdict.left_out]

    @changes
    def register(self, connection: Connection, assets: Sequence[DataAsset]) -> None:
        """Register assets, all or none; one that is already held is left as it is."""
        table = schema.data_assets
        held: set[str] = set()
        for some in chunks([asset.digest.hex for asset in assets]):
            held |= set(
                connection.execute(sa.select(table.c.digest).where(table.c.digest.in_(some))).scalars()
            )
        new = [asset for asset in assets if asset.digest.hex not in held]
        if not new:
            return
        connection.execute(
            sa.insert(table),
            [{"digest": asset.digest.hex, "content": DATA_ASSET.to_json(asset)} for asset in new],
        )
        self.session.audit(connection, [happened.data_registered(asset) for asset in new])


def _registered(row: Row[Any]) -> RegisteredAsset:
    asset = ASSET.from_json(row.content, _place(row))
    try:
        return RegisteredAsset(asset, moment(row.registered_at))
    except TORN as error:
        raise unreadable(_place(row)) from error


def _digest(row: Row[Any]) -> Digest:
    try:
        return Digest(row.digest)
    except TORN as error:
        raise unreadable(_place(row)) from error


def _place(row: Row[Any]) -> str:
    return f"assets {row.kind} {row.name}:{row.version}"
