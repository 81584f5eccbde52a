"""Releases: numbered at their endpoint, kept for ever, and live by what the log says."""

from __future__ import annotations

import pytest

from fleetcast.domain.audit import about_release
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease, Release, ServedModel
from fleetcast.platforms.control.releases import ControlReleaseBook
from fleetcast.ports.platform import Platform
from fleetcast.stored.form import Unreadable
from tests.clocks import NOON
from tests.contracts.samples import ADA, digest
from tests.logs import is_whole

PROD, TEST = EnvironmentName.PROD, EnvironmentName.TEST
LYON, PARIS = Endpoint(PROD, "LYON"), Endpoint(PROD, "PARIS")


def release(endpoint: Endpoint, version: int, *removed: str) -> Release:
    model = ServedModel("lyon-a", version, digest(f"artifact {version}"), digest(f"hash {version}"))
    return Release(endpoint.environment, endpoint.plant, "1.0.0", {"a": model}, removed)


def numbers(releases: object) -> list[str]:
    assert isinstance(releases, list)
    return [str(one) for one in releases]


def typed(platform: Platform, statement: str) -> None:
    """What somebody does who can write to the table."""
    book = platform.control.releases
    assert isinstance(book, ControlReleaseBook)
    book.session.change(lambda connection: connection.exec_driver_sql(statement))


def test_releases_are_counted_at_each_endpoint_and_the_same_content_is_one(platform: Platform) -> None:
    book = platform.control.releases
    assert numbers(book.keep([release(LYON, 1), release(PARIS, 1), release(LYON, 2)])) == [
        "prod/LYON:1",
        "prod/PARIS:1",
        "prod/LYON:2",
    ]
    test = Endpoint(TEST, "LYON")
    assert numbers(book.keep([release(LYON, 1), release(test, 1), release(LYON, 3), release(LYON, 3)])) == [
        "prod/LYON:1",
        "test/LYON:1",
        "prod/LYON:3",
        "prod/LYON:3",
    ]
    assert book.keep([]) == []
    assert numbers(book.history(LYON, 2)) == ["prod/LYON:3", "prod/LYON:2"]
    assert {plant: str(one) for plant, one in book.newest(PROD).items()} == {
        "LYON": "prod/LYON:3",
        "PARIS": "prod/PARIS:1",
    }
    assert book.history(Endpoint(TEST, "PARIS"), 5) == []


def test_a_release_comes_back_as_it_was_composed(platform: Platform) -> None:
    composed = release(LYON, 1, "c", "b")
    (kept,) = platform.control.releases.keep([composed])
    assert kept == NumberedRelease(1, composed, NOON, ADA.name)
    found = platform.control.releases.find(LYON, 1)
    assert found == kept
    assert found.release.digest == composed.digest
    assert found.release.removed == ("b", "c")
    assert platform.control.releases.digests() == {"prod/LYON:1": composed.digest}
    with pytest.raises(BadInput, match="no release prod/LYON:2"):
        platform.control.releases.find(LYON, 2)


def test_what_is_live_changes_with_an_entry_and_a_repeat_without(platform: Platform) -> None:
    book = platform.control.releases
    first, second, other = book.keep([release(LYON, 1), release(LYON, 2), release(PARIS, 1)])
    assert book.live(PROD) == {}
    book.make_live([first, other])
    book.make_live([first])
    book.make_live([second])
    assert book.live(PROD) == {"LYON": second, "PARIS": other}
    assert book.live(TEST) == {}
    about = about_release("prod/LYON")
    told = [
        (entry.event.action, entry.event.subject, entry.event.detail.get("before"))
        for entry in platform.control.audit.about([about])[about]
    ]
    assert told == [
        ("release.composed", "prod/LYON:1", None),
        ("release.composed", "prod/LYON:2", None),
        ("release.made_live", "prod/LYON:1", None),
        ("release.made_live", "prod/LYON:2", 1),
    ]
    assert is_whole(platform.control.audit)


def test_what_was_never_kept_cannot_be_live(platform: Platform) -> None:
    book = platform.control.releases
    (kept,) = book.keep([release(LYON, 1)])
    for stranger in (
        NumberedRelease(2, release(LYON, 2), NOON, ADA.name),
        NumberedRelease(2, kept.release, NOON, ADA.name),
    ):
        with pytest.raises(BadInput, match="never kept"):
            book.make_live([kept, stranger])
    assert book.live(PROD) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE releases SET content = '{'",
        "UPDATE releases SET number = 7",
        "UPDATE releases SET plant = 'PARIS'",
        "UPDATE releases SET digest = 'x'",
        f"UPDATE releases SET digest = '{digest('another').hex}'",
        "UPDATE releases SET content = replace(content, '1.0.0', '1.1.0')",
    ],
)
def test_a_row_that_was_typed_is_no_release(platform: Platform, statement: str) -> None:
    book = platform.control.releases
    book.keep([release(LYON, 1)])
    typed(platform, statement)
    with pytest.raises(Unreadable, match="releases prod"):
        book.newest(PROD)


def test_a_live_row_that_points_nowhere_is_named(platform: Platform) -> None:
    book = platform.control.releases
    book.make_live(book.keep([release(LYON, 1)]))
    typed(platform, "UPDATE live_releases SET number = 7")
    with pytest.raises(Unreadable, match="live_releases prod/LYON"):
        book.live(PROD)
