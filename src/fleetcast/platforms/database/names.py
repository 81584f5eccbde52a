"""Names that a control database in a file holds, read without opening it in anybody's name: what shells offer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import Enum
from pathlib import Path

_MOST = 500


class Kept(Enum):
    """What has a name or number in the database; the value asks for them, newest first."""

    RUNS = "SELECT printf('run-%04d', number) FROM runs ORDER BY number DESC"
    REQUESTS = "SELECT id FROM requests WHERE state = 'pending' ORDER BY id DESC"
    MODELS = "SELECT DISTINCT name FROM model_versions ORDER BY name"
    VERSIONS = "SELECT name || ':' || version FROM model_versions ORDER BY name, version DESC"
    JOBS = "SELECT job FROM model_versions ORDER BY registered_at DESC"
    RELEASES = "SELECT environment || '/' || plant || ':' || number FROM releases ORDER BY 1"
    ALARMS = "SELECT number FROM alarms WHERE open_cause IS NOT NULL ORDER BY number DESC"
    TOKENS = "SELECT number FROM tokens ORDER BY number DESC"
    PAGES = "SELECT number FROM pages WHERE open ORDER BY number DESC"
    LETTERS = "SELECT number FROM letters ORDER BY number DESC"
    PEOPLE = "SELECT name FROM people_names ORDER BY name"
    GROUPS = "SELECT name FROM people_groups ORDER BY name"


def kept_names(database: Path, kept: Kept) -> tuple[str, ...]:
    """The newest names of one kind, some hundred at most.

    Raises:
        sqlite3.Error: There is no such file, or it has another schema.
    """
    # The file is neither made nor changed, and who writes to it is not waited for.
    with closing(
        sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
    ) as connection:
        return tuple(str(name) for (name,) in connection.execute(f"{kept.value} LIMIT {_MOST}"))
