"""Under which headings a command with many options shows them, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

OPTIONS = "Options"
"""Heading of what is under no other."""

CI = "In pipelines"
"""Heading of the options that are for jobs of a CI."""

EVERYWHERE = "Everywhere"
"""Heading of the options that nearly every command has."""

FEW = 8
"""So many options need no headings."""

_SHARED = {
    "lock_timeout": CI,
    "awaiting_ok": CI,
    "fleet": EVERYWHERE,
    "source": EVERYWHERE,
    "view": EVERYWHERE,
    "verbose": EVERYWHERE,
    "help": EVERYWHERE,
}

HEADINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ingest": {
        "Whose rows": ("plant", "circuit", "plant_column", "circuit_column"),
        "Times": ("timestamp_column", "timestamp_format", "timezone", "ambiguous", "nonexistent"),
        "Numbers": ("separator", "decimal", "thousands", "sentinel"),
        "Sensors": ("rename", "take", "drop"),
        "Rows that do not fit": ("skip_bad_rows", "uneven_rows", "on_conflict"),
    },
    "simulate": {
        "How much": ("plants", "circuits", "length", "frequency", "start", "seed"),
        "Defects": ("gaps", "duplicates", "late_rows", "stuck"),
    },
    "train": {"What is trained": ("circuits", "plan", "retry_failed")},
    "deploy": {
        "What is deployed": ("plants", "any_branch"),
        "How it goes on": ("step", "every", "wait", "watch"),
    },
    "score": {
        "What is forecast": ("day", "circuits", "supersede", "on_platform"),
        "A file as well": ("export", "to"),
    },
    "up": {
        "Servers": ("host", "port", "every"),
        "Pages and API": ("web_port", "web"),
    },
    "propose": {
        "What is proposed": ("circuits", "cutoff", "min_gain"),
        "What becomes of it": ("branch", "patch", "base", "open_request", "dry_run"),
    },
    "people add": {
        "Who": ("service", "full_name", "alias"),
        "How they are recognised": ("system_user", "oidc", "entra"),
        "What they may do": ("group", "role"),
    },
    "audit list": {
        "How many": ("last", "before"),
        "About what": ("by", "action", "request", "since", "until"),
    },
}
"""By the words of a command."""


def heading(command: str, name: str) -> str:
    """Under which heading a command shows one option.

    Args:
        command: Its words, without the program's name.
        name: Of the parameter.
    """
    for title, names in HEADINGS.get(command, {}).items():
        if name in names:
            return title
    return _SHARED.get(name, OPTIONS)
