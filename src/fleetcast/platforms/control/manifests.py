"""Signed manifests in the control database: who writes there can remove them, and not make one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.manifest import Manifest, ManifestFile, ManifestVerdict
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, Session, changes, chunks, reads
from fleetcast.ports.manifests import ManifestBook, Version
from fleetcast.stored.manifests import SIGNED_MANIFEST

_manifests = schema.manifests


class ControlManifestBook(Kept):
    """Keeps them by model and version."""

    @reads
    def lacking(self, connection: Connection, versions: Collection[Version]) -> Collection[Version]:
        """Those of some versions that have none."""
        return set(versions) - _held(connection, versions)

    @changes
    def sign(self, connection: Connection, manifests: Sequence[Manifest]) -> None:
        """Vouch for what versions consist of; one that has a manifest keeps it."""
        held = _held(connection, [(each.model, each.version) for each in manifests])
        sealing = self.session.database.sealing
        rows = [
            {
                "model": each.model,
                "version": each.version,
                "content": SIGNED_MANIFEST.to_json(sealing.sign(each)),
            }
            for each in manifests
            if (each.model, each.version) not in held
        ]
        if rows:
            connection.execute(sa.insert(_manifests), rows)

    @reads
    def ahead(self, connection: Connection, versions: Collection[Version]) -> ManifestBook:
        """The same, with the manifests of these versions read now and at once."""
        rows: dict[Version, str | None] = dict.fromkeys(versions)
        for names in chunks(sorted({name for name, _ in versions})):
            query = sa.select(_manifests).where(_manifests.c.model.in_(names))
            found = {(row.model, row.version): row.content for row in connection.execute(query)}
            rows |= {version: content for version, content in found.items() if version in rows}
        return _ReadAhead(self.session, rows)

    def worth(self, model: str, version: int, files: Sequence[ManifestFile]) -> ManifestVerdict:
        """What the manifest of a version says of files that were read just now."""
        content = self._content(model, version)
        signed = (
            None if content is None else SIGNED_MANIFEST.from_json(content, f"manifests {model}:{version}")
        )
        return self.session.database.sealing.worth(signed, model, version, files)

    @reads
    def _content(self, connection: Connection, model: str, version: int) -> str | None:
        mine = (_manifests.c.model == model) & (_manifests.c.version == version)
        row = connection.execute(sa.select(_manifests.c.content).where(mine)).first()
        return None if row is None else str(row.content)


class _ReadAhead(ControlManifestBook):
    """Manifests of which some were read at once."""

    def __init__(self, session: Session, rows: Mapping[Version, str | None]) -> None:
        super().__init__(session)
        self._rows = rows

    def _content(self, model: str, version: int) -> str | None:
        if (model, version) in self._rows:
            return self._rows[model, version]
        return super()._content(model, version)


def _held(connection: Connection, versions: Collection[Version]) -> set[Version]:
    found: set[Version] = set()
    for names in chunks(sorted({name for name, _ in versions})):
        query = sa.select(_manifests.c.model, _manifests.c.version).where(_manifests.c.model.in_(names))
        found |= {(row.model, row.version) for row in connection.execute(query)}
    return found
