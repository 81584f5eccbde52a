"""Rust's own words about a panic do not reach a person; everything else on standard error does."""

from __future__ import annotations

import os
import threading

import pytest

from fleetcast.platforms.delta.panics import without_panic, without_panics

PANIC = (
    "\nthread 'tokio-rt-worker' (31221) panicked at /x/object_store-0.13.2/src/buffered.rs:369:41:\n"
    "Already shut down\n"
)
BACKTRACE = (
    "stack backtrace:\n   0: one\n             at here\n"
    "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n"
)
HINT = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"


@pytest.mark.parametrize("panic", [PANIC, PANIC + BACKTRACE, PANIC + HINT, PANIC + HINT + PANIC])
def test_of_what_is_said_a_panic_is_left_out(panic: str) -> None:
    assert without_panic(f"before\n{panic}error: after\n") == "before\nerror: after\n"


def test_what_others_write_meanwhile_comes_after(capfd: pytest.CaptureFixture[str]) -> None:
    with without_panics():
        os.write(2, b"a log line\n" + PANIC.encode())
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "a log line\n"
    os.write(2, b"direct again\n")
    assert capfd.readouterr().err == "direct again\n"


def test_threads_may_write_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    both = threading.Barrier(2)

    def write(name: str) -> None:
        with without_panics():
            both.wait(60)
            os.write(2, f"{name}\n".encode())
            both.wait(60)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"last\n")
    said = capfd.readouterr().err.splitlines()
    assert sorted(said) == ["last", "one", "two"]
    assert said[-1] == "last"


def test_an_error_ends_it_as_well(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="full"), without_panics():
        raise OSError("full")
    os.write(2, b"here\n")
    assert capfd.readouterr().err == "here\n"
