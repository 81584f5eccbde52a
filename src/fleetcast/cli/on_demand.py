"""Groups of commands that are made when somebody asks for them: making all sixty takes a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    Commands = Mapping[str, Any]


class _Made(Mapping[str, Any]):
    """The commands of a group by their names."""

    def __init__(self, of: typer.Typer) -> None:
        self._of = of

    @cached_property
    def _commands(self) -> Commands:
        return typer.main.get_group(self._of).commands

    def __getitem__(self, name: str) -> Any:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def root_with(groups: Mapping[str, typer.Typer]) -> type[TyperGroup]:
    """The outermost group: the commands it is given, and after them these groups.

    Args:
        groups: By their names. Each is an app that was made with `help` and `no_args_is_help` and has no callback.
    """

    class Root(TyperGroup):
        def __init__(self, *, commands: dict[str, Any], **told: Any) -> None:
            on_demand = {
                name: TyperGroup(
                    name=name,
                    commands=_Made(of),  # type: ignore[arg-type]  # nobody puts anything into it
                    help=str(of.info.help),
                    no_args_is_help=bool(of.info.no_args_is_help),
                    rich_markup_mode=told.get("rich_markup_mode"),
                )
                for name, of in groups.items()
            }
            super().__init__(commands={**commands, **on_demand}, **told)

    return Root
