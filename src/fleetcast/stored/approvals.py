"""Approval requests, as they are written down."""

from __future__ import annotations

from fleetcast.domain.approval import Request
from fleetcast.stored.form import Stored

REQUEST = Stored(Request)
