"""Who publishes forecasts at this moment, in the control database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from fleetcast.domain.place import EnvironmentName
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Kept, Session


class ControlForecastBook(Kept):
    """Keeps a lease for each environment."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = lease

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who publishes there."""
        return Lease(self.session, f"forecasts of {environment}", self._lease).held(holder, timeout)
