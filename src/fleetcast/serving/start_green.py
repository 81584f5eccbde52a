"""`python -m fleetcast.serving.start_green FLEET ENVIRONMENT RELEASE SOCKET`: what a server starts for a green."""

from __future__ import annotations

import sys
from pathlib import Path

from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.serving.start import run_green


def main() -> None:
    """Be the process of one green."""
    directory, environment, release, at = sys.argv[1:]
    sys.exit(run_green(Path(directory), EnvironmentName(environment), Digest(release), Path(at)))


if __name__ == "__main__":
    main()
