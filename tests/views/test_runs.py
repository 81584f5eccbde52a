from __future__ import annotations

import io
from pathlib import Path

import pytest

from fleetcast.cli.run_views import print_run
from fleetcast.cli.tables import Console
from fleetcast.domain.job import JobPage
from fleetcast.domain.run import Ending
from fleetcast.views.runs import as_json, found_as_json, next_steps, short_commit
from fleetcast.workflows.look import PagesOfRun
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


def test_a_run_is_shown_with_the_pages_of_its_jobs_and_without_those_that_are_not_known() -> None:
    page = JobPage("run-0001: PLANT001/CIRCUIT01 and 3 more", "https://ml.azure.com/runs/fleetcast-1?wsid=2")
    written = io.StringIO()
    console = Console(file=written, width=40, highlight=False)
    print_run(RUN, console, folder=Path("runs"), jobs=PagesOfRun((page,)), at_work=False)
    assert f"{page.title}: {page.url}\n" in written.getvalue()
    unknown = PagesOfRun(unknown="Azure does not answer")
    print_run(RUN, console, folder=Path("runs"), jobs=unknown, at_work=False)
    assert "where the platform shows its jobs is not known: Azure does not answer\n" in written.getvalue()
    assert found_as_json(RUN, PagesOfRun((page,)), at_work=False) == {
        **as_json(RUN, at_work=False),
        "pages": [{"title": page.title, "url": page.url}],
        "pages_unknown": None,
    }


def test_a_commit_is_shown_as_far_as_people_read_it() -> None:
    assert short_commit(RUN.commit) == "0123456789"
    assert short_commit(f"{RUN.commit}+3f") == "0123456789+"
    assert short_commit("uncommitted") == "uncommitted"
