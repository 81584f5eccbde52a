"""No clock on the wall decides who works on a fleet: a wrong one takes nothing and blocks nobody."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.found.story import Fleet, Story, StoryEnded

AHEAD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long ahead(void) { const char *s = getenv("SECONDS_AHEAD"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, at);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) at->tv_sec += ahead();
    return done;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


def tell(story: Story) -> None:
    """One run is held up; others look at it with clocks that are wrong, or after it was killed."""
    fleet = story.fleet()
    fleet.edit("fleetcast.yaml", "platform:\n", "platform:\n  lease: 3s\n")
    ahead = shifted_clock(story)
    fleet.type("stage", "RegisterEnvironment", code=0)
    _hold_up(fleet)
    living = _start(fleet, {})
    other = fleet.type(
        "stage", "RegisterEnvironment", environment={"LD_PRELOAD": str(ahead), "SECONDS_AHEAD": "600"}
    )
    story.expect("ten minutes ahead, another is told who works", holds=other.code == 1, saw=other.code)
    story.says(other, "another run is in progress", f"process {living.pid}")
    living.kill()
    living.wait()

    early = _start(fleet, {"LD_PRELOAD": str(ahead), "SECONDS_AHEAD": "7200"})
    early.kill()
    early.wait()
    with closing(sqlite3.connect(fleet.state / "control.db")) as database, database:
        database.execute("UPDATE leases SET machine = replace(machine, 'pid:[', 'pid:[9')")
    print("\na run two hours ahead was killed, in a container whose processes cannot be seen from here")
    after = fleet.type("stage", "RegisterEnvironment", "--lock-timeout", "10s")
    story.expect("it blocks nobody for hours", holds=after.code == 0, saw=after.code)


def shifted_clock(story: Story) -> Path:
    """A library that puts the clock of a process ahead."""
    source, library = story.folder / "ahead.c", story.folder / "ahead.so"
    source.write_text(AHEAD, encoding="utf-8")
    if story.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]).code:
        raise StoryEnded("there is no C compiler")
    return library


def _hold_up(fleet: Fleet) -> None:
    """Let training wait for a file that never comes."""
    path = fleet.folder / "components" / "training-pipeline-component.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    wait = fleet.story.folder / "wait.py"
    wait.write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    for number, line in enumerate(lines):
        if line.strip().startswith("command:"):
            inputs = "${{inputs.task}} ${{inputs.data}} ${{outputs.model}}"
            lines[number] = f"    command: {sys.executable} {wait} {inputs}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _start(fleet: Fleet, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start `fleetcast train`, and wait until it holds the fleet."""
    story = fleet.story
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetcast.cli.main", "train", "--fleet", str(fleet.folder)],
        env={**story.environment, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        with closing(sqlite3.connect(fleet.state / "control.db")) as database:
            mine = "SELECT 1 FROM leases WHERE expires_at > 0 AND process LIKE ?"
            if database.execute(mine, (f"{process.pid} %",)).fetchone():
                return process
        time.sleep(0.05)
    raise StoryEnded("the run did not begin")
