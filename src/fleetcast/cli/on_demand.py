"""Commands that are made when somebody asks for them: loading and making all takes longer than what many of them do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer

from fleetcast.cli.commands import Listed
from fleetcast.cli.in_fleet import InFleet
from fleetcast.cli.shown_help import Group, Root

if TYPE_CHECKING:
    Commands = Mapping[str, Any]


class _Made(Mapping[str, Any]):
    """The commands of a group by their names, made all at once."""

    def __init__(self, of: typer.Typer, rich_markup_mode: Any) -> None:
        self._of = of
        self._of.rich_markup_mode = rich_markup_mode
        for command in of.registered_commands:
            command.cls = InFleet

    @cached_property
    def _commands(self) -> Commands:
        return typer.main.get_group(self._of).commands

    def __getitem__(self, name: str) -> Any:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


class _Loaded(Mapping[str, Any]):
    """Commands and groups by their names, each loaded and made by itself."""

    def __init__(self, listed: Mapping[str, Listed], rich_markup_mode: Any) -> None:
        self._listed = listed
        self._rich_markup_mode = rich_markup_mode
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            module, _, attribute = self._listed[name].place.partition(":")
            self._made[name] = self._make(name, getattr(import_module(module), attribute))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def _make(self, name: str, told: Any) -> Any:
        if isinstance(told, typer.Typer):
            return Group(
                name=name,
                commands=_Made(told, self._rich_markup_mode),  # type: ignore[arg-type]  # nobody puts anything into it
                help=str(told.info.help),
                no_args_is_help=bool(told.info.no_args_is_help),
                rich_markup_mode=self._rich_markup_mode,
            )
        alone = typer.Typer(add_completion=False, rich_markup_mode=self._rich_markup_mode)
        alone.command(name, cls=InFleet)(told)
        return typer.main.get_command(alone)


def root_with(listed: Mapping[str, Listed]) -> type[Root]:
    """The outermost group, with these commands and groups in this order.

    Args:
        listed: By their names. Where one is stands the function of a command, or the app of a group that was made with
            `help` and `no_args_is_help` and has no callback.
    """

    class Loading(Root):
        def __init__(self, *, commands: dict[str, Any], **told: Any) -> None:
            super().__init__(commands=commands, **told)
            self.commands = _Loaded(listed, told.get("rich_markup_mode"))  # type: ignore[assignment]  # as above

    return Loading
