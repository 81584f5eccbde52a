"""Signed manifests and seals, as they are written down."""

from __future__ import annotations

from fleetcast.domain.manifest import Seal, SignedManifest
from fleetcast.stored.form import Stored

SIGNED_MANIFEST = Stored(SignedManifest)
SEAL = Stored(Seal)
