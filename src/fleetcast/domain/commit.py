"""Who wrote a commit, and who on record that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.audit import Actor
from fleetcast.domain.people import Directory, Person


@dataclass(frozen=True, slots=True, order=True)
class Writer:
    """An author or a committer, as git holds them: what whoever made the commit says, proven by nothing."""

    name: str
    email: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name


def on_record(directory: Directory, writer: Writer) -> tuple[Person, ...]:
    """Whom a writer may be: who goes by their name, or has their e-mail as a name or alias; nobody, one or two."""
    given = (text.strip() for text in (writer.name, writer.email))
    found = [directory.named(text) for text in given if text]
    return tuple(dict.fromkeys(person for person in found if person is not None))


def known_writers(directory: Directory, writers: Sequence[Writer]) -> tuple[Actor, ...]:
    """Those of some writers who are on record."""
    people = dict.fromkeys(person for writer in writers for person in on_record(directory, writer))
    return tuple(Actor(person.name, person=person.id) for person in people)


def unknown_writers(directory: Directory, writers: Sequence[Writer]) -> tuple[Writer, ...]:
    """Those of some writers who are on no record."""
    return tuple(writer for writer in writers if not on_record(directory, writer))
