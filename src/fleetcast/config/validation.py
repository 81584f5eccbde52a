"""From what Pydantic refuses to complaints at the line where it was written."""

from __future__ import annotations

import types
import typing
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleetcast.config.complaints import Complaints, nearest, shown
from fleetcast.config.scalars import Refused
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar, kind_of

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]


def validated(
    model: type[Model], block: Block, file: str, complaints: Complaints
) -> tuple[Model | None, frozenset[str]]:
    """Read a block as a model, and note all that is wrong with it.

    Returns:
        The model without what was refused, None if it cannot be without it; and the refused top-level keys.
    """
    try:
        return model.model_validate(block), frozenset()
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        _complain(model, block, detail, file, complaints)
    refused = frozenset(str(detail["loc"][0]) for detail in details if detail["loc"])
    try:
        return model.model_validate(block.without(refused)), refused
    except ValidationError:
        return None, refused


def _complain(
    model: type[BaseModel], block: Block, detail: ErrorDetails, file: str, complaints: Complaints
) -> None:
    location = detail["loc"]
    is_key = bool(location) and location[-1] == "[key]"
    if is_key:
        location = location[:-1]
    node, line = _find(block, location)
    name = _dotted(location)
    kind = detail["type"]
    if kind == "extra_forbidden":
        holder = _model_at(model, location[:-1])
        known = [field.alias or name for name, field in holder.model_fields.items()] if holder else ()
        complaints.add(
            file, line, f"unknown key {shown(str(location[-1]))}", nearest(str(location[-1]), known)
        )
    elif kind == "missing":
        complaints.add(file, line, f"`{name}` is missing", "write it here")
    elif isinstance(node, Scalar) and node.empty:
        complaints.add(file, line, f"`{name}`: has no value", "write one or remove the line")
    elif kind == "value_error" and isinstance(cause := detail["ctx"]["error"], Refused):
        complaints.add(file, line, f"{'key' if is_key else f'`{name}`:'} {cause}", cause.fix)
    else:
        wanted = "a list" if kind == "list_type" else "a mapping"
        complaints.add(file, line, f"`{name}`: must be {wanted}, not {kind_of(node)}")


def _find(block: Block, location: Location) -> tuple[Node, int]:
    """The node at a location and its line: that of its key if it has one."""
    node: Node = block
    line = block.line
    for part in location:
        if isinstance(node, Block) and isinstance(part, str):
            line = node.line_of(part)
            if part not in node:
                break
            node = node[part]
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
            node = node[part]
            line = node.line
    return node, line


def _dotted(location: Location) -> str:
    name = ""
    for part in location:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that reads the block at a location, if one does."""
    current: object = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel) and isinstance(part, str):
            field = current.model_fields.get(part)
            current = field.annotation if field else None
        else:
            current = typing.get_args(current)[-1] if typing.get_args(current) else None
        current = _without_none(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _without_none(annotation: object) -> object:
    if isinstance(annotation, types.UnionType):
        return next(option for option in typing.get_args(annotation) if option is not types.NoneType)
    return annotation
