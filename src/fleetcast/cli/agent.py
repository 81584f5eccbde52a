"""What commands tell the agent of CI that runs them, where one does; it goes to standard error, and to its files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fleetcast.domain.ci import Ci, ci_of
from fleetcast.domain.errors import Complaint

if TYPE_CHECKING:
    from fleetcast.domain.run import Ending, Run

_OUTPUTS, _SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"
_AGENTS_FOLDER = "AGENT_TEMPDIRECTORY"
"""Of Azure Pipelines, emptied after each job."""
_STEP = 5
"""Per cent."""


class Agent:
    """The agent that this process runs on; says nothing where there is none."""

    def __init__(self) -> None:
        self._ci = ci_of(os.environ)
        self._shown = ("", 0)

    @property
    def is_there(self) -> bool:
        """Whether this process runs on one."""
        return self._ci is not None

    def outputs(self, **values: str) -> None:
        """Hand values to later jobs."""
        from fleetcast.views.ci import output_line

        if self._ci is None:
            return
        for name, value in values.items():
            line = output_line(self._ci, name, value)
            if self._ci is Ci.AZURE_DEVOPS:
                _say(line)
            else:
                _append(_OUTPUTS, line + "\n")

    def findings(self, findings: Iterable[Complaint], *, warnings: bool = False) -> None:
        """Show findings at their files and lines."""
        from fleetcast.views.ci import finding_line

        if self._ci is not None:
            for one in findings:
                _say(finding_line(self._ci, one, warning=warnings))

    def warn(self, warnings: Iterable[str]) -> None:
        """Show what is nobody's mistake in a file."""
        self.findings((Complaint("", None, text) for text in warnings), warnings=True)

    def progress(self, done: int, total: int, what: str) -> None:
        """Move the bar of the job, in steps of a twentieth."""
        from fleetcast.views.ci import progress_line

        percent = 100 * done // total // _STEP * _STEP if total else 0
        if self._ci is None or (what, percent) == self._shown:
            return
        self._shown = (what, percent)
        line = progress_line(self._ci, percent, what)
        if line is not None:
            _say(line)

    def run(self, run: Run, ending: Ending, waiting: Sequence[str]) -> None:
        """Tell of a run, or of one stage of it: which it is, whether it awaits approval, and how it went."""
        from fleetcast.domain.run import Ending
        from fleetcast.views.ci import run_as_markdown

        if self._ci is None:
            return
        self.outputs(run=run.id, awaiting=str(ending is Ending.AWAITING).lower())
        self.summary(run_as_markdown(run, ending, waiting))

    def summary(self, markdown: str) -> None:
        """Show something on the page of the pipeline's run."""
        from fleetcast.views.ci import summary_line

        if self._ci is Ci.GITHUB:
            _append(_SUMMARY, markdown)
        elif self._ci is Ci.AZURE_DEVOPS:
            folder = os.environ.get(_AGENTS_FOLDER)
            with suppress(OSError):  # a summary is not worth a failed stage
                opened, path = tempfile.mkstemp(".md", "fleetcast-", folder)
                with os.fdopen(opened, "w", encoding="utf-8") as file:
                    file.write(markdown)
                _say(summary_line(self._ci, path) or "")


def _say(line: str) -> None:
    typer.echo(line, err=True)  # it is what agents obey: `views/ci.py` escapes what it is made of


def _append(variable: str, text: str) -> None:
    """Write to a file that the agent names; where it names none, nobody asked."""
    path = os.environ.get(variable)
    if path:
        with suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
