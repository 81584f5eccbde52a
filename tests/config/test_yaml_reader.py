"""What the YAML reader takes, keeps and refuses."""

from __future__ import annotations

import pytest
import yaml

from fleetcast.config import yaml_reader
from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Scalar
from fleetcast.config.yaml_reader import parse_yaml
from fleetcast.domain.errors import InvalidFleet

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = getattr(yaml, "CSafeLoader", None) if request.param == "libyaml" else yaml.SafeLoader
    if loader is None:
        pytest.skip("this PyYAML has no libyaml")
    monkeypatch.setattr(yaml_reader, "_Events", loader)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a' is written twice, first at line 1"),
        (
            b"a: !!python/object:os.system x\n",
            "f.yaml:1: tag 'tag:yaml.org,2002:python/object:os.system' is not read",
        ),
        (b"a: !custom {b: 1}\n", "f.yaml:1: tag '!custom' is not read"),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2: a second document starts here"),
        (b"a:\n  b: 1\n\tc: 2\n", "indent with spaces, never with tabs"),
        (b"a: [1, 2\nb: 3\n", "f.yaml:2: YAML:"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: is not UTF-8"),
        (b"a: 1\nb: \x00\n", "f.yaml:"),
        (b'a: "\\ud800"\n', "f.yaml:1: "),
        (b"a: *b\n", "f.yaml:1: *b names no anchor before it"),
        (b"a: &a [*a]\n", "f.yaml:1: *a names no anchor before it"),
        (b"a: &a {b: 1}\nc:\n  <<: *a\n", "f.yaml:3: merge keys (<<) are not read"),
        (b"? [a, b]\n: 1\n", "f.yaml:1: a key must be a single value"),
        (b"a: &a [b]\n*a : 1\n", "f.yaml:2: a key must be a single value"),
        (b"[" * 30 + b"]" * 30, "f.yaml:1: is nested deeper than 20 levels"),
        (b"[" * 100_000, "f.yaml:1: is nested deeper than 20 levels"),
        (BOMB.encode(), "aliases repeat more than 100000 values"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_line(content: bytes, expected: str) -> None:
    complaints = Complaints()
    parse_yaml(content, "f.yaml", complaints)
    with pytest.raises(InvalidFleet) as caught:
        complaints.raise_any()
    assert any(expected in str(complaint) for complaint in caught.value.complaints)


def test_a_file_without_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "MAX_BYTES", 10)
    complaints = Complaints()
    assert parse_yaml(b"a: 1\n" * 10, "f.yaml", complaints) is None
    assert len(complaints) == 1


@pytest.mark.parametrize("text", ["001", "no", "1:30", "0o17", "2025-11-30", "1.10", "0x1F", "1_000"])
def test_a_value_keeps_its_spelling(text: str) -> None:
    root = parse_yaml(f"\nkey: {text}\n".encode(), "f.yaml", Complaints())
    assert isinstance(root, Block)
    value = root["key"]
    assert isinstance(value, Scalar)
    assert (value.text, value.line, root.key_lines["key"]) == (text, 2, 2)


def test_aliases_stand_for_what_they_name() -> None:
    root = parse_yaml(b"a: &a [x, y]\nb: *a\n", "f.yaml", Complaints())
    assert isinstance(root, Block)
    assert root["b"] is root["a"]
