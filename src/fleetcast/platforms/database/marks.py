"""How far the audit log has come, within a transaction that goes on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.audit import Mark
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Seal
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, whole_number
from fleetcast.stored.form import unreadable
from fleetcast.stored.manifests import SEAL

_audit = schema.audit
# Made once: with each request, making such a statement takes longer than answering it.
_OF_NUMBER = _audit.c.number == sa.bindparam("wanted")
_DIGEST = sa.select(_audit.c.digest).where(_OF_NUMBER)
_SEAL = sa.select(_audit.c.seal).where(_OF_NUMBER)
_NEWEST = sa.select(_audit.c.number, _audit.c.digest).order_by(_audit.c.number.desc()).limit(1)


def holds(connection: Connection, mark: Mark) -> bool:
    """Whether the audit log holds an entry as somebody remembers it."""
    return connection.execute(_DIGEST, {"wanted": mark.number}).scalar() == mark.digest.hex


def first_digest(connection: Connection) -> Digest | None:
    """Of the first entry of the audit log; None if it is empty."""
    text = connection.execute(_DIGEST, {"wanted": 1}).scalar()
    try:
        return None if text is None else Digest(text)
    except TORN as error:
        raise unreadable("audit entry 1") from error


def seal_of(connection: Connection, number: int) -> Seal | None:
    """The seal on an entry of the audit log."""
    text = connection.execute(_SEAL, {"wanted": number}).scalar()
    return None if text is None else SEAL.from_json(text, f"the seal on audit entry {number}")


def last_mark(connection: Connection) -> Mark | None:
    """The last entry of the audit log; None if it is empty."""
    row = connection.execute(_NEWEST).first()
    if row is None:
        return None
    try:
        return Mark(whole_number(row.number), Digest(row.digest))
    except TORN as error:
        raise unreadable(f"audit entry {row.number}") from error
