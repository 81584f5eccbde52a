"""Reading an `MLmodel` file: what a model wants and states, and that it stays in its folder. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.errors import BadInput
from fleetcast.domain.foreign import (
    TIMESTAMP,
    AnyFrame,
    ForeignDescription,
    ModelInput,
    NamedColumns,
    Window,
)

FILE = "MLmodel"
_ELSEWHERE = frozenset({"uri"})
"""Keys that tell where a file came from; it is not looked for there."""
_CODE = "model_code_path"
"""MLflow writes where the code was when the model was saved, and loads the file of that name in the folder."""
_DTYPES = frozenset(
    ["float16", "float32", "float64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
)
_STATED = ("run_id", "model_uuid", "model_id", "mlflow_version", "utc_time_created", "model_size_bytes")
_ABSENT = Scalar("", 0, plain=True)


def describe(folder: Path) -> ForeignDescription:
    """Read the description of a model folder.

    Raises:
        BadInput: There is none, it cannot be read, has no Python function, or names paths outside the folder.
    """
    complaints = Complaints()
    if not (folder / FILE).is_file():
        raise BadInput(f"{folder} has no file {FILE}", fix="name a folder that MLflow saved a model to")
    root = read_yaml(folder / FILE, str(folder / FILE), complaints)
    complaints.raise_any()
    function = _inside(root, "flavors", "python_function")
    if not isinstance(root, Block) or not isinstance(function, Block):
        raise BadInput(
            f"{folder / FILE} has no flavor `python_function`",
            fix="save the model with an MLflow flavor that `mlflow.pyfunc` can load",
        )
    for line, key, path in _paths(function):
        if key == _CODE:
            _check_code(folder, line, path)
        elif PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
            raise BadInput(
                f"{folder / FILE}:{line}: {path[:80]!r} leaves the model's folder",
                fix="save the model again with MLflow, so that it holds all its files",
            )
    wants = _wants(root, folder / FILE)
    return ForeignDescription(wants, _lookback(root, wants), _stated(root))


def _inside(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Block) else None
    return node


def _check_code(folder: Path, line: int, path: str) -> None:
    name = PureWindowsPath(path).name
    written = PurePosixPath(path).name
    if not (folder / name).is_file():
        raise BadInput(
            f"{folder / FILE}:{line}: the model's code {name[:80]!r} is not in its folder",
            fix="copy it there from where the model was saved, or save the model again with MLflow",
        )
    if name != written:
        raise BadInput(
            f"{folder / FILE}:{line}: MLflow does not find {path[:80]!r} here, a path of another system",
            fix=f"write `{_CODE}: {name}`: the file of that name is in the folder",
        )


def _paths(node: Node, key: str = "") -> Iterator[tuple[int, str, str]]:
    """Every single value of a flavor, with its key: MLflow joins several of them to the folder."""
    if isinstance(node, Block):
        for name, value in node.items():
            if name not in _ELSEWHERE:
                yield from _paths(value, name)
    elif isinstance(node, Items):
        for value in node:
            yield from _paths(value, key)
    else:
        yield node.line, key, node.text


def _stated(root: Block) -> dict[str, str]:
    flavors = root["flavors"]
    said = {"flavors": ", ".join(sorted(flavors))} if isinstance(flavors, Block) else {}
    for name in _STATED:
        value = root.get(name, _ABSENT)
        if isinstance(value, Scalar) and not value.empty:
            said[name] = value.text[:200]
    return said


def _lookback(root: Block, wants: ModelInput) -> int | None:
    if isinstance(wants, Window) and wants.steps is not None:
        return wants.steps
    said = _inside(root, "metadata", "lookback")
    if not isinstance(said, Scalar) or said.empty:
        return None
    if not said.text.isdecimal() or not 1 <= int(said.text) <= 1_000_000:
        raise BadInput(
            f"metadata.lookback of the model is {said.text[:40]!r}, not a number of steps",
            fix="write a whole number of steps from 1 to 1000000",
        )
    return int(said.text)


def _wants(root: Block, file: Path) -> ModelInput:
    written = _inside(root, "signature", "inputs")
    if not isinstance(written, Scalar) or written.empty:
        return AnyFrame()
    try:
        columns = json.loads(written.text)
        kinds = {column.get("type") for column in columns}
        if kinds == {"tensor"}:
            return _window(columns)
        if not columns or not all(isinstance(column.get("name"), str) for column in columns):
            return AnyFrame()
        types = {column["name"]: str(column.get("type", "any")) for column in columns}
        optional = frozenset(column["name"] for column in columns if column.get("required") is False)
        return NamedColumns(tuple(types), optional, types.get(TIMESTAMP) != "datetime", types)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise BadInput(
            f"{file}:{written.line}: the signature cannot be read: {error}",
            fix="save the model again with MLflow's `infer_signature`",
        ) from error


def _window(columns: list[dict[str, dict[str, object]]]) -> ModelInput:
    shape = columns[0]["tensor-spec"]["shape"]
    dtype = str(columns[0]["tensor-spec"]["dtype"])
    if len(columns) != 1 or not isinstance(shape, list) or len(shape) != 3 or dtype not in _DTYPES:
        raise ValueError("only one array of numbers with shape (windows, steps, sensors) is given")
    steps, width = (size if isinstance(size, int) and size > 0 else None for size in shape[1:])
    return Window(steps, width, dtype)
