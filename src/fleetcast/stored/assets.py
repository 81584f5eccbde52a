"""Environments and data assets, as they are written down."""

from __future__ import annotations

from fleetcast.domain.assets import Asset
from fleetcast.domain.snapshot import DataAsset
from fleetcast.stored.form import Stored

ASSET = Stored(Asset)
DATA_ASSET = Stored(DataAsset)
