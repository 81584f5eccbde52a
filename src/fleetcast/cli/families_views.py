"""How model families look at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.output import say_next, say_wrapped
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, show, words
from fleetcast.views.families import FamilyShown


def print_families(families: Sequence[FamilyShown], console: Console) -> None:
    """Each family with what it does, and a line for each of its hyperparameters."""
    columns = an_id("hyperparameter"), words("values"), an_id("default"), words("what it is")
    for number, family in enumerate(families):
        if number:
            console.print()
        console.print(Text(family.name, "bold"))
        say_wrapped(console, f"  {family.says}")
        rows = [(each.name, each.values, each.default, each.says) for each in family.hyperparameters]
        show(Table(columns, rows, empty="It has no hyperparameters."), console)
    say_next(console, "\nTo give a circuit one, write it into config/circuits.yaml:", "model: linear")
