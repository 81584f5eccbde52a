"""What agents of CI read from what a command prints: outputs for later jobs, findings at their lines, progress.

Azure Pipelines reads logging commands (`##vso[area.action property=value;]text`), GitHub workflow commands
(`::command property=value::text`) and files that it names in variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleetcast.domain.ci import Ci
from fleetcast.domain.errors import Complaint
from fleetcast.domain.legible import legible_lines
from fleetcast.domain.run import Ending, Run
from fleetcast.views.markdown import in_cell

_AZURE = {"%": "%AZP25", ";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D"}
_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB, ":": "%3A", ",": "%2C"}


def output_line(ci: Ci, name: str, value: str) -> str:
    """What hands a value to later jobs; for GitHub a line of the file that `GITHUB_OUTPUT` names."""
    if ci is Ci.AZURE_DEVOPS:
        return f"##vso[task.setvariable variable={name};isOutput=true]{_escaped(value, _AZURE)}"
    return f"{name}={value.splitlines()[0] if value else ''}"


def finding_line(ci: Ci, finding: Complaint, *, warning: bool = False) -> str:
    """What shows a finding at its file and line."""
    text = finding.what + (f" ({finding.fix})" if finding.fix else "")
    kind = "warning" if warning else "error"
    line = "" if finding.line is None else str(finding.line)
    if ci is Ci.AZURE_DEVOPS:
        place = {"sourcepath": finding.file, "linenumber": line}
        said = "".join(f"{name}={_escaped(value, _AZURE)};" for name, value in place.items() if value)
        return f"##vso[task.logissue type={kind};{said}]{_escaped(text, _AZURE)}"
    place = {"file": finding.file, "line": line}
    said = ",".join(f"{name}={_escaped(value, _GITHUB_PROPERTY)}" for name, value in place.items() if value)
    return f"::{kind}{' ' if said else ''}{said}::{_escaped(text, _GITHUB)}"


def progress_line(ci: Ci, percent: int, what: str) -> str | None:
    """What moves the bar of a job; None where there is none."""
    if ci is not Ci.AZURE_DEVOPS:
        return None
    return f"##vso[task.setprogress value={percent};]{_escaped(what, _AZURE)}"


def summary_line(ci: Ci, path: str) -> str | None:
    """What shows a Markdown file on the page of the run; None where a file is written to instead."""
    return f"##vso[task.uploadsummary]{path}" if ci is Ci.AZURE_DEVOPS else None


def run_as_markdown(run: Run, ending: Ending, waiting: Sequence[str]) -> str:
    """A run for the page of its pipeline.

    Args:
        run: With the stages that ran.
        ending: How they ended.
        waiting: What waits for approval.
    """
    return "\n".join([*_head(run, ending), *_waits(waiting)]) + "\n"


def _head(run: Run, ending: Ending) -> Iterator[str]:
    yield f"### fleetcast {run.id}: {ending.value}"
    yield ""
    yield "| stage | ending | took | what |"
    yield "|---|---|---:|---|"
    for record in run.stages:
        says = record.says.splitlines()[0] if record.says else ""
        yield f"| {record.stage} | {record.ending.value} | {record.seconds:.1f} s | {in_cell(says)} |"


def _waits(waiting: Sequence[str]) -> Iterator[str]:
    if waiting:
        yield ""
        yield "Awaiting approval (`fleetcast approvals list`):"
        yield ""
        yield from (f"- {in_cell(one)}" for one in waiting)


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in legible_lines(text))
