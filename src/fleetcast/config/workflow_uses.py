"""What the workflows of a fleet in GitHub name: environments, variables, secrets, and how they sign in to Azure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fleetcast.config.check_pipelines import GITHUB_FOLDER
from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.branch import LEADS_TO
from fleetcast.domain.wanted_github import GUARDS, PULL_REQUEST, SignIn, WorkflowUses

_VARIABLE = re.compile(r"\bvars\.([A-Za-z_][A-Za-z0-9_]*)")
_SECRET = re.compile(r"\bsecrets\.([A-Za-z_][A-Za-z0-9_]*)")
_GIVEN = frozenset({"GITHUB_TOKEN"})
"""Secrets that GitHub makes for each run."""
_CLIENT = "client-id"
"""The input of an action by which it is told as whom to sign in."""
_ACTION_FILES = ("action.yml", "action.yaml")


def workflow_uses(directory: Path) -> tuple[WorkflowUses, ...]:
    """Read every workflow of a fleet that runs fleetcast, in the order of their names.

    Raises:
        InvalidFleet: One of them is no YAML.
    """
    complaints = Complaints()
    found = []
    for path in sorted((directory / GITHUB_FOLDER).glob("*.y*ml")):
        file = f"{GITHUB_FOLDER}/{path.name}"
        root = read_yaml(path, file, complaints)
        if isinstance(root, Block) and "fleetcast" in path.read_text(encoding="utf-8", errors="replace"):
            found.append(_uses(directory, file, root, complaints))
    complaints.raise_any()
    return tuple(found)


def _uses(directory: Path, file: str, root: Block, complaints: Complaints) -> WorkflowUses:
    jobs = _jobs(root)
    environments = {name: _environment(job) for name, job in jobs.items()}
    texts = [*_texts(root), *(text for one in _actions(directory, root, complaints) for text in _texts(one))]
    is_validation = "pull_request" in _triggers(root)
    return WorkflowUses(
        file,
        environments=frozenset(name for name in environments.values() if name),
        variables=frozenset(name.upper() for text in texts for name in _VARIABLE.findall(text)),
        secrets=frozenset(name.upper() for text in texts for name in _SECRET.findall(text)) - _GIVEN,
        sign_ins=frozenset(
            SignIn(variable, claim)
            for name, job in jobs.items()
            for variable in _clients(job)
            for claim in _claims(root, environments[name], frozenset(filter(None, environments.values())))
        ),
        checks=frozenset(_check(name, job) for name, job in jobs.items()) if is_validation else frozenset(),
    )


def _jobs(root: Block) -> dict[str, Block]:
    jobs = root.get("jobs")
    found = jobs.items() if isinstance(jobs, Block) else ()
    return {name: job for name, job in found if isinstance(job, Block)}


def _check(name: str, job: Block) -> str:
    """What GitHub calls the check that a job is."""
    title = job.get("name")
    return title.text if isinstance(title, Scalar) and title.text else name


def _environment(job: Block) -> str:
    """The environment of a job; empty: none, or one that is only known when it runs."""
    environment = job.get("environment")
    name = environment.get("name") if isinstance(environment, Block) else environment
    return name.text if isinstance(name, Scalar) and "$" not in name.text else ""


def _triggers(root: Block) -> Block:
    """What starts a workflow. YAML reads the key `on` as a truth value in some hands: it is taken as it is written."""
    started = root.get("on")
    if isinstance(started, Block):
        return started
    names = started if isinstance(started, Items) else [started]
    found = Block(root.line)
    found.update({one.text: one for one in names if isinstance(one, Scalar)})
    return found


def _claims(root: Block, environment: str, all_environments: frozenset[str]) -> Iterator[str]:
    """What the token of a job says of it: GitHub names the environment where there is one, else what started it."""
    if environment:
        yield f"environment:{environment}"
        return
    triggers = _triggers(root)
    if "pull_request" in triggers:
        yield PULL_REQUEST
    push = triggers.get("push")
    branches = push.get("branches") if isinstance(push, Block) else None
    pushed = [one.text for one in branches if isinstance(one, Scalar)] if isinstance(branches, Items) else []
    by_hand = "workflow_dispatch" in triggers or "schedule" in triggers
    started = [LEADS_TO[GUARDS[gate]] for gate in GUARDS if gate in all_environments] if by_hand else []
    for branch in dict.fromkeys((*pushed, *started)):
        yield f"ref:refs/heads/{branch}"


def _clients(job: Block) -> Iterator[str]:
    """The variables that name as whom the steps of a job sign in."""
    steps = job.get("steps")
    for step in steps if isinstance(steps, Items) else ():
        told = step.get("with") if isinstance(step, Block) else None
        client = told.get(_CLIENT) if isinstance(told, Block) else None
        if isinstance(client, Scalar):
            yield from (name.upper() for name in _VARIABLE.findall(client.text))


def _actions(directory: Path, root: Block, complaints: Complaints) -> Iterator[Block]:
    """The actions of the fleet repository itself that a workflow uses."""
    used = {one.text.removeprefix("./") for one in _values(root, "uses") if one.text.startswith("./")}
    for place in sorted(used):
        path = next((one for name in _ACTION_FILES if (one := directory / place / name).is_file()), None)
        read = read_yaml(path, f"{place}/{path.name}", complaints) if path is not None else None
        if isinstance(read, Block):
            yield read


def _values(node: Node | None, key: str) -> Iterator[Scalar]:
    if isinstance(node, Block):
        value = node.get(key)
        if isinstance(value, Scalar):
            yield value
    for each in _inside(node):
        yield from _values(each, key)


def _texts(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    for each in _inside(node):
        yield from _texts(each)


def _inside(node: Node | None) -> Iterator[Node]:
    if isinstance(node, Block):
        yield from node.values()
    elif isinstance(node, Items):
        yield from node
