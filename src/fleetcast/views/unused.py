"""Settings that nothing uses yet, as `validate` and `plan` name them."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.domain.canonical import Json


def unused_in_one_line(unused: Sequence[UnusedSetting]) -> str:
    """All of them with their places; empty if there are none."""
    return f"not used yet: {', '.join(map(str, unused))}" if unused else ""


def unused_as_text(unused: Sequence[UnusedSetting]) -> str:
    """One line for each, with what makes it idle; empty if there are none."""
    lines = [f"  {each.file}:{each.line}: {each.setting} ({each.says})" for each in unused]
    return "\n".join(["not used yet:", *lines]) if lines else ""


def unused_as_json(unused: Sequence[UnusedSetting]) -> list[Json]:
    """For programs."""
    return [
        {"file": each.file, "line": each.line, "setting": each.setting, "says": each.says} for each in unused
    ]
