"""People and tokens as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fleetcast.cli.plain_rich import Console
from fleetcast.cli.tables import Table, an_id, moments, numbers, show, words
from fleetcast.domain.people import Directory
from fleetcast.domain.token import Token
from fleetcast.views.people import by_name, granted, groups_of


def print_people(directory: Directory, console: Console) -> None:
    """Everybody who is on record."""
    if directory.is_open:
        console.print(
            "nobody is on record: whoever reaches the database may do what asks for nobody signed in"
        )
    columns = an_id("name"), words("kind"), words("also"), words("is"), words("in"), words("may")
    rows = [
        (
            person.name,
            f"{person.kind.value}, disabled" if person.disabled else person.kind.value,
            ", ".join(person.aliases) or None,
            "; ".join(proof.detail for proof in person.identities) or None,
            ", ".join(groups_of(directory, person)) or None,
            "; ".join(str(grant) for grant in granted(directory, person)) or None,
        )
        for person in by_name(directory)
    ]
    if rows:
        show(Table(columns, rows), console)


def print_tokens(tokens: Sequence[Token], directory: Directory, now: datetime, console: Console) -> None:
    """Tokens, without their secrets."""
    columns = (
        numbers("token"),
        an_id("of"),
        words("purpose"),
        words("state"),
        moments("until"),
        words("known", goes=1),
        words("only"),
    )
    rows = [
        (
            str(token.number),
            str(directory.person(token.person) or token.person),
            token.purpose,
            token.state(now).value,
            token.expires_at,
            token.standing.value,
            ", ".join(sorted(token.only)) or None,
        )
        for token in tokens
    ]
    show(Table(columns, rows, empty="No token. To make one:", then="fleetcast token create PURPOSE"), console)
