"""Examples of a gate: facts from its file, the verdict and the sentence that deciding gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from guiderail.core.scales import KnownBy
from guiderail.facts.fact import FactSet, Value, from_json, known, to_json
from guiderail.policy.facts_file import NOT_KNOWN, fact_value
from guiderail.policy.gate_results import gate_results
from guiderail.policy.pack import Pack
from guiderail.policy.readings import readings_of
from guiderail.policy.sentences import Teller
from guiderail.policy.vocabulary import Vocabulary
from guiderail.policy.words import value_words

SOURCE: Final = "the example"


@dataclass(frozen=True, slots=True)
class ShownExample:
    """facts: names and values in words; every other fact is unknown. sentence: what is printed."""

    name: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    sentence: str


def example_values(
    written: Mapping[str, Any], vocabulary: Vocabulary, path: Path
) -> dict[str, Value]:
    """Typed values of the facts that exist; `unknown` is the same as leaving a fact out.

    Raises InputError for a value of another type.
    """
    values: dict[str, Value] = {}
    for name, value in written.items():
        kind = vocabulary.named(name)
        if kind is None or (value == NOT_KNOWN and NOT_KNOWN not in kind.values):
            continue
        values[name] = fact_value(kind, list(value) if isinstance(value, tuple) else value, path)
    return values


def stored_values(values: Mapping[str, Value]) -> dict[str, object]:
    """Values as they stand in the texts of a compiled pack."""
    return {name: to_json(value) for name, value in values.items()}


def facts_of_values(values: Mapping[str, Value]) -> FactSet:
    """Attested facts: an example tries the gate and not how its facts are known."""
    return {name: known(name, value, SOURCE, KnownBy.ATTESTED) for name, value in values.items()}


def shown_examples(gate: str, pack: Pack) -> tuple[ShownExample, ...]:
    """Every example of a gate, judged now."""
    return tuple(_shown(gate, row, pack) for row in pack.part_texts(gate)["examples"])


def _shown(gate: str, row: Mapping[str, Any], pack: Pack) -> ShownExample:
    values = {name: from_json(stored) for name, stored in row["facts"].items()}
    verdict, sentence = _judged(gate, values, pack) or (str(row["verdict"]), "")
    told = tuple(
        (name, value_words(kind, value, "", pack.limits(name)))
        for name, value in values.items()
        if (kind := pack.vocabulary.named(name)) is not None
    )
    return ShownExample(str(row["name"]), verdict, told, sentence)


def _judged(gate: str, values: Mapping[str, Value], pack: Pack) -> tuple[str, str] | None:
    """Verdict and sentence; None where the pack decides about no kind that has the gate."""
    tree = pack.gate(gate)
    kind = next((kind for kind in tree["kinds"] if kind in pack.kinds), None)
    if kind is None:
        return None
    day = max(str(pack.tree["effective_from"]), str(tree["since"]))
    book = pack.rulebook(kind, datetime.fromisoformat(day).replace(tzinfo=UTC))
    readings = readings_of(facts_of_values(values), pack.tree["facts"])
    judged = book.judge(readings.values, readings.known_by)
    results = gate_results(pack, judged, Teller(pack, readings, judged), frozenset(), frozenset())
    one = next(result for result in results if result.id == gate)
    return one.verdict.value, one.sentence
