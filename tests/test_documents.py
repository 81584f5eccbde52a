"""Documents that stay true: what they name exists, and nothing names a machine or a package registry."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from fleetcast.domain.branch import LEADS_TO, WrongBranch, check_branch
from fleetcast.domain.place import EnvironmentName

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "docs" / "decisions"
BINARY = {".png", ".gz", ".parquet", ".ico", ".woff2", ".safetensors"}
REGISTRIES = tuple(
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
    )
)
"""In pieces, so that this file does not name one either."""
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:work|root|home)/\w")
REQUIREMENT = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;]+)(?: ; [^\\]+?)?(?P<hashes>(?: --hash=\S+)*)$"
)


class Pin(NamedTuple):
    """One requirement of a constraints file."""

    version: str
    hashes: tuple[str, ...]


def tracked_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def pins(name: str) -> Mapping[str, Pin]:
    """The requirements of a constraints file; a line that is not one fails the test that reads it."""
    text = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8")
    code = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    found = {}
    for line in re.sub(r"\s*\\\n\s*", " ", code).splitlines():
        match = REQUIREMENT.match(line)
        assert match, f"constraints/{name}.txt: not a pinned requirement: {line[:120]}"
        found[match["name"]] = Pin(match["version"], tuple(match["hashes"].split()))
    return found


def test_every_source_path_that_the_architecture_names_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|toml)|(?:[\w-]+/)+)`", text))
    missing = {
        path for path in named if not (ROOT / path).exists() and not (ROOT / "src/fleetcast" / path).exists()
    }
    assert len(named) > 40
    assert not missing


def test_the_architecture_names_every_layer_of_the_import_contract() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = [
        name.strip().removeprefix("fleetcast.")
        for contract in settings["tool"]["importlinter"]["contracts"]
        for row in contract.get("layers", ())
        for name in re.split(r"[|:]", row)
        if not name.strip().startswith("(")  # a layer that is not built yet
    ]
    assert "domain" in layers
    assert not [name for name in layers if f"`{name}/`" not in text and f"`{name}.py`" not in text]


def test_the_page_on_branches_says_what_is_enforced() -> None:
    page = (ROOT / "docs" / "BRANCHING.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| (\w+) \|", page, re.MULTILINE))
    assert {rows[branch] for branch in LEADS_TO.values()} == {name.value for name in LEADS_TO}
    assert {name.value: branch for name, branch in LEADS_TO.items()} == {
        leads: branch for branch, leads in rows.items() if branch in LEADS_TO.values()
    }
    with pytest.raises(WrongBranch) as refused:
        check_branch(EnvironmentName.TEST, "develop")
    assert f"`{refused.value}`" in page


def test_every_decision_is_in_the_index() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    assert records
    assert re.findall(r"\]\((\d[^)]*\.md)\)", index) == records


def test_every_dependency_has_its_reason_and_its_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (DECISIONS / "0002-dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    for pinned, declared in (
        ("core", project["dependencies"]),
        ("dev", [*extras["dev"], *extras["mlflow"], *extras["postgres"]]),
        ("bench", extras["bench"]),
    ):
        names = [re.split(r"[<>=!~\[ ]", entry)[0] for entry in declared]
        names = [name for name in names if name != project["name"]]
        assert not [name for name in names if not re.search(rf"^\|.*\b{name}\b.*\|", reasons, re.MULTILINE)]
        assert not {re.sub("[._]", "-", name.lower()) for name in names} - pins(pinned).keys()


@pytest.mark.parametrize("name", ["core", "dev", "bench"])
def test_every_pinned_requirement_has_a_hash(name: str) -> None:
    pinned = pins(name)
    assert pinned
    assert not [
        package
        for package, pin in pinned.items()
        if not pin.hashes or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text) for text in pin.hashes)
    ]


def test_each_set_of_constraints_lies_within_the_next() -> None:
    core, dev, bench = (pins(name).items() for name in ("core", "dev", "bench"))
    assert core <= dev <= bench


@pytest.mark.parametrize("path", sorted((ROOT / "constraints").rglob("*.txt")), ids=lambda path: path.name)
def test_constraints_hold_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


def test_no_file_names_a_package_registry() -> None:
    naming = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked_texts()
        for host in REGISTRIES
        if host in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not naming


def test_no_file_names_a_path_of_one_machine() -> None:
    naming = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked_texts()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if MACHINE_PATH.search(line)
    ]
    assert not naming


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in tracked_texts()
        if document.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken
