"""Checking a fleet's pipelines for what no schema says: names that lead nowhere, jobs that ask nobody, wrong commands.

Only files that run fleetcast are looked at. What is checked is what Azure Pipelines and GitHub find out when it is too
late: in the middle of a run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetcast.config.complaints import Complaints, nearest, shown
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.installed_devops import VARIABLE_GROUPS

AZURE_FOLDER, GITHUB_FOLDER = ".azuredevops", ".github/workflows"
PLACEHOLDER = "PLACEHOLDER"
"""What stands in a command's words for what is only known when it runs."""
CommandComplaint = Callable[[Sequence[str]], str]
"""What is wrong with the words of a fleetcast command; empty if nothing is."""

_FILLED_IN = re.compile(r"\$\{\{.*?\}\}|\$\([A-Za-z0-9_.]+\)|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?")
_STAGE_OUTPUT = re.compile(r"stageDependencies\.([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)\.")
_JOB_OUTPUT = re.compile(r"(?<![A-Za-z])dependencies\.([A-Za-z0-9_]+)\.(?:outputs|result)")
_HOW_IT_ENDED = re.compile(r"\b(?:succeeded|failed|succeededOrFailed)\('([A-Za-z0-9_]+)'\)")
_NEEDS = re.compile(r"\bneeds\.([A-Za-z0-9_-]+)\.")
_RUN_KEYS = ("script", "bash", "inlineScript", "run", "command")
_ACTIONS = (
    "script", "bash", "pwsh", "powershell", "task", "template", "checkout", "download", "downloadBuild",
    "getPackage", "publish", "reviewApp", "upload",
)  # fmt: skip


def check_pipelines(directory: Path, complaints: Complaints, command: CommandComplaint) -> int:
    """Check every pipeline of a fleet; gives how many were looked at.

    Args:
        directory: The fleet repository.
        complaints: Where to note what is wrong.
        command: Judges the words of a fleetcast command.
    """
    count = 0
    for folder, check in ((AZURE_FOLDER, _check_azure), (GITHUB_FOLDER, _check_github)):
        for path in sorted((directory / folder).glob("*.y*ml")):
            root = read_yaml(path, f"{folder}/{path.name}", complaints)
            if isinstance(root, Block) and _runs_fleetcast(root, path):
                count += 1
                check(_File(directory, f"{folder}/{path.name}", complaints, command), root)
    return count


@dataclass(frozen=True, slots=True)
class _File:
    """One pipeline, and where to say what is wrong with it."""

    directory: Path
    name: str
    complaints: Complaints
    command: CommandComplaint

    def complain(self, line: int | None, what: str, fix: str = "") -> None:
        self.complaints.add(self.name, line, what, fix)

    def check_commands(self, node: Node) -> None:
        for line, words in _commands(node):
            wrong = self.command(words)
            if wrong:
                self.complain(
                    line, f"`fleetcast {shlex.join(words)}`: {wrong}", "see `fleetcast COMMAND --help`"
                )

    def check_known(self, node: Node | None, known: Collection[str], what: str) -> None:
        """Each name that is written must be known."""
        for one in _scalars(node):
            if one.text not in known:
                self.complain(one.line, f"there is no {what} {shown(one.text)}", nearest(one.text, known))


def _runs_fleetcast(root: Block, path: Path) -> bool:
    return next(_commands(root), None) is not None or "fleetcast" in path.read_text(errors="replace")


def _check_azure(file: _File, root: Block) -> None:
    file.check_commands(root)
    _check_groups(file, root.get("variables"))
    stages = _blocks(root.get("stages"))
    names = [one for one in (_text(stage.get("stage")) for stage in stages) if one]
    _check_unique(file, stages, "stage")
    before = _order(file, stages, "stage", names)
    for stage in stages:
        name = _text(stage.get("stage"))
        needed = before.get(name, frozenset())
        for line, text in _texts(stage):
            for match in _STAGE_OUTPUT.finditer(text):
                _check_output(file, line, match[1], names, needed, f"stage {name}")
        _check_jobs(file, stage)
    if not stages:
        _check_jobs(file, root)


