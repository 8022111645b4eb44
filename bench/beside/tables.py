"""What was found, as tables in Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy

from beside.agreement import agreement, compared_figures
from beside.environments import version_of
from beside.processes import MEGABYTES, SECONDS, Found
from beside.questions import Asked, Compared

Answers = dict[tuple[str, str, str], Found]
"""By question, library and label of the size."""

_ALONE = "no figure in common"
_SHOWN = 0.005
"""Seconds; less is not worth a bracket. Guiderail reads while it counts."""


def conditions() -> Iterator[str]:
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name\t: ")[2]
    yield (
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, "
        f"numpy {numpy.__version__}; {os.cpu_count()} cores ({cpu.partition(chr(10))[0].strip()}), "
        f"{os.getloadavg()[1]:.1f} programs running on average at the end. "
        f"Linear algebra on one thread. Limits: {MEGABYTES // 1024} GB, "
        f"{SECONDS} s of processor time."
    )
    yield ""


def main_table(compared: tuple[Compared, ...], found: Answers) -> Iterator[str]:
    """One line for each question and library."""
    labels = [size.label for size in compared[0].sizes]
    yield f"| question | library | {' | '.join(labels)} | figures like ours |"
    yield "|---" * (len(labels) + 3) + "|"
    for one in compared:
        for place, asked in enumerate(one.asked):
            cells = [_cell(found[one.name, asked.library, size.label]) for size in one.sizes]
            alike = "" if place == 0 else _alike(one, asked, found)
            name = one.name if place == 0 else ""
            yield f"| {name} | {titled(asked)} | {' | '.join(cells)} | {alike} |"
    yield ""


def computed(compared: tuple[Compared, ...]) -> Iterator[str]:
    """What each library computes, told once where it is the same for several questions."""
    yield "What each computes:"
    yield ""
    lines: dict[tuple[str, str], list[str]] = {}
    for one in compared:
        for asked in one.asked:
            lines.setdefault((asked.library, asked.computes), []).append(one.name.partition(",")[0])
    for (library, computes), names in lines.items():
        yield f"- {' and '.join(dict.fromkeys(names))}, {library}: {computes}."
    yield ""


def titled(asked: Asked) -> str:
    return f"{asked.library} {version_of(asked.package)}" if asked.package else asked.library


def _cell(found: Found) -> str:
    if found.seconds is None or found.reading is None:
        return found.reason
    reading = f" ({found.reading:.2f})" if found.reading >= _SHOWN else ""
    return f"{found.seconds:.2f}{reading} s, {found.megabytes:,.0f} MB"


def _alike(one: Compared, asked: Asked, found: Answers) -> str:
    """Over all sizes that both answered."""
    pairs = []
    for size in one.sizes:
        ours = found[one.name, one.asked[0].library, size.label].figures
        theirs = found[one.name, asked.library, size.label].figures
        if ours is not None and theirs is not None:
            pairs.append((ours, theirs))
    return agreement(pairs) or _ALONE


def suite_tables(suite: Compared, found: Answers) -> Iterator[str]:
    """Part by part, then what only the rival does, then figure by figure."""
    label = suite.sizes[0].label
    ours, theirs = (found[suite.name, asked.library, label] for asked in suite.asked)
    rival = titled(suite.asked[1])
    if ours.figures is None or theirs.figures is None:
        yield f"The {suite.name}: Guiderail {_cell(ours)}, {rival} {_cell(theirs)}."
        return
    yield f"| {suite.name} | Guiderail | {rival} | ratio |"
    yield "|---|---|---|---|"
    both = [0.0, 0.0]
    for key in (key for key in ours.figures if key.startswith("CPU|")):
        seconds = ours.figures[key], theirs.figures[key]
        both = [total + more for total, more in zip(both, seconds, strict=True)]
        yield _compared(key.partition("|")[2], *seconds)
    yield _compared("all of these parts", *both)
    others = _named(theirs.figures, "other|")
    yield f"| checks that Guiderail has not in this suite | - | {sum(others.values()):.2f} s | - |"
    assert ours.seconds is not None
    assert theirs.seconds is not None
    yield _compared("the whole run, reading included", ours.seconds, theirs.seconds)
    yield f"| peak of memory | {ours.megabytes:,.0f} MB | {theirs.megabytes:,.0f} MB | - |"
    yield ""
    skipped = [*_named(theirs.figures, "NOT_APPLICABLE|"), *_named(theirs.figures, "CHECK_ERROR|")]
    yield f"Ran only in {rival}: {_listed(n for n in others if n not in skipped)}."
    yield f"Not applicable here, by its own report: {_listed(skipped)}."
    yield ""
    yield f"| figure | Guiderail | {rival} |"
    yield "|---|---|---|"
    for key, first, second in compared_figures(ours.figures, theirs.figures):
        measure, _, by = key.partition("|")
        yield f"| {f'{measure}, {by}' if by else measure} | {first:.5f} | {second:.5f} |"


def _compared(part: str, ours: float, theirs: float) -> str:
    return f"| {part} | {ours:.3f} s | {theirs:.3f} s | {theirs / ours:.1f} |"


def _named(figures: Mapping[str, Any], start: str) -> dict[str, float]:
    return {key.removeprefix(start): v for key, v in figures.items() if key.startswith(start)}


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
