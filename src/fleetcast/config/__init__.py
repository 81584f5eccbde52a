"""Circuit files in; domain values, or complaints with file and line, out."""

from fleetcast.config.reader import FleetReading, load_fleet, read_fleet

__all__ = ["FleetReading", "load_fleet", "read_fleet"]