def _check_jobs(file: _File, holder: Block) -> None:
    jobs = _blocks(holder.get("jobs"))
    for key in ("job", "deployment"):
        _check_unique(file, jobs, key)
    names = [name for job in jobs for key in ("job", "deployment") if (name := _text(job.get(key)))]
    before = _order(file, jobs, ("job", "deployment"), names)
    for job in jobs:
        name = _text(job.get("job")) or _text(job.get("deployment"))
        if "deployment" in job:
            _check_deployment(file, job, name)
        for line, text in _texts(job):
            for match in (*_JOB_OUTPUT.finditer(text), *_HOW_IT_ENDED.finditer(text)):
                _check_output(file, line, match[1], names, before.get(name, frozenset()), f"job {name}")
        for step in _steps(job):
            _check_step(file, step)


def _check_deployment(file: _File, job: Block, name: str) -> None:
    line = job.line_of("deployment")
    if _is_blank(job.get("environment")):
        file.complain(
            line,
            f"deployment job {shown(name)} has no environment, so that nobody is asked",
            "name the one that holds the approval, such as `environment: registry-promotion`",
        )
    if _is_blank(job.get("strategy")):
        file.complain(line, f"deployment job {shown(name)} has no strategy", "write `strategy: runOnce`")


def _check_step(file: _File, step: Block) -> None:
    if not any(action in step for action in _ACTIONS):
        file.complain(step.line, "this step does nothing", f"write one of {', '.join(_ACTIONS[:6])} …")
    template = step.get("template")
    if isinstance(template, Scalar) and "@" not in template.text and "$" not in template.text:
        _check_template(file, step, template)


def _check_template(file: _File, step: Block, template: Scalar) -> None:
    folder = Path(file.name).parent
    inside = template.text.removeprefix("/") if template.text.startswith("/") else str(folder / template.text)
    path = file.directory / inside
    if not path.is_file():
        file.complain(template.line, f"there is no template {shown(inside)}", "correct the path")
        return
    read = read_yaml(path, inside, file.complaints)
    declared = _blocks(read.get("parameters")) if isinstance(read, Block) else []
    names = {_text(one.get("name")): "default" not in one for one in declared}
    given = step.get("parameters")
    given = given if isinstance(given, Block) else Block(step.line)
    for name in given:
        if name not in names:
            file.complain(
                given.line_of(name), f"{inside} has no parameter {shown(name)}", nearest(name, names)
            )
    for name, is_needed in names.items():
        if is_needed and name not in given:
            file.complain(template.line, f"{inside} needs the parameter {shown(name)}", "write it here")


def _check_groups(file: _File, variables: Node | None) -> None:
    """A group of ours that is misspelt; groups of somebody else's are theirs."""
    for one in _blocks(variables):
        group = one.get("group")
        if isinstance(group, Scalar) and group.text.startswith("mlops-") and "$" not in group.text:
            file.check_known(group, VARIABLE_GROUPS, "variable group")


def _check_github(file: _File, root: Block) -> None:
    file.check_commands(root)
    jobs = root.get("jobs")
    jobs = jobs if isinstance(jobs, Block) else Block(root.line)
    before = _orders(
        file, {name: (job, job.get("needs")) for name, job in jobs.items() if isinstance(job, Block)}
    )
    for name, job in jobs.items():
        if not isinstance(job, Block):
            file.complain(jobs.line_of(name), f"job {shown(name)} is no mapping", "write what it runs")
            continue
        for line, text in _texts(job):
            for match in _NEEDS.finditer(text):
                _check_output(file, line, match[1], jobs, before.get(name, frozenset()), f"job {name}")
        for step in _blocks(job.get("steps")):
            _check_github_step(file, step)


def _check_github_step(file: _File, step: Block) -> None:
    if "uses" not in step and "run" not in step:
        file.complain(step.line, "this step does nothing", "write `run:` or `uses:`")
    uses = step.get("uses")
    if isinstance(uses, Scalar) and uses.text.startswith("./"):
        place = uses.text.removeprefix("./")
        if not any((file.directory / place / name).is_file() for name in ("action.yml", "action.yaml")):
            file.complain(uses.line, f"there is no action {shown(place)}", "correct the path")


