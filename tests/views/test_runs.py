from __future__ import annotations

import pytest

from fleetcast.domain.run import Ending
from fleetcast.views.runs import next_steps, short_commit
from tests.views.examples import RUN


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending.DONE, "run-0001: done"),
        (Ending.AWAITING, "run-0001: 2 requests wait for approval"),
        (
            Ending.STILL_RUNNING,
            "run-0001: jobs are still running; run `fleetcast train` to go on watching them",
        ),
        (Ending.FAILED, "run-0001 failed in part; fix the cause, then run `fleetcast train` to continue it"),
    ],
)
def test_each_ending_says_what_comes_next(ending: Ending, said: str) -> None:
    assert next_steps(RUN, ending, waiting=2)[0] == said


def test_a_commit_is_shown_as_far_as_people_read_it() -> None:
    assert short_commit(RUN.commit) == "0123456789"
    assert short_commit(f"{RUN.commit}+3f") == "0123456789+"
    assert short_commit("uncommitted") == "uncommitted"
