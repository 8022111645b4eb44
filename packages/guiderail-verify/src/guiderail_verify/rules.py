"""A rule and a gate of a compiled pack, and what each says about a release."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from guiderail_verify.conditions import UNKNOWN, Expression, Truth, always, given, never

VERDICTS: Final = ("not_applicable", "fail", "pass", "insufficient")
"""What a gate can say, before any waiver."""


class Hit(NamedTuple):
    """A rule that counts, and whether it is true or only unknown."""

    rule: Rule
    truth: Truth


class GateVerdict(NamedTuple):
    """verdict: pass, fail, insufficient or not_applicable, before any waiver."""

    gate: Gate
    verdict: str
    enforced: bool


RuleRow = tuple[str, Expression, Hit | None, Hit | None, int]
"""A rule for the loop over all of them, made once.

The fact with which the condition begins, or an empty name; what must hold besides; the hit where
that is true and the hit where it is unknown, None where the rule does not count then; its rank.
"""

GateRow = tuple["Gate", Expression | None, Expression, Expression | None, tuple[GateVerdict, ...]]
"""A gate at one tier: when it applies, passes and fails, and a verdict for each of `VERDICTS`.

None instead of a condition: it always applies, it never fails.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A tier or track rule. counts: `either` (true or unknown), `certain` or `unknown` only."""

    id: str
    level: int
    rank: int
    fact: str
    rest: Expression
    counts: str
    blocks: bool
    when: Expression = field(init=False, repr=False, compare=False)
    row: RuleRow = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        when = given(self.fact, self.rest) if self.fact else self.rest
        certain = Hit(self, True) if self.counts != "unknown" else None
        unknown = Hit(self, UNKNOWN) if self.counts in ("either", "unknown") else None
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "row", (self.fact, self.rest, certain, unknown, self.rank))


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate as one kind of workload meets it. from_rank: the tier from which it is enforced.

    may_be_absent: facts of `fail_when` whose absence means that nobody set such a limit.
    """

    id: str
    from_rank: int
    enforced: bool
    applies: Expression
    passes: Expression
    fails: Expression
    reads: frozenset[str]
    may_be_absent: frozenset[str]
    _rows: tuple[GateRow, GateRow] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", (self._row(enforced=False), self._row(enforced=True)))

    def row(self, tier: int) -> GateRow:
        """The gate as a release of this tier meets it."""
        return self._rows[self.enforced and tier >= self.from_rank]

    def _row(self, *, enforced: bool) -> GateRow:
        verdicts = tuple(GateVerdict(self, verdict, enforced) for verdict in VERDICTS)
        applies = None if self.applies is always else self.applies
        fails = None if self.fails is never else self.fails
        return self, applies, self.passes, fails, verdicts