def _check_output(
    file: _File, line: int, name: str, known: Collection[str], before: Collection[str], where: str
) -> None:
    """An output is there only for whoever names the one that gives it among those it waits for."""
    if name not in known:
        file.complain(line, f"{where} reads from {shown(name)}, which there is none", nearest(name, known))
    elif name not in before:
        file.complain(
            line, f"{where} reads from {name} and does not wait for it", f"add {name} to what it depends on"
        )


def _order(
    file: _File, blocks: Sequence[Block], keys: str | tuple[str, ...], names: Sequence[str]
) -> Mapping[str, frozenset[str]]:
    """By stage or job, those that it names in `dependsOn`; without it, a stage waits for the one before it."""
    kinds = (keys,) if isinstance(keys, str) else keys
    found: dict[str, tuple[Block, Node | None]] = {}
    for block in blocks:
        name = next((text for key in kinds if (text := _text(block.get(key)))), "")
        found[name] = (block, block.get("dependsOn"))
    orders = dict(_orders(file, found))
    if kinds == ("stage",):
        for number, name in enumerate(names[1:], start=1):
            if name in found and "dependsOn" not in found[name][0]:
                orders[name] = frozenset({names[number - 1]})
    return orders


def _orders(file: _File, found: Mapping[str, tuple[Block, Node | None]]) -> Mapping[str, frozenset[str]]:
    """By name, those that each waits for, as far as they exist; what does not, and circles, are complained of."""
    orders: dict[str, frozenset[str]] = {}
    for name, (block, wanted) in found.items():
        known = [other for other in found if other != name]
        kept = set()
        for one in _scalars(wanted):
            if one.text in known:
                kept.add(one.text)
            elif one.text and "$" not in one.text:
                file.complain(
                    one.line,
                    f"{shown(name)} depends on {shown(one.text)}, which there is none",
                    nearest(one.text, known),
                )
        orders[name] = frozenset(kept)
        if name in _reached(name, orders):
            file.complain(block.line, f"{shown(name)} waits for itself in the end", "break the circle")
    return orders


def _reached(name: str, orders: Mapping[str, frozenset[str]]) -> set[str]:
    """All that something waits for, directly or not."""
    reached: set[str] = set()
    left = list(orders.get(name, ()))
    while left:
        one = left.pop()
        if one not in reached:
            reached.add(one)
            left.extend(orders.get(one, ()))
    return reached


def _check_unique(file: _File, blocks: Sequence[Block], key: str) -> None:
    lines: dict[str, int] = {}
    for block in blocks:
        name = _text(block.get(key))
        if name and name in lines:
            file.complain(
                block.line_of(key),
                f"{key} {shown(name)} is there twice, first at line {lines[name]}",
                "rename one",
            )
        elif name:
            lines[name] = block.line_of(key)


def _commands(node: Node) -> Iterator[tuple[int, list[str]]]:
    """Every fleetcast command in the scripts below a node, with its line; without the program's own name."""
    for key, value in _pairs(node):
        if key in _RUN_KEYS and isinstance(value, Scalar):
            text = value.text.replace("\\\n", " ")
            for number, line in enumerate(text.splitlines()):
                if line.strip().startswith("fleetcast "):
                    yield value.line + number * ("\n" in value.text), _words(line)


def _words(line: str) -> list[str]:
    text = _FILLED_IN.sub(PLACEHOLDER, line)
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    return words[1:]


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """Every key below a node with its value."""
    if isinstance(node, Block):
        for key, value in node.items():
            yield key, value
            yield from _pairs(value)
    elif isinstance(node, Items):
        for value in node:
            yield from _pairs(value)


def _texts(node: Node) -> Iterator[tuple[int, str]]:
    """Every single value below a node."""
    if isinstance(node, Scalar):
        yield node.line, node.text
    else:
        for value in node.values() if isinstance(node, Block) else node:
            yield from _texts(value)


def _steps(job: Block) -> Iterator[Block]:
    """The steps of a job, those in its strategy as well."""
    for key, value in _pairs(job):
        if key == "steps":
            yield from _blocks(value)


def _blocks(node: Node | None) -> Sequence[Block]:
    return [one for one in node if isinstance(one, Block)] if isinstance(node, Items) else []


def _scalars(node: Node | None) -> Iterator[Scalar]:
    """A single value, or those of a list."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Items):
        yield from (one for one in node if isinstance(one, Scalar))


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _is_blank(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and not node.text.strip())
