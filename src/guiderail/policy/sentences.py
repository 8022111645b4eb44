"""Sentences about one decision: templates of the pack filled with the numbers of the release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.core.interval import Interval
from guiderail.core.messages import FactShown
from guiderail.facts.fact import Fact, Unknown, Value
from guiderail.policy.pack import Pack
from guiderail.policy.readings import NOT_GIVEN, Readings
from guiderail.policy.templates import Piece, Placeholder, pieces
from guiderail.policy.vocabulary import TIER
from guiderail.policy.words import METRICS, capitalised, joined, phrase, value_words
from guiderail_verify.judge import Judgement

_METRIC_FACTS = ("change.performance", "performance.value")


class Teller:
    """Fills the templates of one pack with the facts of one release."""

    def __init__(self, pack: Pack, readings: Readings, judged: Judgement) -> None:
        self._pack = pack
        self._facts = readings.facts
        self._values = judged.values
        self._weak = judged.weak
        self._told: dict[str, FactShown] = {}
        self._fact_type = pack.vocabulary.fact_type

    def wording(self, cases: Sequence[Any], unknown: Sequence[str] = ()) -> str:
        """The wordings whose condition is true; those without a condition when none is."""
        if len(cases) == 1 and cases[0]["when"] is None:
            return self.fill(cases[0]["says"], unknown)
        said = [case["says"] for case in cases if case["when"] is not None
                and self._pack.node(case["when"]).run(self._values) is True]  # fmt: skip
        if not said:
            said = [case["says"] for case in cases if case["when"] is None] or self._last(cases)
        return " ".join(self.fill(text, unknown) for text in said)

    def _last(self, cases: Sequence[Any]) -> list[str]:
        """The last wording that unknown facts do not rule out; authors put the general one last."""
        seen = self._values
        left = [case for case in cases if self._pack.node(case["when"]).run(seen) is not False]
        return [case["says"] for case in (left or cases)[-1:]]

    def fill(self, text: str, unknown: Sequence[str] = ()) -> str:
        """One template as a sentence."""
        whole = pieces(text)
        if len(whole) == 1 and isinstance(whole[0], str):
            return capitalised(whole[0].strip())
        parts = [self._piece(piece, unknown) for piece in whole]
        return capitalised("".join(part for part in parts if part is not None).strip())

    def not_known(self, names: Sequence[str]) -> str:
        """ "The field of use and whether ... are not known (nobody has answered)", by reason."""
        by_reason: dict[str, list[str]] = {}
        for name in names:
            kind = self._fact_type(name)
            if kind is not None:
                by_reason.setdefault(self._reason(name), []).append(phrase(kind))
        told = [
            f"{joined(phrases)} {'is' if len(phrases) == 1 else 'are'} not known ({reason})"
            for reason, phrases in by_reason.items()
        ]
        return capitalised("; ".join(told))

    def shown(self, names: Sequence[str]) -> tuple[FactShown, ...]:
        """Facts as a reason quotes them."""
        told = self._told
        for name in names:
            if name not in told:
                told[name] = self._shown(name)
        return tuple([told[name] for name in names])

    def _shown(self, name: str) -> FactShown:
        fact, kind = self._facts.get(name), self._fact_type(name)
        if fact is None or kind is None:
            value = self._values.get(name)
            words = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            return FactShown(name, words, "computed by the decision", "attested")
        signed = kind.type == "interval" and kind.unit == "%" and kind.risk_direction == "none"
        words = value_words(kind, fact.value, "+" if signed else "", self._pack.limits(name))
        return FactShown(name, words, fact.source, fact.known_by.value)

    def _reason(self, name: str) -> str:
        fact = self._facts.get(name)
        return fact.value.reason if fact and isinstance(fact.value, Unknown) else NOT_GIVEN

    def _piece(self, piece: Piece, unknown: Sequence[str]) -> str | None:
        match piece:
            case str():
                return piece
            case Placeholder():
                return self._filled(piece, unknown)
        if any(self._is_missing(part) for part in piece):
            return None
        parts = [self._piece(part, unknown) for part in piece]
        return None if None in parts else "".join(part for part in parts if part is not None)

    def _is_missing(self, piece: Piece) -> bool:
        """Would an optional section say nothing here: a fact unknown, or a set empty?"""
        if not isinstance(piece, Placeholder) or piece.detail:
            return False
        fact = self._facts.get(piece.name)
        return fact is None or isinstance(fact.value, Unknown) or fact.value == ()

    def _filled(self, place: Placeholder, unknown: Sequence[str]) -> str | None:
        if place.name == "metric":
            return self._metric()
        if place.name == "unknown":
            return self.not_known(unknown)
        if place.name == "weak":
            kinds = [self._fact_type(name) for name in self._weak]
            return joined([phrase(kind) for kind in kinds if kind is not None])
        if place.name == TIER.name:
            return str(self._values.get(TIER.name))
        kind = self._fact_type(place.name)
        fact = self._facts.get(kind.name) if kind is not None else None
        if kind is None or fact is None:
            return None if place.detail else "not known"
        if place.detail:
            return _detail(fact, place.detail)
        if place.words:
            return place.words[0 if fact.value == 1 else 1]
        limits = self._pack.limits(kind.name)
        return value_words(kind, _bound(fact, place.name), place.format, limits)

    def _metric(self) -> str:
        for name in _METRIC_FACTS:
            fact = self._facts.get(name)
            metric = fact.detail.get("metric") if fact is not None else None
            if isinstance(metric, str):
                return METRICS.get(metric, metric)
        return "the primary metric"


def _bound(fact: Fact, name: str) -> Value:
    """The value that a placeholder names: a bound of an interval, or the whole."""
    if name == fact.name or not isinstance(fact.value, Interval):
        return fact.value
    return fact.value.low if name.endswith(".low") else fact.value.high


def _detail(fact: Fact, path: str) -> str | None:
    """An entry of a fact's details in words, or nothing when it is not there or empty."""
    found: object = fact.detail
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list | tuple) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    match found:
        case str() as text if text:
            return text
        case bool() | None:
            return None
        case int() | float() as number:
            return f"{number:,}" if isinstance(number, int) else f"{number:g}"
        case list() | tuple() as items if items:
            texts = [str(item) for item in items if isinstance(item, str | int | float)]
            return joined(texts) if len(texts) == len(items) else None
    return None
