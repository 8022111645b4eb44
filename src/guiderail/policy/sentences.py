"""Sentences about one decision: templates of the pack filled with the numbers of the release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail.core.messages import FactShown
from guiderail.core.rows_needed import rows_to_settle
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, Value
from guiderail.policy.pack import Pack
from guiderail.policy.prepared import Part, Quoting, Said, Slot
from guiderail.policy.readings import NOT_GIVEN, Readings
from guiderail.policy.support import carriers
from guiderail.policy.templates import Placeholder
from guiderail.policy.vocabulary import LIGHTER_DESIGN, TIER
from guiderail.policy.words import METRICS, capitalised, joined, phrase, value_words
from guiderail_verify.judge import KNOWN_BY, Hit, Judgement

_KNOWN_BY: Final = {level: level.value for level in KnownBy}
_METRIC_FACTS = ("change.performance", "performance.value")


@dataclass(frozen=True, slots=True)
class RowsNeeded:
    """Rows in all, and how many more than there are; None where that number is not recorded."""

    needed: int
    more: int | None


class Teller:
    """Fills the templates of one pack with the facts of one release."""

    def __init__(self, pack: Pack, readings: Readings, judged: Judgement) -> None:
        self._pack = pack
        self._quotings = pack.quotings
        self._facts = readings.facts
        self._values = judged.values
        self._judged = judged
        self._told: dict[str, FactShown] = {}
        self._fact_type = pack.vocabulary.fact_type

    def wording(self, cases: Sequence[Any], unknown: Sequence[str] = ()) -> str:
        """The wordings whose condition is true; those without a condition when none is."""
        return self.say(self._pack.wording(cases), unknown)

    def say(self, wordings: Sequence[Said], unknown: Sequence[str] = ()) -> str:
        """As `wording`, for wordings that are prepared."""
        if len(wordings) == 1 and wordings[0].when is None:
            return wordings[0].plain or self._sentence(wordings[0], unknown)
        seen = self._values
        said = [one for one in wordings if one.when is not None and one.when.run(seen) is True]
        if not said:
            said = [one for one in wordings if one.when is None] or self._last(wordings)
        return " ".join(self._sentence(one, unknown) for one in said)

    def _last(self, wordings: Sequence[Said]) -> list[Said]:
        """The last wording that unknown facts do not rule out; authors put the general one last."""
        seen = self._values
        left = [one for one in wordings if one.when and one.when.run(seen) is not False]
        return [*(left or wordings)[-1:]]

    def fill(self, text: str, unknown: Sequence[str] = ()) -> str:
        """One template of the pack as a sentence."""
        return self._sentence(self._pack.template(text), unknown)

    def _sentence(self, said: Said, unknown: Sequence[str]) -> str:
        if said.plain:
            return said.plain
        filled = []
        for part in said.parts:
            text = part if isinstance(part, str) else self._part(part, unknown)
            if text is not None:
                filled.append(text)
        return capitalised("".join(filled).strip())

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
        found = []
        for name in names:
            one = told.get(name)
            if one is None:
                one = told[name] = self._shown(name)
            found.append(one)
        return tuple(found)

    def words(self, name: str) -> str:
        """The value of a fact that has one of its own: none of those that deciding computes."""
        return self._value_words(self._facts[name], self._quotings[name], "")

    def rows_needed(self, name: str) -> RowsNeeded | None:
        """How many rows would settle a value whose interval crosses a limit of the pack.

        None where nothing is open, where the value lies on a limit, or where the rows it rests on
        are not recorded. Limits are the pack's where the number of rows is known.
        """
        fact = self._facts.get(name)
        if fact is None or not isinstance(fact.value, Interval):
            return None
        rows = fact.detail.get("n")
        if isinstance(rows, int) and not isinstance(rows, bool):
            needed = rows_to_settle(fact.value, rows, self._pack.limits(name))
            return None if needed is None else RowsNeeded(needed, needed - rows)
        stated = fact.detail.get("rows_needed")
        return RowsNeeded(stated, None) if isinstance(stated, int) else None

    def _shown(self, name: str) -> FactShown:
        fact, quoting = self._facts.get(name), self._quotings.get(name)
        if fact is None or quoting is None:
            return self._computed(name)
        value = fact.value
        if value is True or value is False:
            words = "yes" if value else "no"
        else:
            words = value_words(quoting.kind, value, quoting.form, quoting.limits)
        # Of what nobody gave it is said where it would come from.
        source = fact.source or quoting.kind.source
        return FactShown(name, words, source, _KNOWN_BY[fact.known_by])

    def _computed(self, name: str) -> FactShown:
        """What no provider gives: its source is what the decision computed it from.

        It is known as well as the least known of the facts behind it.
        """
        if name == TIER.name:
            setting = [hit for hit in self._judged.tier_hits if hit.rule.rank == self._judged.tier]
            rules = list(dict.fromkeys(hit.rule.id for hit in setting))
            behind = [fact for hit in setting for fact in self._carriers(hit)]
            source = f"the tier {'rule' if len(rules) == 1 else 'rules'} {joined(rules)}"
            return FactShown(name, str(self._values[name]), source, self._least_known(behind))
        if name == LIGHTER_DESIGN.name:
            return FactShown(name, "yes", LIGHTER_DESIGN.how, KnownBy.ATTESTED.value)
        weak = self._judged.weak
        source = f"how {joined(weak)} {'is' if len(weak) == 1 else 'are'} known"
        words = "yes" if self._values.get(name) else "no"
        return FactShown(name, words, source if weak else "how every fact is known",
                         self._least_known(weak))  # fmt: skip

    def _carriers(self, hit: Hit) -> tuple[str, ...]:
        return carriers(self._pack.node(self._pack.rule(hit.rule.id, hit.rule.level)["when"]),
                        self._values)  # fmt: skip

    def _least_known(self, names: Sequence[str]) -> str:
        facts = [self._facts[name] for name in names if name in self._facts]
        return min((fact.known_by for fact in facts), key=lambda level: level.rank,
                   default=KnownBy.ATTESTED).value  # fmt: skip

    def _reason(self, name: str) -> str:
        fact = self._facts.get(name)
        return fact.value.reason if fact and isinstance(fact.value, Unknown) else NOT_GIVEN

    def _part(self, part: Part, unknown: Sequence[str]) -> str | None:
        if isinstance(part, str):
            return part
        if isinstance(part, Slot):
            return self._filled(part, unknown)
        if any(self._is_missing(one) for one in part):
            return None
        filled = [self._part(one, unknown) for one in part]
        return None if None in filled else "".join(one for one in filled if one is not None)

    def _is_missing(self, part: Part) -> bool:
        """Would an optional section say nothing here: a fact unknown, or a set empty?"""
        if not isinstance(part, Slot) or part.place.detail:
            return False
        fact = self._facts.get(part.place.name)
        return fact is None or isinstance(fact.value, Unknown) or fact.value == ()

    def _filled(self, slot: Slot, unknown: Sequence[str]) -> str | None:
        place, quoting = slot.place, slot.quoting
        if quoting is None:
            return self._special(place, unknown)
        kind = quoting.kind
        fact = self._facts.get(kind.name)
        if fact is None:
            return None if place.detail else "not known"
        if slot.whole:
            return self._value_words(fact, quoting, place.format)
        if place.detail == "rows_needed":
            rows = self.rows_needed(kind.name)
            return None if rows is None else f"{rows.needed:,}"
        if place.detail:
            return _detail(fact, place.detail, quoted=place.format == "code")
        if slot.words:
            return slot.words[0 if fact.value == 1 else 1]
        return value_words(kind, _bound(fact, place.name), place.format, quoting.limits)

    def _value_words(self, fact: Fact, quoting: Quoting, form: str) -> str:
        """The value of a fact in words; in the form in which reasons quote it, only once."""
        if form == quoting.form:
            return self.shown((quoting.kind.name,))[0].value
        return value_words(quoting.kind, fact.value, form, quoting.limits)

    def _special(self, place: Placeholder, unknown: Sequence[str]) -> str | None:
        """Placeholders that name no single fact, and facts that the decision computes."""
        match place.name:
            case "metric":
                return self._metric()
            case "unknown":
                return self.not_known(unknown)
            case "weak":
                return self._weak()
            case TIER.name:
                return str(self._values.get(TIER.name))
        return None if place.detail else "not known"

    def _weak(self) -> str:
        """ "failed tests and skipped tests (measured; the policy wants verified)", by source."""
        wanted, alike = dict(self._judged.wanted), dict[tuple[str, str], list[str]]()
        for name in self._judged.weak:
            fact, least = self._facts.get(name), wanted.get(name)
            known = fact.known_by.value if fact is not None else KNOWN_BY[0]
            key = known, KNOWN_BY[least] if least is not None else ""
            alike.setdefault(key, []).append(self.about(name))
        return joined(
            [
                f"{joined(names)} ({known}; the policy wants {least})" if least else joined(names)
                for (known, least), names in alike.items()
            ]
        )

    def about(self, name: str) -> str:
        """What a fact is about, with the name of the primary metric where it is known."""
        kind = self._fact_type(name)
        return phrase(kind).replace("the primary metric", self._metric()) if kind else name

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


def _detail(fact: Fact, path: str, *, quoted: bool = False) -> str | None:
    """An entry of a fact's details in words, or nothing when it is not there or empty.

    quoted: names stand in backticks.
    """
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
            return f"`{text}`" if quoted else text
        case bool() | None:
            return None
        case int() | float() as number:
            return f"{number:,}" if isinstance(number, int) else f"{number:g}"
        case list() | tuple() as items if items:
            texts = [f"`{item}`" if quoted else str(item)
                     for item in items if isinstance(item, str | int | float)]  # fmt: skip
            return joined(texts) if len(texts) == len(items) else None
    return None
