"""On a disk without room each command that writes is one clear line and leaves nothing half-written behind."""

from __future__ import annotations

import shutil
import subprocess

from tests.found.story import Story


def tell(story: Story) -> None:
    """A small disk that is filled to the last byte, for ingest, train, approve, backup, bump and init."""
    disk = story.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        print("only root can mount a small disk here")
        return
    try:
        _fill_and_try(story)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill_and_try(story: Story) -> None:
    fleet = story.fleet("disk/fleet", days=20)
    fleet.type("plan", code=0)
    readings = story.folder / "log.csv"
    hours = [f"2025-03-{day:02d}T{hour:02d}:00:00Z" for day in range(1, 29) for hour in range(24)]
    readings.write_text("time,temperature,pressure\n" + "".join(f"{time},1.5,2.5\n" for time in hours))
    free = shutil.disk_usage(fleet.folder).free
    with (story.folder / "disk" / "full").open("wb") as file:
        file.write(b"\0" * (free - 4096))
        file.flush()
        try:
            file.write(b"\0" * 65_536)
            file.flush()
        except OSError:
            pass
    before = sorted(path for path in fleet.folder.rglob("*") if "control.db" not in path.name)
    for words in (
        ("ingest", str(readings), "--plant", "PLANT001", "--circuit", "CIRCUIT01"),
        ("train",),
        ("approve", "1"),
        ("database", "backup", str(fleet.folder / "backup.db")),
        ("bump", "--cutoff", "2025-01-15"),
        ("init", str(story.folder / "disk" / "another")),
    ):
        said = story.fleetcast(*words) if words[0] == "init" else fleet.type(*words)
        errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
        story.expect(
            f"{words[0]} fails with one error", holds=(said.code, len(errors)) == (1, 1), saw=said.code
        )
        story.expect("the disk is called full", holds="the disk is full" in said.text)
        story.expect("in our words alone", holds="panicked" not in said.err, saw=said.err[:120])
        story.expect("with what to do", holds="  fix: " in said.err)
    after = sorted(path for path in fleet.folder.rglob("*") if "control.db" not in path.name)
    story.expect(
        "nothing half-written is left", holds=after == before, saw=sorted(set(after) ^ set(before))[:3]
    )
