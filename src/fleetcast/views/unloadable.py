"""Models that cannot be loaded, in words and as JSON."""

from __future__ import annotations

from fleetcast.domain.artifact import UnloadableModel
from fleetcast.domain.canonical import Json
from fleetcast.views.names import circuit_ids


def unloadable_in_words(model: UnloadableModel) -> str:
    """What is wrong with one, without its circuit."""
    role = "the champion" if model.is_champion else "in use"
    return f"version {model.version}, {role}, cannot be loaded: {model.why}"


def unloadable_as_json(model: UnloadableModel) -> Json:
    """One of them for programs."""
    return {
        **circuit_ids(model.key),
        "model_name": model.model,
        "version": model.version,
        "is_champion": model.is_champion,
        "why": model.why,
    }
