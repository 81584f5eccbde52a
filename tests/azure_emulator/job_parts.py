"""What a job is made of: where its inputs come from, where its outputs go, and the steps of a pipeline in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.azure_emulator.messages import Json, Refused, part, text
from tests.azure_emulator.scope import Scopes

LITERAL = "literal"
_HOLE = re.compile(r"\$\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_STEP_OUTPUT = re.compile(r"parent\.jobs\.([A-Za-z0-9_]+)\.outputs\.([A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Binding:
    """What stands for an input or an output: a value, or a URI."""

    said: str
    kind: str = LITERAL
    """`literal`, `uri_folder`, `uri_file` and so on."""
    mode: str = ""

    @property
    def is_file(self) -> bool:
        return self.kind in {"uri_file", "mltable_file"}

    @property
    def is_local(self) -> bool:
        """Whether the command is given a path of its machine."""
        return self.kind != LITERAL and self.mode.lower() != "direct"


Bindings = Mapping[str, Binding]


@dataclass(frozen=True, slots=True)
class Program:
    """One command, with all that it needs."""

    command: str
    code: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def root_inputs(properties: Json) -> Bindings:
    """The inputs of a job that was submitted."""
    return {
        name: Binding(
            text(said, "uri") or str(said.get("value", "")),
            text(said, "jobInputType") or LITERAL,
            text(said, "mode"),
        )
        for name, said in part(properties, "inputs").items()
        if isinstance(said, dict)
    }


def outputs_of(job: str, declared: Json, bound: Json, parents: Bindings) -> Bindings:
    """Where the outputs of a job or of a step go: where it is said, where the parent's go, or to a place of its own."""
    outputs = {}
    for name in {**declared, **bound}:
        said, kind = part(bound, name), part(declared, name)
        own = f"azureml://datastores/workspaceblobstore/paths/azureml/{job}/{name}"
        hole = _HOLE.fullmatch(text(said, "value"))
        parent = parents.get(hole[1].removeprefix("parent.outputs.")) if hole is not None else None
        uri = text(said, "uri") or (parent.said if parent is not None else own)
        outputs[name] = Binding(
            uri,
            text(said, "jobOutputType")
            or text(said, "job_output_type")
            or text(kind, "type")
            or "uri_folder",
            text(said, "mode") or text(kind, "mode") or "ReadWriteMount",
        )
    return outputs


def step_inputs(step: Json, declared: Json, parents: Bindings, done: Mapping[str, Bindings]) -> Bindings:
    """The inputs of a step, which may be its parent's or another step's outputs.

    Raises:
        Refused: One of them is bound to nothing that is there.
    """
    inputs = {}
    for name in {**declared, **part(step, "inputs")}:
        said, kind = part(step, "inputs", name), part(declared, name)
        mode = text(said, "mode") or text(kind, "mode")
        type_ = text(said, "job_input_type") or text(said, "jobInputType")
        plain = text(said, "uri") or said.get("value", kind.get("default"))
        if plain is None:
            if kind.get("optional") is True:
                continue
            raise Refused(400, "UserError", f"The input {name} has no value.")
        whole = _HOLE.fullmatch(str(plain))
        if whole is not None:
            bound = _bound(whole[1], parents, done)
            inputs[name] = Binding(bound.said, bound.kind, mode or bound.mode)
            continue
        value = _HOLE.sub(lambda hole: _bound(hole[1], parents, done).said, str(plain))
        inputs[name] = Binding(value, type_ or LITERAL, mode)
    return inputs


def _bound(name: str, parents: Bindings, done: Mapping[str, Bindings]) -> Binding:
    step = _STEP_OUTPUT.fullmatch(name)
    there, key = (
        (done.get(step[1], {}), step[2])
        if step is not None
        else (parents, name.removeprefix("parent.inputs."))
    )
    found = there.get(key)
    if found is None:
        raise Refused(400, "UserError", f"There is no {name}.")
    return found


def in_order(steps: Json) -> Sequence[tuple[str, Json]]:
    """The steps of a pipeline, each after those whose outputs it reads.

    Raises:
        Refused: They wait for each other.
    """
    waiting = {name: said for name, said in steps.items() if isinstance(said, dict)}
    ordered: list[tuple[str, Json]] = []
    while waiting:
        ready = [name for name, said in waiting.items() if not _needed(said) & (set(waiting) - {name})]
        if not ready:
            raise Refused(400, "UserError", f"The steps {', '.join(waiting)} wait for each other.")
        ordered += [(name, waiting.pop(name)) for name in ready]
    return ordered


def _needed(step: Json) -> set[str]:
    values = [str(said.get("value", "")) for said in part(step, "inputs").values() if isinstance(said, dict)]
    return {found[1] for value in values for found in _STEP_OUTPUT.finditer(value)}


def filled(command: str, place: Callable[[str], str | None]) -> str:
    """A command with values in its holes; optional parts go where one of theirs has none.

    Raises:
        Refused: A hole has no value.
    """

    def value(hole: re.Match[str]) -> str:
        found = place(hole[1])
        if found is None:
            raise Refused(400, "UserError", f"There is no {hole[1]} for the command.")
        return found

    def optional(found: re.Match[str]) -> str:
        holes = _HOLE.findall(found[1])
        return found[1] if all(place(hole) is not None for hole in holes) else ""

    return _HOLE.sub(value, _OPTIONAL.sub(optional, command))


def component_of(step: Json, scopes: Scopes) -> Json:
    """What a step runs.

    Raises:
        Refused: There is no such component, or none that the emulator can run.
    """
    reference = text(step, "componentId")
    if not reference:
        raise Refused(400, "UserError", "The emulator runs steps that name their component.")
    found = part(scopes.resolve(reference).body, "properties", "componentSpec")
    if text(found, "type") not in {"command", "pipeline"}:
        raise Refused(400, "UserError", f"The emulator cannot run a component of type {text(found, 'type')}.")
    return found


def check(properties: Json, scopes: Scopes) -> None:
    """See whether all is there that a job needs.

    Raises:
        Refused: Something is not.
    """
    match text(properties, "jobType"):
        case "Command":
            if not text(properties, "command"):
                raise Refused(400, "UserError", "A command job needs a command.")
            scopes.resolve(text(properties, "environmentId"))
            if text(properties, "codeId"):
                scopes.resolve(text(properties, "codeId"))
            names = {f"{kind}.{name}" for kind in ("inputs", "outputs") for name in part(properties, kind)}
            filled(text(properties, "command"), lambda hole: hole if hole in names else None)
        case "Pipeline":
            check_steps(part(properties, "jobs"), root_inputs(properties), scopes)
        case other:
            raise Refused(400, "UserError", f"The emulator cannot run a job of type {other}.")


def check_steps(steps: Json, inputs: Bindings, scopes: Scopes) -> None:
    """See whether a pipeline's steps can be run.

    Raises:
        Refused: One cannot.
    """
    if not steps:
        raise Refused(400, "UserError", "A pipeline needs steps.")
    done: dict[str, Bindings] = {}
    for name, step in in_order(steps):
        spec = component_of(step, scopes)
        given = step_inputs(step, part(spec, "inputs"), inputs, done)
        done[name] = outputs_of(name, part(spec, "outputs"), part(step, "outputs"), {})
        if text(spec, "type") == "pipeline":
            check_steps(part(spec, "jobs"), given, scopes)
