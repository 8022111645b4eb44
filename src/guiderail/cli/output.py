"""Printing: styled lines, JSON, errors, progress. Colour on terminals only, never with NO_COLOR."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

import click

from guiderail.core.errors import GuiderailError
from guiderail.render.lines import Line, paragraph

_COLOURS: dict[str, dict[str, Any]] = {
    "bold": {"bold": True},
    "dim": {"dim": True},
    "green": {"fg": "green", "bold": True},
    "yellow": {"fg": "yellow", "bold": True},
    "red": {"fg": "red", "bold": True},
}


def coloured(stream: TextIO) -> bool:
    """Whether this stream gets colour: a terminal, and the person did not switch it off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


_STEERING: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""Signs that steer a terminal or turn the reading direction. They may be in what somebody wrote."""


def print_lines(lines: Iterable[Line], *, err: bool = False) -> None:
    stream = sys.stderr if err else sys.stdout
    colour = coloured(stream)
    for line in lines:
        style, plain = _COLOURS.get(line.style), _STEERING.sub("\ufffd", line.text)
        text = click.style(plain, **style) if colour and style else plain
        click.echo(text, err=err, color=colour)


def print_json(document: object) -> None:
    """Indented JSON; numbers that are not finite are an error, never `NaN`."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(_STEERING.sub(lambda found: f"\\u{ord(found.group()):04x}", text))


def print_error(error: GuiderailError) -> None:
    """Where, what, code and what to do, on standard error."""
    where = f"{error.place}: " if error.place else ""
    lines = paragraph(f"{where}{error.what}", style="red")
    lines += paragraph(f"[{error.code}] {error.advice}", indent=2, hang=2)
    print_lines(lines, err=True)


@contextmanager
def progress(title: str) -> Iterator[Callable[[str, float], None] | None]:
    """A bar on standard error while long work runs; nothing where colour is not wanted either.

    Gives a function that takes what is being done and the share done so far, 0 to 1.
    """
    if not coloured(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)
