"""Nodes out as YAML text, such that our reader reads the same values back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar

_PLAIN = re.compile(r"[A-Za-z0-9_.+/][A-Za-z0-9_.+/%() -]*(?<! )")
_NOT_TEXT = re.compile(
    r"[-+]?[.]?[0-9][0-9_.eE+-]*|~|null|true|false|yes|no|on|off|[-+]?[.]?(inf|nan)", re.IGNORECASE
)


def written(node: Node) -> str:
    """A node on one line."""
    if isinstance(node, Block):
        return "{" + ", ".join(f"{_key(key)}: {written(value)}" for key, value in node.items()) + "}"
    if isinstance(node, Items):
        return "[" + ", ".join(written(value) for value in node) + "]"
    return _scalar(node)


def block_lines(block: Block, indent: int) -> Iterator[str]:
    """A mapping as lines, one for each key; mappings of mappings go deeper, all else stays on its line."""
    for key, value in block.items():
        if isinstance(value, Block) and any(isinstance(inner, Block) for inner in value.values()):
            yield f"{' ' * indent}{_key(key)}:"
            yield from block_lines(value, indent + 2)
        else:
            yield f"{' ' * indent}{_key(key)}: {written(value)}"


def _key(key: str) -> str:
    return _scalar(Scalar(key, 0, plain=True))


def _scalar(node: Scalar) -> str:
    text = node.text
    if _PLAIN.fullmatch(text) and (node.plain or not _NOT_TEXT.fullmatch(text)):
        return text
    if node.plain and (node.empty or text == "-" or _NOT_TEXT.fullmatch(text)):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=False)
