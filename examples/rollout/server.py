"""`fleetcast serve`, whose next new release may be a bad one.

    server.py FLEET ENVIRONMENT PORT FILE

FILE says how the next green is: a word that bad_green.py knows, or nothing for one that is well.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fleetcast.app import open_serving
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.serving.start import ServeAt, green_command, serve

BAD_GREEN = Path(__file__).with_name("bad_green.py")


def main(fleet: str, environment: str, port: str, file: str) -> None:
    """Serve until it is asked to end."""
    name = EnvironmentName(environment)
    well = green_command(Path(fleet), name)

    def command(release: Digest, at: Path) -> Sequence[str]:
        how = Path(file).read_text(encoding="utf-8").strip()
        if not how:
            return well(release, at)
        return sys.executable, str(BAD_GREEN), how, fleet, environment, release.hex, str(at)

    serve(
        open_serving(Path(fleet), name),
        ServeAt(port=int(port)),
        lambda url: print(f"serves {environment} at {url}", flush=True),
        command,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
