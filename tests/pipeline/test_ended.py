"""How a process ended, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.domain.errors import FleetcastError
from fleetcast.pipeline.ended import how_it_ended, memory_kills
from fleetcast.pipeline.steps import StepFailed, run_steps
from tests.pipeline.test_steps import job_files
from tests.pipeline.world import component


@pytest.mark.parametrize(
    ("code", "said", "memory", "words"),
    [
        (1, "", False, "ended with exit code 1: it printed nothing"),
        (1, "no licence", True, "ended with exit code 1: no licence"),
        (1, "MemoryError", False, "ended with exit code 1, as memory ran out: MemoryError"),
        (
            1,
            "numpy._ArrayMemoryError: Unable to allocate 8 GiB",
            False,
            "ended with exit code 1, as memory ran out: numpy._ArrayMemoryError: Unable to allocate 8 GiB",
        ),
        (
            -6,
            "std::bad_alloc",
            False,
            "was killed by SIGABRT, as memory ran out; the last it printed: std::bad_alloc",
        ),
        (-9, "", False, "was killed by SIGKILL; it printed nothing"),
        (-9, "epoch 7", True, "was killed by SIGKILL, as memory ran out; the last it printed: epoch 7"),
        (-15, "epoch 7", True, "was killed by SIGTERM; the last it printed: epoch 7"),
        (-11, "", False, "was killed by SIGSEGV; it printed nothing"),
        (-99, "", False, "was killed by signal 99; it printed nothing"),
        (137, "Killed", True, "ended with exit code 137, as after SIGKILL, as memory ran out: Killed"),
        (137, "Killed", False, "ended with exit code 137, as after SIGKILL: Killed"),
        (255, "", False, "ended with exit code 255: it printed nothing"),
        (
            -24,
            "",
            False,
            "was killed by SIGXCPU, as its limit of computing time (ulimit -t) ran out; it printed nothing",
        ),
        (
            -25,
            "",
            False,
            "was killed by SIGXFSZ, as a file grew beyond the limit (ulimit -f); it printed nothing",
        ),
    ],
)
def test_the_end_of_a_process_in_words(code: int, said: str, memory: bool, words: str) -> None:
    assert how_it_ended(code, said, memory_ran_out=memory) == words


def machine(root: Path, cgroup: str, **counts: str) -> Path:
    files = {"proc/self/cgroup": cgroup, **{name.replace("__", "/"): text for name, text in counts.items()}}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_kills_are_counted_on_the_machine_and_in_the_control_group(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/jobs/one\n", proc__vmstat="pgfault 7\noom_kill 2\n")
    assert memory_kills(root) == 2
    events = root / "sys/fs/cgroup/jobs/one/memory.events"
    events.parent.mkdir(parents=True)
    events.write_text("low 0\noom 9\noom_kill 3\n")
    assert memory_kills(root) == 5


def test_kills_are_counted_in_a_control_group_of_the_first_version(tmp_path: Path) -> None:
    root = machine(tmp_path, "4:cpu,cpuacct:/x\n3:memory:/pod\n")
    control = root / "sys/fs/cgroup/memory/pod/memory.oom_control"
    control.parent.mkdir(parents=True)
    control.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n")
    assert memory_kills(root) == 4


def test_a_machine_that_counts_nothing_has_none(tmp_path: Path) -> None:
    assert memory_kills(tmp_path) == 0
    assert memory_kills(machine(tmp_path, "\xff", proc__vmstat="oom_kill many\n")) == 0


def failure(folder: Path, command: str) -> str:
    with pytest.raises(StepFailed) as failed:
        run_steps(component("1.0.0", [command]), job_files(folder))
    return str(failed.value)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT"])
def test_a_step_that_was_killed_says_by_which_signal(tmp_path: Path, name: str) -> None:
    said = failure(tmp_path, f"sh -c 'echo epoch 7; kill -{name.removeprefix('SIG')} $$'")
    assert said == f"step 'step-1' was killed by {name}; the last it printed: epoch 7"


def test_a_step_under_a_limit_of_memory_says_that_it_ran_out(tmp_path: Path) -> None:
    hungry = 'import sys; sys.stderr.write("begins\\n"); bytearray(2**33)'
    said = failure(tmp_path, f"sh -c 'ulimit -v 500000; exec python3 -c \"$0\"' '{hungry}'")
    assert said == "step 'step-1' ended with exit code 1, as memory ran out: MemoryError"


def test_what_an_earlier_attempt_printed_is_not_taken_for_the_last_words(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    files.log.write_text("of an earlier attempt\n")
    with pytest.raises(FleetcastError, match=r"ended with exit code 1: it printed nothing$"):
        run_steps(component("1.0.0", ["false"]), files)
