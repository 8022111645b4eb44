"""Numbers that states give to people, told by their own check digits.

Each kind states how often an ordinary number of its length passes by chance. A column counts only
where so many values pass that chance would bring it about once in a million columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

ONCE_IN = 1e-6


@dataclass(frozen=True, slots=True)
class NumberKind:
    """module: of python-stdnum. form: what a cell must look like. chance: share of such cells that
    pass its check without being one."""

    module: str
    form: str
    chance: float


KINDS: tuple[NumberKind, ...] = (
    NumberKind("stdnum.de.idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", 0.05),
    NumberKind("stdnum.ch.ssn", r"756\.?\d{4}\.?\d{4}\.?\d{2}", 0.1),
    NumberKind("stdnum.gb.nhs", r"\d{3} \d{3} \d{4}", 0.1),
    NumberKind("stdnum.fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", 0.02),
    NumberKind("stdnum.it.codicefiscale", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", 0.1),
    NumberKind("stdnum.es.dni", r"\d{8}-?[A-Z]", 0.05),
    NumberKind("stdnum.es.nie", r"[XYZ]-?\d{7}-?[A-Z]", 0.05),
    NumberKind("stdnum.pl.pesel", r"\d{11}", 0.05),
    NumberKind("stdnum.be.nn", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}", 0.05),
    NumberKind("stdnum.se.personnummer", r"(\d{2})?\d{6}[-+]\d{4}", 0.1),
    NumberKind("stdnum.fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Y]", 0.05),
    NumberKind("stdnum.br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", 0.02),
    NumberKind("stdnum.nl.bsn", r"\d{9}", 0.1),
)


def kind_in(cells: Sequence[str], *, named: bool) -> NumberKind | None:
    """The kind that the cells are of, if so many pass that chance is ruled out.

    named: the column's name says that it holds such numbers, so one value may be enough.
    """
    for kind in KINDS:
        form, check = re.compile(kind.form), _check(kind.module)
        passing = sum(form.fullmatch(cell.strip()) is not None and check(cell) for cell in cells)
        share = passing / len(cells)
        if share >= 0.8 and (named or _by_chance(passing, len(cells), kind.chance) < ONCE_IN):
            return kind
    return None


def _check(module: str) -> Callable[[str], bool]:
    found: Callable[[str], bool] = import_module(module).is_valid
    return found


def _by_chance(passing: int, count: int, chance: float) -> float:
    """Probability that at least so many of `count` pass by chance (binomial upper tail)."""
    return sum(
        math.comb(count, k) * chance**k * (1 - chance) ** (count - k)
        for k in range(passing, count + 1)
    )
