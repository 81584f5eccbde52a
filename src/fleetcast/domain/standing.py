"""How far a model version has come: the one vocabulary for it, in every view and file."""

from __future__ import annotations

from enum import StrEnum


class PromotionState(StrEnum):
    """Where one version is."""

    PROMOTED = "promoted"
    """The champion."""
    PROMOTED_BEFORE = "promoted before"
    """In the shared registry, but another version is the champion."""
    AWAITING = "awaiting approval"
    APPROVED = "approved"
    """Not shared yet: the next run does that."""
    REJECTED = "rejected"
    BLOCKED = "blocked"
    NOT_PROMOTED = "not promoted"
