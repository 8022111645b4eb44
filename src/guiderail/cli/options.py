"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from guiderail.core.csv_encoding import ENCODINGS

if TYPE_CHECKING:
    from guiderail.service.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

directory = click.argument(
    "directory", default=".", type=click.Path(path_type=Path), metavar="[DIR]"
)


def formats(*choices: str) -> Callable[[F], F]:
    """`--format`, text first."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(choices or ("text", "json")),
        default="text",
        help="What to print.",
        show_default=True,
    )


encoding = click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    help="How CSV files are written, where neither UTF-8 nor a byte order mark says so.",
)


act_as = click.option(
    "--as",
    "act_as",
    metavar="PERSON",
    help="Act as somebody else; only in a demo workspace, and recorded.",
)


key = click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Private key of a trusted runner, which signs; else the one in GUIDERAIL_RUNNER_KEY.",
)

statement_file = click.option(
    "--facts",
    "statement",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What a trusted runner measured about this release (guiderail check --attest).",
)

token_file = click.option(
    "--token",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The token of the CI that vouches for the facts, where no key signed them.",
)


class FileOrName(click.Path):
    """A path, or a name of MLflow (models:/..., runs:/...), of which a copy is fetched.

    What a name stood for is said on standard error, so that a figure can be repeated.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if isinstance(value, str) and value.startswith(("models:", "runs:")):
            from guiderail.service.fetch import fetched

            place = workspace_if_any(Path.cwd())
            found = fetched(value, place.cache if place is not None else None)
            click.echo(f"{value} is {found.pinned}, {found.digest}", err=True)
            return found.path
        path = super().convert(value, param, ctx)
        return path if isinstance(path, Path) else Path(str(path))


FILE_OR_NAME = FileOrName()


def workspace(act_as: str | None = None, near: Path | None = None) -> Workspace:
    """The workspace of a directory, else of the current one. Raises InputError without one."""
    from guiderail.service.workspace import find_home, open_workspace

    start = near if near is not None and find_home(near) is not None else Path.cwd()
    return open_workspace(start, act_as=act_as)


def workspace_if_any(near: Path) -> Workspace | None:
    """As `workspace`; None outside any."""
    from guiderail.service.workspace import find_home, open_workspace

    for start in (near, Path.cwd()):
        if find_home(start) is not None:
            return open_workspace(start)
    return None
