"""Which releases are alike for a pack: all its conditions are equally true of them.

A judgement follows from the truth of the conditions, the tier and whether evidence is weak; so
releases that are alike are decided alike, and it is enough to decide about one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from guiderail.policy.columns import Column, Columns, Truths, condition
from guiderail.policy.pack import Pack
from guiderail_verify.evaluate import Value, fact_names
from guiderail_verify.judge import HIGHEST_TIER_IN_RULES, TIERS, Rulebook, base_name, holds
from guiderail_verify.stored_facts import Reading

_CONDITIONS: Final = ("applies_when", "pass_when", "fail_when")
_COMPUTED: Final = ("tier", "evidence.weak")
"""What a judgement works out before its track rules and gates."""


class Marks:
    """Tells releases apart as the rules of one pack do that are in force on a day.

    book: those rules.
    """

    def __init__(self, pack: Pack, book: Rulebook, kind: str, day: str) -> None:
        facts = pack.tree["facts"]
        tiers, tracks, gates = (
            [part for part in pack.tree[section] if holds(part, kind, day)]
            for section in ("tiers", "tracks", "gates")
        )
        self._book = book
        self._tiers = [condition(rule["when"], facts) for rule in tiers]
        self._others = [condition(rule["when"], facts) for rule in tracks]
        self._others += [condition(gate[key], facts)
                         for gate in gates for key in _CONDITIONS if gate[key]]  # fmt: skip
        self._needed = [_needed(gate, facts) for gate in gates if gate["may_be_absent"]]
        self._tier_of: dict[bytes, int] = {}

    def of(self, columns: Columns) -> Truths:
        """The marks of each release, shape (marks, n): those with the same ones are alike."""
        tier_truths = [rule(columns) for rule in self._tiers]
        tiers = self._tiers_of(tier_truths, columns)
        felt = np.minimum(tiers, HIGHEST_TIER_IN_RULES)
        weak = self._weak(felt, columns)
        seen = columns.also(
            {"tier": _column("tier", TIERS, felt),
             "evidence.weak": _column("evidence.weak", (False, True), weak)}
        )  # fmt: skip
        others = [rule(seen) for rule in self._others]
        known = [_all_known(names, columns) for names in self._needed]
        return np.vstack([*tier_truths, tiers, weak, *others, *known])

    def _tiers_of(self, truths: Sequence[Truths], columns: Columns) -> Truths:
        """The tier of each release; the rules say it once for each combination of truths."""
        if not truths:
            return np.zeros(columns.count, dtype=np.int8)
        ranks = np.empty(columns.count, dtype=np.int8)
        for index, mark in enumerate(marks_as_bytes(np.vstack(truths))):
            rank = self._tier_of.get(mark)
            if rank is None:
                rank = self._tier_of[mark] = self._book.judge(*columns.release(index)).tier
            ranks[index] = rank
        return ranks

    def _weak(self, felt: Truths, columns: Columns) -> Truths:
        """Is something known less well than the tier of the release wants?"""
        weak = np.zeros(columns.count, dtype=bool)
        for rank in np.unique(felt).tolist():
            below = np.zeros(columns.count, dtype=bool)
            for name, least in self._book.wanted[rank]:
                if name in columns.facts:
                    below |= columns.facts[name].known_by < least
            weak |= below & (felt == rank)
        return weak.astype(np.int8)


def marks_as_bytes(marks: Truths) -> list[bytes]:
    """The marks of each release as one key. marks: of shape (marks, n), with at least one mark."""
    rows = np.ascontiguousarray(marks.T)
    keys: list[bytes] = rows.view(f"V{rows.shape[1]}").ravel().tolist()
    return keys


def _needed(gate: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Facts that a gate must know to say that only a limit is absent which nobody set."""
    reads = fact_names(gate["fail_when"]) - frozenset(gate["may_be_absent"])
    return sorted({base_name(name, facts) for name in reads} - set(_COMPUTED))


def _all_known(names: Sequence[str], columns: Columns) -> Truths:
    known = [columns.facts[name].is_known for name in names]
    every: NDArray[np.bool_] = np.logical_and.reduce([np.ones(columns.count, bool), *known])
    return every.astype(np.int8)


def _column(name: str, values: Sequence[Value], codes: Truths) -> Column:
    return Column([Reading({name: value}, None) for value in values], codes.astype(np.intp))
