"""How what is known of machines is written down, by each machine for itself."""

from __future__ import annotations

from fleetcast.domain.quota import Machines
from fleetcast.stored.form import Stored

MACHINES = Stored(Machines, fix="remove the file: it is asked for anew")
