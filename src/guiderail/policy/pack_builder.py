"""Files of a pack to its compiled form: the tree that decides, and the texts about it.

The tree holds everything that can change a decision and nothing else; its digest is the digest of
the pack. Titles, sentences and pages are texts with a digest of their own, so that a better wording
does not make a new policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from guiderail.core.digest import decimal_string, json_digest
from guiderail.facts.fact_type import FactType
from guiderail.policy.invariants import compile_invariants, exceptions_of
from guiderail.policy.layers import Layers, layered
from guiderail.policy.pack_files import (
    AdviceFile,
    ControlFile,
    FactFile,
    GateFile,
    PackFile,
    RuleFile,
)
from guiderail.policy.pack_folder import SHIPPED
from guiderail.policy.pack_reader import PackSources, Reading, Source
from guiderail.policy.part_compiler import PartCompiler
from guiderail.policy.problem import Problem
from guiderail.policy.questions import mark_context
from guiderail.policy.vocabulary import (
    BOUNDS,
    CATALOGUE_ONLY,
    COMPUTED,
    Vocabulary,
    did_you_mean,
)
from guiderail_verify.evaluate import fact_names

FORMAT: Final = 1
SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions")
_TRACKS: Final = ("green", "yellow", "red")


@dataclass(slots=True)
class Built:
    """A compiled pack, and what is wrong with it: with problems it must not be used."""

    tree: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def build(reading: Reading) -> Built:
    """Compile what was read. Problems of the reading come first."""
    built = _compiled(reading.packs)
    built.problems[:0] = reading.problems
    built.problems += _pins(reading.packs)
    built.problems += _days(reading.packs)
    return built


def _compiled(packs: Sequence[PackSources]) -> Built:
    built = Built()
    if not packs:
        return built
    layers = layered(packs, built.problems)
    vocabulary = Vocabulary(_own_facts(layers.sections.get("facts", ()), built.problems))
    whole = layers.settings
    built.tree = {"format": FORMAT, **_settings(whole)}
    built.texts = {
        "title": whole.title,
        "roles": dict(whole.roles),
        "expected_wait": dict(whole.expected_wait),
        "review_hours": {
            track: decimal_string(hours) for track, hours in whole.review_hours.items()
        },
        "limits": {name: decimal_string(value) for name, value in whole.limits.items()},
        "overrides": dict(layers.overrides),
        "drops": dict(layers.drops),
        "parts": {},
        "controls": {
            source.part.id: _control(source.part)
            for source in layers.sections.get("controls", ())
            if isinstance(source.part, ControlFile)
        },
        "facts": {name: _own_texts(layers, name) for name in vocabulary.own},
    }
    for section in SECTIONS:
        parts = [
            PartCompiler(source, whole, section, vocabulary, built.problems)
            for source in layers.sections.get(section, ())
        ]
        built.tree[section] = [tree for part in parts for tree in part.trees()]
        built.texts["parts"].update({part.source.part.id: part.texts for part in parts})
    built.problems += mark_context(built.tree, layers.sections.get("questions", ()), vocabulary)
    built.tree["invariants"], built.texts["invariants"] = compile_invariants(
        packs, whole.kinds, whole.limits, vocabulary, built.problems
    )
    excepted = built.texts["proof_exceptions"] = exceptions_of(packs)
    built.tree["proof_exceptions"] = {name: list(reasons) for name, reasons in excepted.items()}
    built.tree["facts"] = _fact_types(built.tree, vocabulary)
    built.problems += _gaps(packs[-1], built.tree, built.texts["expected_wait"])
    _connect_controls(layers, built)
    return built


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


def _gaps(pack: PackSources, tree: Mapping[str, Any], waits: Mapping[str, str]) -> list[Problem]:
    """What a pack that decides must have: without rules everything would be low and green."""
    if not tree["kinds"]:
        return []
    problems = [
        Problem(pack.document.place(), f"The pack has no {words}: everything would be {lightest}.",
                "Extend a pack that has some, for example `extends: model`.")
        for section, words, lightest in (("tiers", "tier rules", "of low risk"),
                                         ("tracks", "track rules", "green"),
                                         ("gates", "gates", "let through unchecked"))
        if not tree[section]
    ]  # fmt: skip
    problems += [
        Problem(pack.document.place(), f"Nobody reviews a {track} release.",
                f"Name the roles: `reviewers: {{{track}: [...]}}`.")
        for track in _TRACKS[1:] if not tree["reviewers"].get(track)
    ]  # fmt: skip
    problems += [
        Problem(pack.document.place((key,)), f"{key} says nothing about {track} releases.",
                f"Write one line for each track: {', '.join(_TRACKS)}.")
        for key, told in (("expected_wait", waits), ("targets_hours", tree["targets_hours"]))
        for track in _TRACKS if track not in told
    ]  # fmt: skip
    return problems


def _days(packs: Sequence[PackSources]) -> list[Problem]:
    """A pack cannot hold before the pack that it extends does."""
    return [
        Problem(upper.document.value_place(("effective_from",)),
                f"The pack holds from {upper.pack.effective_from}, before {lower.pack.id}, which "
                f"it extends, does: from {lower.pack.effective_from}.",
                "Write that day or a later one.")
        for lower, upper in pairwise(packs)
        if upper.pack.effective_from < lower.pack.effective_from
    ]  # fmt: skip


def _pins(packs: Sequence[PackSources]) -> list[Problem]:
    """An own pack names the digest of the shipped pack that it extends."""
    pairs = pairwise(packs)
    return [
        problem
        for below, (lower, upper) in enumerate(pairs, start=1)
        for problem in _pin(upper, lower, packs[:below])
    ]


def _pin(upper: PackSources, lower: PackSources, below: Sequence[PackSources]) -> list[Problem]:
    outside = not upper.directory.resolve().is_relative_to(SHIPPED)
    pin = upper.pack.extends_digest
    if pin is None and not (outside and lower.directory.resolve().is_relative_to(SHIPPED)):
        return []
    digest = json_digest(_compiled(below).tree)
    if pin == digest:
        return []
    if pin is None:
        return [Problem(upper.document.value_place(("extends",)),
                        f"The pack extends {lower.pack.id} without saying which.",
                        f"Pin what you have read: `extends_digest: {digest}`.")]  # fmt: skip
    return [Problem(upper.document.value_place(("extends_digest",)),
                    f"{lower.pack.id} is not the pack that this one was written for any more; its "
                    f"digest is {digest}.",
                    "Run `guiderail policy diff`, then write the new digest.")]  # fmt: skip


def _own_facts(sources: Sequence[Source], problems: list[Problem]) -> dict[str, FactType]:
    own: dict[str, FactType] = {}
    for source in sources:
        part = source.part
        if not isinstance(part, FactFile):
            continue
        wrong = _unusable_fact(part)
        if wrong is not None:
            problems.append(Problem(source.document.value_place((wrong[0],)), *wrong[1:]))
            continue
        own[part.id] = FactType(part.id, part.type, part.unit, part.source, part.how,
                                part.risk_direction, part.can_change, part.says, part.values,
                                part.kinds)  # fmt: skip
    return own


def _unusable_fact(fact: FactFile) -> tuple[str, str, str] | None:
    """The key that is wrong with an own fact, what is wrong and what to do; None if nothing is."""
    if CATALOGUE_ONLY.fact_type(fact.id) is not None or fact.id in COMPUTED:
        return ("id", f"{fact.id} is a fact of the catalogue already.",
                "Use it, or choose another name, for example our.NAME.")  # fmt: skip
    if fact.id.startswith("limit.") or fact.id.rpartition(".")[2] in BOUNDS:
        return ("id", f"{fact.id} would be read as something else.",
                "It may not begin with limit. nor end with .low or .high.")  # fmt: skip
    if (fact.type == "enum") is not bool(fact.values):
        what = "no enum but has" if fact.values else "an enum without"
        return ("type", f"{fact.id} is {what} values.",
                "Give `values:` to an enum and to nothing else.")  # fmt: skip
    if fact.type in ("set", "text") and fact.risk_direction != "none":
        return ("risk_direction", f"A {fact.type} has no riskier direction.",
                "Write `risk_direction: none`.")  # fmt: skip
    return None


def _own_texts(layers: Layers, name: str) -> dict[str, Any]:
    for source in layers.sections["facts"]:
        part = source.part
        if isinstance(part, FactFile) and part.id == name:
            return {"source": part.source, "how": part.how, "says": part.says,
                    "owner": part.owner, "kinds": list(part.kinds)}  # fmt: skip
    raise KeyError(name)


def _control(control: ControlFile) -> dict[str, Any]:
    return control.model_dump(mode="json", exclude={"id", "overrides"})


def _connect_controls(layers: Layers, built: Built) -> None:
    """Every control that a page names is there, or was dropped and is not named any more."""
    controls = built.texts["controls"]
    for section in SECTIONS:
        for source in layers.sections.get(section, ()):
            part = source.part
            if not isinstance(part, RuleFile | GateFile | AdviceFile):
                continue
            named = [name for name in part.page.controls if name not in layers.drops]
            texts = built.texts["parts"][part.id]
            if "page" in texts:  # a rule that says nothing usable has no texts, and a problem
                texts["page"]["controls"] = named
            for index, name in enumerate(part.page.controls):
                if name in named and name not in controls:
                    place = source.document.value_place(("page", "controls", index))
                    hint = did_you_mean(name, controls) or "`controls` of the pack has no file so."
                    built.problems.append(Problem(place, f"There is no control {name}.", hint))


def _fact_types(tree: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """The types of every fact that the tree names, as the verifier needs them, and of own ones."""
    named = {
        vocabulary.base_name(name)
        for section in (*SECTIONS, "invariants")
        for name in fact_names(tree[section])
    }
    typed = {
        name: fact
        for name in sorted((named | vocabulary.own.keys()) - COMPUTED.keys())
        if (fact := vocabulary.named(name)) is not None
    }
    return {name: _fact_type(fact) for name, fact in typed.items()}


def _fact_type(fact: FactType) -> dict[str, Any]:
    return {
        "type": fact.type,
        "unit": fact.unit,
        "risk_direction": fact.risk_direction,
        "can_change": fact.can_change,
        "values": list(fact.values),
    }
