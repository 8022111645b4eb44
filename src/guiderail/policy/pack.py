"""A policy pack, ready to decide: the compiled tree, the texts about it and their digests.

The packs that ship are compiled beforehand (`python -m guiderail.policy.compile`); reading them
needs neither YAML nor the grammar. A pack directory is read with full checking.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from guiderail.core.digest import Digest, json_digest
from guiderail.core.errors import InputError, IntegrityError, RefusedError
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import FactSet
from guiderail.facts.fact_type import FactType
from guiderail.policy.boundaries import Boundaries
from guiderail.policy.decision import PackRef
from guiderail.policy.prepared import GateForm, Quoting, Said, gate_form, parts, quoting
from guiderail.policy.readings import Reader, Readings
from guiderail.policy.support import Node, node
from guiderail.policy.templates import pieces
from guiderail.policy.vocabulary import CATALOGUE_ONLY, COMPUTED, Vocabulary, value_names
from guiderail_verify.judge import Rulebook, base_name, compile_rulebook, holds

SHIPPED: Final = Path(__file__).resolve().parent.parent / "packs"
COMPILED_FILE: Final = "compiled.json"
_KINDS: Final = ("model", "app", "pipeline")


@dataclass(frozen=True, slots=True)
class Pack:
    """tree: everything that decides. texts: titles, sentences and pages by id."""

    tree: Mapping[str, Any] = field(repr=False)
    texts: Mapping[str, Any] = field(repr=False)
    digest: Digest
    texts_digest: Digest
    _rulebooks: dict[tuple[str, int], Rulebook] = field(
        default_factory=dict, repr=False, compare=False
    )
    _days: list[str] = field(default_factory=list, repr=False, compare=False)
    _nodes: dict[int, Node] = field(default_factory=dict, repr=False, compare=False)
    _limits: dict[str, tuple[float, ...]] = field(default_factory=dict, repr=False, compare=False)
    _rules: dict[tuple[str, int], Mapping[str, Any]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _vocabulary: Vocabulary = field(default=CATALOGUE_ONLY, repr=False, compare=False)
    _readers: list[Reader] = field(default_factory=list, repr=False, compare=False)
    _wordings: dict[int, tuple[Said, ...]] = field(default_factory=dict, repr=False, compare=False)
    _templates: dict[str, Said] = field(default_factory=dict, repr=False, compare=False)
    _gate_forms: dict[str, GateForm] = field(default_factory=dict, repr=False, compare=False)
    _quotings: Mapping[str, Quoting] = field(default_factory=dict, repr=False, compare=False)
    _in_force: dict[tuple[str, str, int], tuple[Mapping[str, Any], ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _asked: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _parts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _designed: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _boundaries: list[Boundaries] = field(default_factory=list, repr=False, compare=False)

    @property
    def id(self) -> str:
        return str(self.tree["pack"])

    @property
    def version(self) -> str:
        return str(self.tree["version"])

    @property
    def ref(self) -> PackRef:
        return PackRef(self.id, self.version, self.digest, self.texts_digest)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.tree["kinds"])

    def role_title(self, role: str) -> str:
        """`ML Governance Analyst` for `ml-governance-analyst`."""
        title = self.texts["roles"].get(role)
        return str(title) if title is not None else role.replace("-", " ")

    @property
    def vocabulary(self) -> Vocabulary:
        """Every fact that this pack may name, its own included."""
        return self._vocabulary

    def node(self, tree: Mapping[str, Any]) -> Node:
        """The parts of an expression of this pack, prepared once."""
        known = self._nodes.get(id(tree))
        if known is None:
            known = self._nodes[id(tree)] = node(tree, self.tree["facts"])
        return known

    @property
    def boundaries(self) -> Boundaries:
        """Where rules and gates change their mind, found once."""
        if not self._boundaries:
            self._boundaries.append(Boundaries(self.tree))
        return self._boundaries[0]

    @property
    def asked(self) -> frozenset[str]:
        """Facts that a question of the interview asks for."""
        return self._asked

    @property
    def parts(self) -> Mapping[str, str]:
        """Facts that count some of what another fact counts, and that other fact."""
        return self._parts

    @property
    def designed(self) -> frozenset[str]:
        """Facts that a different design of the release changes; what the use is, is none."""
        return self._designed

    def readings(self, facts: FactSet) -> Readings:
        """Facts as the rules of this pack see them."""
        if not self._readers:
            self._readers.append(Reader(self.tree["facts"]))
        return self._readers[0].read(facts)

    def wording(self, cases: Sequence[Mapping[str, Any]]) -> tuple[Said, ...]:
        """The wordings of one sentence with their conditions, prepared once."""
        known = self._wordings.get(id(cases))
        if known is None:
            known = self._wordings[id(cases)] = tuple(
                self.said(case["says"], None if case["when"] is None else self.node(case["when"]))
                for case in cases
            )
        return known

    def template(self, text: str) -> Said:
        """A template of this pack, prepared once."""
        known = self._templates.get(text)
        if known is None:
            known = self._templates[text] = self.said(text)
        return known

    def said(self, text: str, when: Node | None = None) -> Said:
        """A template, ready to be filled in."""
        whole = pieces(text)
        if len(whole) == 1 and isinstance(whole[0], str):
            return Said(when, (), whole[0])
        return Said(when, parts(whole, self._quotings), "")

    @property
    def quotings(self) -> Mapping[str, Quoting]:
        """How each fact is quoted, by its name or by that of a bound."""
        return self._quotings

    def gate_form(self, gate: str) -> GateForm:
        """A gate for the people who read its verdict, prepared once."""
        known = self._gate_forms.get(gate)
        if known is None:
            tree = self.gate(gate)
            keys = ("applies_when", "pass_when", "fail_when")
            nodes = {key: self.node(tree[key]) for key in keys if tree[key] is not None}
            told = self.part_texts(gate)["sentences"]
            sentences = {verdict: self.wording(told[verdict]) for verdict in told if told[verdict]}
            known = self._gate_forms[gate] = gate_form(tree, sentences, nodes)
        return known

    def in_force(self, section: str, kind: str, at: datetime) -> tuple[Mapping[str, Any], ...]:
        """Advice or questions that hold for a kind at a moment, found once per span of days."""
        day = at.astimezone(UTC).date().isoformat()
        key = (section, kind, bisect_right(self._days, day))
        known = self._in_force.get(key)
        if known is None:
            parts = [part for part in self.tree[section] if holds(part, kind, day)]
            known = self._in_force[key] = tuple(parts)
        return known

    def limits(self, fact: str) -> tuple[float, ...]:
        """The numbers that the pack's rules and gates compare a fact with."""
        return self._limits.get(fact, ())

    @property
    def rules(self) -> Mapping[tuple[str, int], Mapping[str, Any]]:
        """The compiled form of every tier and track rule by id and level, of a gate by id and 0."""
        return self._rules

    def rule(self, rule: str, level: int) -> Mapping[str, Any]:
        """The compiled form of one level of a tier or track rule."""
        return self._rules[rule, level]

    def gate(self, gate: str) -> Mapping[str, Any]:
        """The compiled form of a gate."""
        return self._rules[gate, 0]

    def part_texts(self, part: str) -> Mapping[str, Any]:
        """Title, sentences and page of a rule, gate, piece of advice or question."""
        texts: Mapping[str, Any] = self.texts["parts"][part]
        return texts

    def rulebook(self, kind: str, at: datetime) -> Rulebook:
        """The rules in force for a kind at a moment, compiled once per span of days.

        Raises RefusedError when the pack says nothing about the kind or is not yet in force.
        """
        day = at.astimezone(UTC).date().isoformat()
        if kind not in self.kinds:
            raise RefusedError(
                f"The pack {self.id} has no rules for workloads of kind {kind}.",
                code="policy/other-kind",
                advice=f"It decides about: {', '.join(self.kinds)}. Choose the pack of the kind.",
            )
        if day < str(self.tree["effective_from"]):
            raise RefusedError(
                f"The pack {self.id} {self.version} is in force from "
                f"{self.tree['effective_from']}; the date asked for is {day}.",
                code="policy/not-in-force",
                advice="Name a later date, or the pack that was in force then.",
            )
        key = (kind, bisect_right(self._days, day))
        book = self._rulebooks.get(key)
        if book is None:
            book = self._rulebooks[key] = compile_rulebook(self.tree, kind, day)
        return book


