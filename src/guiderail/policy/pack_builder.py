"""Files of a pack to its compiled form: the tree that decides, and the texts about it.

The tree holds everything that can change a decision and nothing else; its digest is the digest of
the pack. Titles, sentences and pages are texts with a digest of their own, so that a better wording
does not make a new policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact_type import FactType
from guiderail.policy.pack_files import PackFile
from guiderail.policy.pack_reader import PackSources, Reading
from guiderail.policy.part_compiler import PartCompiler
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import COMPUTED, base_name
from guiderail_verify.evaluate import fact_names

FORMAT: Final = 1
SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions")


@dataclass(slots=True)
class Built:
    """A compiled pack, and what is wrong with it: with problems it must not be used."""

    tree: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def build(reading: Reading) -> Built:
    """Compile what was read. Problems of the reading come first."""
    built = Built(problems=list(reading.problems))
    if not reading.packs:
        return built
    whole = _merged(reading.packs)
    built.tree = {"format": FORMAT, **_settings(whole)}
    built.texts = {"title": whole.title, "roles": dict(whole.roles),
                   "expected_wait": dict(whole.expected_wait), "parts": {}}  # fmt: skip
    _refuse_twins(reading.packs, built)
    for section in SECTIONS:
        parts = [
            PartCompiler(source, whole, section, built.problems)
            for pack in reading.packs
            for source in pack.sections[section]
        ]
        built.tree[section] = [tree for part in parts for tree in part.trees()]
        built.texts["parts"].update({part.source.part.id: part.texts for part in parts})
    built.tree["facts"] = _fact_types(built.tree)
    return built


def _merged(packs: Sequence[PackSources]) -> PackFile:
    """The settings of the last pack, completed by the packs that it extends."""
    whole = packs[-1].pack
    for extended in reversed(packs[:-1]):
        older = extended.pack
        whole = whole.model_copy(
            update={
                name: {**getattr(older, name), **getattr(whole, name)}
                for name in ("minimum_known_by", "reviewers", "targets_hours", "expected_wait",
                             "roles")
            }
        )  # fmt: skip
    return whole


def _settings(pack: PackFile) -> dict[str, Any]:
    return {
        "pack": pack.id,
        "version": pack.version,
        "effective_from": pack.effective_from,
        "owner": pack.owner,
        "kinds": list(pack.kinds),
        "minimum_known_by": dict(pack.minimum_known_by),
        "reviewers": {track: list(roles) for track, roles in pack.reviewers.items()},
        "targets_hours": dict(pack.targets_hours),
    }


def _refuse_twins(packs: Sequence[PackSources], built: Built) -> None:
    sources = [
        source for pack in packs for section in SECTIONS for source in pack.sections[section]
    ]
    uses = Counter(source.part.id for source in sources)
    built.problems.extend(
        Problem(source.document.value_place(("id",)), f"The id {source.part.id} is used twice.",
                "Ids are the names of pages: give each part its own.")
        for source in sources
        if uses[source.part.id] > 1
    )  # fmt: skip


def _fact_types(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The types of every fact that the tree names, as the verifier needs them."""
    names = {base_name(name) for section in SECTIONS for name in fact_names(tree[section])}
    typed = names & BY_NAME.keys() - COMPUTED.keys()
    return {name: _fact_type(BY_NAME[name]) for name in sorted(typed)}


def _fact_type(fact: FactType) -> dict[str, Any]:
    return {
        "type": fact.type,
        "unit": fact.unit,
        "risk_direction": fact.risk_direction,
        "can_change": fact.can_change,
        "values": list(fact.values),
    }
