"""Who on record wrote a commit."""

from __future__ import annotations

import pytest

from fleetcast.domain.commit import Writer, known_writers, unknown_writers
from fleetcast.domain.people import OPEN, Directory, Person

ANNA = Person("p-1", "anna.berg", aliases=("Anna Berg", "anna@example.org"))
GRACE = Person("p-2", "grace", full_name="Grace Hopper")
PEOPLE = Directory((ANNA, GRACE))


@pytest.mark.parametrize(
    ("writer", "names"),
    [
        (Writer("anna.berg", "x@x.org"), ["anna.berg"]),
        (Writer("ANNA BERG", "x@x.org"), ["anna.berg"]),
        (Writer("A. B.", "Anna@Example.org"), ["anna.berg"]),
        (Writer(" Anna Berg "), ["anna.berg"]),
        (Writer("Grace", "anna@example.org"), ["grace", "anna.berg"]),
        (Writer("Grace Hopper", ""), []),
        (Writer("", ""), []),
        (Writer("anna", "berg@example.org"), []),
    ],
)
def test_a_writer_is_who_has_that_name_or_that_address_as_an_alias(writer: Writer, names: list[str]) -> None:
    assert [actor.name for actor in known_writers(PEOPLE, [writer])] == names
    assert unknown_writers(PEOPLE, [writer]) == (() if names else (writer,))
    assert known_writers(OPEN, [writer]) == ()


def test_two_spellings_of_one_human_are_one() -> None:
    spellings = [Writer("Anna Berg", "old@x.org"), Writer("ab", "ANNA@example.org")]
    assert [actor.person for actor in known_writers(PEOPLE, spellings)] == ["p-1"]
