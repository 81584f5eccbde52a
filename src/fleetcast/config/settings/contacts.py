"""`contacts:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings.contacts import checked_contact


def read_contacts(written: Mapping[str, str] | None, file: SettingsFile) -> Mapping[str, str]:
    """How to reach people, by their names, in the order of the file."""
    found = {}
    for name, reach in (written or {}).items():
        try:
            found[name] = checked_contact(name, reach)
        except BadInput as error:
            file.refuse(error, "contacts", name)
    return MappingProxyType(found)
