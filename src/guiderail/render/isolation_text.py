"""What isolation the sandbox reached, in words: also what it did not reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, paragraph

_LIMITS = {
    "cpu_seconds": "processor time",
    "memory_bytes": "memory",
    "file_bytes": "size of files",
    "open_files": "open files",
}


def isolation_lines(isolation: Mapping[str, Any], indent: int = 2) -> list[Line]:
    """The record of `sandbox.process.Isolation` as sentences."""
    limits = [_LIMITS.get(name, name) for name in isolation["limits"]]
    reached = [f"limits on {', '.join(limits)}"] if limits else []
    missed = [] if limits else ["no limit is in force"]
    for key, yes, no in (
        ("no_network", "no network", "it could reach the network"),
        ("privileges_dropped", "no privileges", "it kept its privileges"),
        ("files_confined", "files only where it has to", "it could read and write other files"),
        ("calls_confined", "no programs started", "it could start other programs"),
    ):
        (reached if isolation.get(key) else missed).append(yes if isolation.get(key) else no)
    lines = paragraph(
        f"sandbox: {', '.join(reached) or 'nothing reached'}", indent=indent, style="dim"
    )
    if missed:
        lines += paragraph(f"not reached: {', '.join(missed)}", indent=indent, style="yellow")
    for note in isolation["notes"]:
        lines += paragraph(note, indent=indent, style="dim")
    return lines
