from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location, climbs, file_uri


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///share/fleet", "/share/fleet"),
        ("file:///share/a%20b/%C3%BC%23%2520%5Bx%5D", "/share/a b/ü#%20[x]"),
        ("file:///share/a b", "/share/a b"),
        ("file:///share/a..b", "/share/a..b"),
    ],
)
def test_a_file_uri_names_a_folder_of_this_machine(uri: str, folder: str) -> None:
    assert Location(uri).folder == Path(folder)
    assert Location(file_uri(Path(folder))).folder == Path(folder)


def test_what_is_below_a_folder_may_have_any_name() -> None:
    assert (Location("file:///share/a%20b") / "my #1").folder == Path("/share/a b/my #1")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///share/../etc",
        "file:///share/%2e%2e/etc",
        "file:///share/.%2E/etc",
        "file:///share/%252e%252e/etc",
        "file:///share%2F..%2Fetc",
        "file:///share/..%5cetc",
        "file:///share/%00",
        "s3://bucket/../other",
        "s3://bucket/%2e%2e/other",
        "s3://%2e%2e/other",
        "abfss://c@account.dfs.core.windows.net/../x",
    ],
)
def test_a_uri_that_leads_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(BadInput) as caught:
        Location(uri)
    assert caught.value.fix


@pytest.mark.parametrize("uri", ["file:///a#b", "file:///a?b"])
def test_a_folder_name_that_ends_a_uri_early_is_no_secret(uri: str) -> None:
    with pytest.raises(BadInput, match="which end the path of a URI") as caught:
        Location(uri)
    assert "%23" in caught.value.fix


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b", False),
        ("a b/ü#%20[x]", False),
        ("100%", False),
        ("%41/%2e", False),
        ("a..b/...", False),
        ("..", True),
        ("a/../b", True),
        ("a\\..\\b", True),
        ("%2e%2e/b", True),
        ("%2E./b", True),
        ("%252e%252e/b", True),
        ("a%2fb", True),
        ("a%00", True),
    ],
)
def test_a_path_climbs_if_anybody_may_read_it_as_leading_elsewhere(path: str, *, expected: bool) -> None:
    assert climbs(path) is expected
