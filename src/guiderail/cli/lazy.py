"""A group of commands that imports the module of a command only when that command runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command is: its module below `guiderail.cli`, its name there, and what help says.

    help: the line in the list of commands. headline: what it stands under in that list.
    """

    module: str
    attribute: str
    help: str
    headline: str = "Commands"


class LazyGroup(click.Group):
    """Lists the commands of a table without importing them."""

    def __init__(self, *args: Any, table: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(f"guiderail.cli.{entry.module}"), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"guiderail.cli.{entry.module}.{entry.attribute} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._table and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self._table, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for headline in dict.fromkeys(entry.headline for entry in self._table.values()):
            rows = [
                (name, entry.help)
                for name, entry in self._table.items()
                if entry.headline == headline
            ]
            with formatter.section(headline):
                formatter.write_dl(rows)
