"""Texts and conditions of a pack in the form in which a decision uses them, made once.

Looking up which fact a placeholder means, its unit and the limits it is compared with takes longer
than filling it in; so it is done when a text is used for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guiderail.core.scales import Verdict
from guiderail.facts.fact_type import FactType
from guiderail.policy.support import Node, sure_carriers
from guiderail.policy.templates import Piece, Placeholder

_CARRIED_BY: Final = {
    "not_applicable": ("applies_when",),
    "fail": ("fail_when",),
    "pass": ("pass_when",),
    "insufficient": ("pass_when", "fail_when"),
}
"""The conditions of a gate that carry each verdict."""

_SETTLED_BY: Final = {
    "not_applicable": ("applies_when", False),
    "fail": ("fail_when", True),
    "pass": ("pass_when", True),
}
"""The one condition behind a verdict, and its truth."""


@dataclass(frozen=True, slots=True)
class Quoting:
    """How a fact is quoted: its type, the form of its number, and the limits of the pack."""

    kind: FactType
    form: str
    limits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder and the fact that it means; none for those of `templates.SPECIAL`.

    words: the two of `|one|many`. whole: the value of the fact is asked for and nothing else.
    """

    place: Placeholder
    quoting: Quoting | None
    words: tuple[str, ...]
    whole: bool


Part = str | Slot | tuple["Part", ...]
"""Plain text, something to fill in, or an optional section."""


@dataclass(frozen=True, slots=True)
class Said:
    """One wording and the condition under which it is the right one; None: whenever none is.

    plain: the sentence itself where nothing is to be filled in.
    """

    when: Node | None
    parts: tuple[Part, ...]
    plain: str


@dataclass(frozen=True, slots=True)
class VerdictForm:
    """One verdict of a gate for the people who read it.

    plain: its sentence where that is always the same. carriers: the conditions that carry it.
    quoted: the facts that carry it whatever their values are; None where that depends.
    """

    verdict: Verdict
    plain: str
    wordings: tuple[Said, ...]
    carriers: tuple[Node, ...]
    quoted: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class GateForm:
    """A gate for the people who read its verdicts. needs: all its conditions."""

    owner: str
    waivable_by: tuple[str, ...]
    may_be_absent: tuple[str, ...]
    needs: tuple[Node, ...]
    verdicts: Mapping[str, VerdictForm]


def quoting(kind: FactType, limits: tuple[float, ...]) -> Quoting:
    """A change in percent is quoted with its sign."""
    signed = kind.type == "interval" and kind.unit == "%" and kind.risk_direction == "none"
    return Quoting(kind, "+" if signed else "", limits)


def parts(whole: Sequence[Piece], quotings: Mapping[str, Quoting]) -> tuple[Part, ...]:
    """The pieces of a template with the facts that its placeholders mean.

    quotings: for every name that the template uses.
    """
    found: list[Part] = []
    for piece in whole:
        match piece:
            case str():
                found.append(piece)
            case Placeholder():
                found.append(_slot(piece, quotings.get(piece.name)))
            case _:
                found.append(parts(piece, quotings))
    return tuple(found)


def _slot(place: Placeholder, quoted: Quoting | None) -> Slot:
    words = place.words
    named = quoted is not None and quoted.kind.name == place.name
    return Slot(place, quoted, words, named and not (place.detail or words))


def gate_form(
    tree: Mapping[str, Any],
    sentences: Mapping[str, tuple[Said, ...]],
    nodes: Mapping[str, Node],
) -> GateForm:
    """sentences: by verdict. nodes: the conditions that the gate has, by their key."""
    absent = tuple(tree["may_be_absent"])
    return GateForm(
        owner=str(tree["owner"]),
        waivable_by=tuple(tree["waivable_by"]),
        may_be_absent=absent,
        needs=tuple(nodes.values()),
        verdicts={
            verdict: _verdict_form(verdict, wordings, nodes, absent)
            for verdict, wordings in sentences.items()
        },
    )


def _verdict_form(
    verdict: str,
    wordings: tuple[Said, ...],
    nodes: Mapping[str, Node],
    absent: Sequence[str],
) -> VerdictForm:
    key, truth = _SETTLED_BY.get(verdict, ("", False))
    quoted = sure_carriers(nodes[key], truth) if key in nodes else None
    if quoted is not None and not set(quoted).isdisjoint(absent):
        quoted = None
    return VerdictForm(
        verdict=Verdict(verdict),
        plain=wordings[0].plain if len(wordings) == 1 and wordings[0].when is None else "",
        wordings=wordings,
        carriers=tuple(nodes[key] for key in _CARRIED_BY[verdict] if key in nodes),
        quoted=quoted,
    )
