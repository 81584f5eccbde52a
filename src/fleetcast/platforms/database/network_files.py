"""Whether a folder is on a file system of several machines, where SQLite's locks and shared memory do not hold."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from fleetcast.domain.errors import Unavailable

MOUNTS = Path("/proc/self/mountinfo")
_OF_MANY_MACHINES = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "ocfs2", "gfs2", "beegfs"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.juicefs", "fuse.s3fs"),
        *("fuse.blobfuse", "fuse.blobfuse2"),
    )
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def check_local(folder: Path, mounts: Path = MOUNTS) -> None:
    """Make sure that no other machine can see a folder; where the system does not tell, it is believed.

    Raises:
        Unavailable: It is on a network file system.
    """
    with suppress(OSError):
        kind = file_system(str(folder.resolve()), mounts.read_text(errors="surrogateescape"))
        if kind in _OF_MANY_MACHINES:
            raise Unavailable(
                f"{folder} is on a network file system ({kind}): a control database in a file is for one machine",
                fix="write platform.state: a folder of this machine's own disk, or use a PostgreSQL server: "
                "docs/SETUP.md, a team's database",
            )


def file_system(folder: str, mounts: str) -> str:
    """The type of the file system that holds a folder, by the text of `mountinfo`; empty if it does not say."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:  # of two at one place, the later hides the earlier
            best, kind = len(point), after.split(" ")[0]
    return kind
