"""Whether two libraries found the same figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EQUAL = 1e-9
"""Relative difference below which figures count as equal."""

Pair = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Figures of ours and of theirs, by "measure|of what"."""


def compared_figures(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Any]:
    """(key, ours, theirs) of every figure that both have; times are no figures."""
    for key, first in ours.items():
        if key in theirs and not key.startswith("CPU|"):
            yield key, first, theirs[key]


def agreement(pairs: Sequence[Pair]) -> str:
    """In words, "" where there is no common figure.

    Equal figures are counted; of others the largest difference is told, relative to theirs; where
    ours are bounds, how many hold the figure of the rival.
    """
    equal, apart, inside, bounded = 0, dict[str, list[float]](), 0, dict[str, int]()
    for ours, theirs in pairs:
        for key, first, second in compared_figures(ours, theirs):
            measure = key.partition("|")[0]
            if first == second:
                equal += 1
            elif isinstance(first, list):
                low, high = first
                bounded[measure] = bounded.get(measure, 0) + 1
                inside += low - EQUAL <= second <= high + EQUAL
            elif math.isclose(first, second, rel_tol=EQUAL, abs_tol=EQUAL**2):
                equal += 1
            else:
                off = abs(first - second) / abs(second) if second else math.inf
                apart.setdefault(measure, []).append(off)
    told = [f"{equal:,} equal to {EQUAL:.0e}"] if equal else []
    told += [
        f"{measure} apart by at most {100 * max(found):.2g} % ({len(found)} figures)"
        for measure, found in apart.items()
    ]
    if bounded:
        told.append(f"{inside} of {sum(bounded.values())} {', '.join(bounded)} inside our bounds")
    return "; ".join(told)
