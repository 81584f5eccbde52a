"""A model that was trained again, for people and programs."""

from __future__ import annotations

from fleetcast.domain.canonical import Json
from fleetcast.domain.reproduction import Reproduction


def in_words(found: Reproduction) -> list[str]:
    """What came of it, in a line, and why where the bytes are others."""
    which = f"{found.model}:{found.version}"
    if found.identical:
        return [f"{which}: identical, artifact {found.registered.hex}"]
    lines = [f"{which}: not reproduced: {found.obstacle or 'its bytes differ'}"]
    if found.detail:
        lines.append(f"  {found.detail}")
    lines.append(f"  registered: artifact {found.registered.hex}")
    if found.found is not None:
        lines.append(f"  now:        artifact {found.found.hex}")
    if found.differing:
        lines.append(f"  differing:  {', '.join(found.differing)}")
    return lines


def as_json(found: Reproduction) -> Json:
    """The same with names."""
    return {
        "model_name": found.model,
        "version": found.version,
        "is_identical": found.identical,
        "registered_artifact": found.registered.hex,
        "found_artifact": None if found.found is None else found.found.hex,
        "obstacle": None if found.obstacle is None else found.obstacle.name.lower(),
        "why": "" if found.obstacle is None else found.obstacle.value,
        "detail": found.detail,
        "differing_files": list(found.differing),
    }