def make_pack(tree: Mapping[str, Any], texts: Mapping[str, Any]) -> Pack:
    """A pack from its compiled form; the digests are computed here and never taken on trust."""
    sections = (tree["tiers"], tree["tracks"], tree["gates"], tree["advice"], tree["questions"])
    days = {day for parts in sections for part in parts
            for day in (part["since"], part["until"]) if day is not None}  # fmt: skip
    rules = {(part["id"], part.get("level", 0)): part for parts in sections[:3] for part in parts}
    vocabulary, limits = Vocabulary(own_facts(tree, texts)), _limits(tree)
    kinds = [kind for name in tree["facts"] if (kind := vocabulary.named(name)) is not None]
    return Pack(
        tree,
        texts,
        json_digest(tree),
        json_digest(texts),
        _days=sorted(days),
        _limits=limits,
        _rules=rules,
        _vocabulary=vocabulary,
        _quotings=_quotings(kinds, limits),
        _asked=frozenset(question["fact"] for question in tree["questions"]),
        _parts={kind.name: kind.part_of for kind in kinds if kind.part_of},
        _designed=frozenset(
            kind.name
            for kind in kinds
            if kind.can_change == "design" and not kind.name.startswith("use.")
        ),
    )


def own_facts(tree: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, FactType]:
    """The facts that a pack adds to the catalogue."""
    return {
        name: FactType(
            name=name,
            type=tree["facts"][name]["type"],
            unit=tree["facts"][name]["unit"],
            source=told["source"],
            how=told["how"],
            risk_direction=tree["facts"][name]["risk_direction"],
            can_change=tree["facts"][name]["can_change"],
            says=told["says"],
            values=tuple(tree["facts"][name]["values"]),
            kinds=tuple(told["kinds"]),
        )
        for name, told in texts["facts"].items()
    }


