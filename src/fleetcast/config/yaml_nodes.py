"""What a YAML file holds, with the line of every key and value, before anything is known of its meaning."""

from __future__ import annotations

from typing import TypeAlias


class Scalar:
    """A single value as it is written; what it means depends on the setting it belongs to."""

    __slots__ = ("line", "plain", "text")

    def __init__(self, text: str, line: int, *, plain: bool) -> None:
        self.text = text
        self.line = line
        self.plain = plain
        """Written without quotes, so that it may be a number, a truth value or nothing."""

    @property
    def empty(self) -> bool:
        """Whether this is YAML's null."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


class Block(dict[str, "Node"]):
    """Keys and their values; a real `dict`, so that Pydantic reads it as it is."""

    __slots__ = ("key_lines", "line")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.key_lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """The line of a key, or of the block where there is no such key."""
        return self.key_lines.get(key, self.line)

    def without(self, keys: frozenset[str]) -> Block:
        """The same block, lacking some keys."""
        rest = Block(self.line)
        rest.update({key: value for key, value in self.items() if key not in keys})
        rest.key_lines = self.key_lines
        return rest


class Items(list["Node"]):
    """Values in order."""

    __slots__ = ("line",)

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


Node: TypeAlias = Scalar | Block | Items


def line_at(root: Node | None, *path: str) -> int | None:
    """The line of a key inside keys; None where it is not written."""
    node, line = root, None
    for key in path:
        if not isinstance(node, Block) or key not in node:
            return None
        line, node = node.line_of(key), node[key]
    return line


def kind_of(node: object) -> str:
    """What a node is, in words."""
    if isinstance(node, Block):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Scalar) and node.empty:
        return "nothing"
    return "a single value"
