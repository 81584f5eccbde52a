"""`fleetcast.yaml` in, `Settings` out; one file for each capability says what may be written and how it is read."""

from fleetcast.config.settings.data_sources import adopted_sources
from fleetcast.config.settings.fleet_settings import read_settings
from fleetcast.config.settings.settings_file import SETTINGS_FILE

__all__ = ["SETTINGS_FILE", "adopted_sources", "read_settings"]