def _quotings(
    kinds: Sequence[FactType], limits: Mapping[str, tuple[float, ...]]
) -> dict[str, Quoting]:
    found: dict[str, Quoting] = {}
    for kind in (*BY_NAME.values(), *kinds):
        if kind.name not in COMPUTED:
            one = quoting(kind, limits.get(kind.name, ()))
            found |= dict.fromkeys(value_names(kind), one)
    return found


def _limits(tree: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    found: dict[str, set[float]] = {}
    pending: list[Any] = [tree["tiers"], tree["tracks"], tree["gates"], tree["advice"]]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
            if "compare" in part and "number" in part["right"]:
                name = base_name(part["left"]["fact"], tree["facts"])
                found.setdefault(name, set()).add(float(part["right"]["number"]))
    return {name: tuple(sorted(limits)) for name, limits in found.items()}


def load_pack(name: str = "model") -> Pack:
    """A pack that ships with Guiderail, from its compiled form.

    Raises InputError for other names and IntegrityError when the bytes are not those that were
    compiled.
    """
    file = SHIPPED / name / COMPILED_FILE
    if "/" in name or not file.is_file():
        names = ", ".join(sorted(path.parent.name for path in SHIPPED.glob(f"*/{COMPILED_FILE}")))
        raise InputError(
            f"There is no policy pack {name}.",
            code="policy/no-such-pack",
            advice=f"Packs: {names}. A pack of your own is named by its directory.",
        )
    try:
        return from_compiled(file.read_bytes(), name)
    except IntegrityError as error:
        raise IntegrityError(
            f"The compiled policy pack {name} is not the one that was shipped.",
            code="policy/pack-changed",
            advice="Install Guiderail again, or run `python -m guiderail.policy.compile`.",
        ) from error


def compiled_text(pack: Pack) -> str:
    """The text of `compiled.json`: sorted, one line per part, so that a diff can be read."""
    whole = {
        "digest": pack.digest,
        "texts_digest": pack.texts_digest,
        "tree": pack.tree,
        "texts": pack.texts,
    }
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def shipped_kinds() -> tuple[str, ...]:
    """The kinds of workload that a shipped pack decides about; it is named as the kind."""
    return tuple(kind for kind in _KINDS if (SHIPPED / kind / COMPILED_FILE).is_file())


def from_compiled(data: bytes, name: str) -> Pack:
    """A pack from the bytes of its compiled form.

    Raises IntegrityError when they are not a compiled pack, or not the one whose digests they name.
    """
    try:
        content = json.loads(data)
        pack = make_pack(content["tree"], content["texts"])
        named = (content["digest"], content["texts_digest"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"The compiled policy pack {name} cannot be read.",
            code="policy/pack-unreadable",
            advice="Restore it from a backup, or compile the pack again.",
        ) from error
    if (pack.digest, pack.texts_digest) != named:
        raise IntegrityError(
            f"The compiled policy pack {name} is not the one that its digest names.",
            code="policy/pack-changed",
            advice="Restore it from a backup and find out who changed it.",
        )
    return pack


def load_pack_directory(path: Path) -> Pack:
    """Read, check and compile a pack directory. Raises PackError with every problem."""
    from guiderail.policy.pack_builder import build
    from guiderail.policy.pack_reader import read_directory
    from guiderail.policy.problem import PackError

    built = build(read_directory(path))
    if built.problems:
        raise PackError(built.problems)
    return make_pack(built.tree, built.texts)
