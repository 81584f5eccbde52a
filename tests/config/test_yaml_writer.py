"""What is written as YAML is read back as the same values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar
from fleetcast.config.yaml_reader import parse_yaml
from fleetcast.config.yaml_writer import block_lines

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    [
        "",
        "yes",
        "null",
        "~",
        "1.0",
        "0x1f",
        "- a",
        "a: b",
        "a #b",
        "'",
        '"',
        "#",
        "*x",
        "&x",
        "!t",
        "%",
        " a",
        "a ",
        "\t",
    ]
)
KEYS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


def block_of(values: dict[str, Node]) -> Block:
    block = Block(0)
    block.update(values)
    return block


def items_of(values: list[Node]) -> Items:
    items = Items(0)
    items.extend(values)
    return items


QUOTED = TEXTS.map(lambda text: Scalar(text, 0, plain=False))
NODES: st.SearchStrategy[Node] = st.recursive(
    QUOTED,
    lambda inner: (
        st.dictionaries(KEYS, inner, max_size=3).map(block_of) | st.lists(inner, max_size=3).map(items_of)
    ),
    max_leaves=6,
)


def meant(node: Node | None) -> object:
    """What a node means: a text that is nothing in plain spelling must have been quoted."""
    if isinstance(node, Block):
        return {key: meant(value) for key, value in node.items()}
    if isinstance(node, Items):
        return [meant(value) for value in node]
    assert node is not None
    return "nothing" if node.empty else node.text


@given(st.dictionaries(KEYS, NODES, min_size=1, max_size=4).map(block_of))
def test_texts_lists_and_mappings_survive(block: Block) -> None:
    complaints = Complaints()
    text = "\n".join(block_lines(block, 0))
    read = parse_yaml(text.encode(), "file", complaints)
    complaints.raise_any()
    assert meant(read) == meant(block)


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,4})?|true|false|1h|2025-11-30", fullmatch=True))
def test_a_number_stays_a_number_and_a_text_a_text(text: str) -> None:
    complaints = Complaints()
    for plain in (True, False):
        block = block_of({"a": Scalar(text, 0, plain=plain)})
        read = parse_yaml("\n".join(block_lines(block, 0)).encode(), "file", complaints)
        assert isinstance(read, Block)
        found = read["a"]
        assert isinstance(found, Scalar)
        assert found.text == text
        if plain:
            assert found.plain
        elif text != "1h":
            assert not found.plain
