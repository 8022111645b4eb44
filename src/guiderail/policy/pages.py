"""The page of a rule, gate, advice, question, control or fact: what `guiderail explain` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guiderail.core.errors import InputError
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact_type import FactType
from guiderail.policy.examples import ShownExample, shown_examples
from guiderail.policy.formula_text import formula_text
from guiderail.policy.pack import Pack
from guiderail.policy.vocabulary import COMPUTED, did_you_mean
from guiderail.policy.words import capitalised, joined
from guiderail_verify.evaluate import fact_names


@dataclass(frozen=True, slots=True)
class Reference:
    """A clause for which this is evidence. verified is False until a person has read the source."""

    clause: str
    about: str
    jurisdiction: str
    valid_from: str
    valid_to: str | None
    source: str
    status: str
    verified: bool
    verified_on: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """kind: `tier rule`, `track rule`, `gate`, `advice`, `question`, `control` or `fact`.

    conditions: label and expression, for example ("raises the track to red", "tier >= high").
    facts: names of the facts that it reads. used_by: for a fact or question, the ids that read it;
        for a control, the ids that are evidence for it.
    asked_of: each kind of workload and how it holds there ("from tier medium on").
    limits: facts and the numbers that the conditions compare them with, in words.
    questions: ids of the questions that ask for one of the facts.
    Texts that a kind does not have are empty.
    """

    id: str
    kind: str
    title: str
    what: str
    why: str
    good: str
    fix: str
    tools: tuple[str, ...]
    controls: tuple[str, ...] = ()
    refs: tuple[Reference, ...] = ()
    matters_to: str = ""
    evidence: str = ""
    waiver: str = ""
    waivable_by: tuple[str, ...] = ()
    owner: str = ""
    since: str = ""
    until: str = ""
    conditions: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    examples: tuple[ShownExample, ...] = ()
    asked_of: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    questions: tuple[str, ...] = ()


def page(page_id: str, pack: Pack) -> Page:
    """The page with this id. Raises InputError with the nearest id when there is none."""
    if page_id in pack.texts["parts"]:
        return _part_page(page_id, pack)
    if page_id.upper() in pack.texts["controls"]:
        from guiderail.policy.control_pages import control_page  # it is made of pages itself

        return control_page(page_id.upper(), pack)
    fact = pack.vocabulary.named(page_id)
    if fact is not None:
        return _fact_page(fact, pack)
    hint = did_you_mean(page_id, page_ids(pack))
    raise InputError(
        f"There is no page {page_id}.",
        code="page/unknown",
        advice=hint or "Every name that `guiderail check` prints has a page.",
    )


def page_ids(pack: Pack) -> tuple[str, ...]:
    """Every id that has a page: parts of the pack, controls, then facts."""
    own = (name for name in (*COMPUTED, *pack.vocabulary.own) if name not in BY_NAME)
    return (*pack.texts["parts"], *pack.texts["controls"], *BY_NAME, *own)


def _part_page(page_id: str, pack: Pack) -> Page:
    texts = pack.part_texts(page_id)
    if texts["section"] == "question":
        return _question_page(page_id, texts, pack)
    told = texts["page"]
    kind, trees = _conditions(page_id, pack)
    facts = _facts([tree for _, tree in trees], pack)
    return Page(
        id=page_id,
        kind=kind,
        title=texts["title"],
        what=told["what"],
        why=told["why"],
        good=told["good"],
        fix=told["fix"],
        tools=tuple(told["tools"]),
        controls=tuple(told["controls"]),
        refs=_references(told, pack),
        matters_to=told["matters_to"] or "",
        evidence=told["evidence"] or "",
        waiver=told["waiver"] or "",
        waivable_by=tuple(texts.get("waivable_by", ())),
        owner=texts["owner"],
        since=texts["since"],
        until=texts["until"] or "",
        conditions=tuple((label, formula_text(tree)) for label, tree in trees),
        facts=facts,
        examples=shown_examples(page_id, pack) if kind == "gate" else (),
        asked_of=_asked_of(page_id, pack),
        limits=_limits([tree for _, tree in trees], pack),
        questions=_questions(facts, pack),
    )


def _asked_of(page_id: str, pack: Pack) -> tuple[tuple[str, str], ...]:
    """Kinds of the pack for which the part holds. A gate says from which tier, or that it warns."""
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    found = [
        part["kinds"] for name in sections for part in pack.tree[name] if part["id"] == page_id
    ]
    if not found:
        found = [pack.part_texts(page_id).get("kinds", ())]
    if isinstance(found[0], Mapping):
        decided = pack.kinds or tuple(found[0])
        return tuple((kind, _from_tier(row)) for kind, row in found[0].items() if kind in decided)
    return tuple((kind, "always") for kind in found[0] if kind in (pack.kinds or found[0]))


def _from_tier(row: Mapping[str, Any]) -> str:
    if row["effect"] == "warns":
        return "only warns"
    return "on every tier" if row["from_tier"] == "low" else f"from tier {row['from_tier']} on"


def _questions(facts: Sequence[str], pack: Pack) -> tuple[str, ...]:
    return tuple(row["id"] for row in pack.tree["questions"] if row["fact"] in facts)


def _limits(trees: list[Any], pack: Pack) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The numbers that stand beside a fact in the conditions, smallest first, with its unit."""
    found: dict[str, set[float]] = {}
    pending = list(trees)
    while pending:
        match pending.pop():
            case {"compare": _, "left": {"fact": name}, "right": {"number": text}}:
                found.setdefault(pack.vocabulary.base_name(name), set()).add(float(text))
            case dict() as part:
                pending.extend(part.values())
            case list() as parts:
                pending.extend(parts)
    return tuple(
        (name, tuple(_limit(name, number, pack) for number in sorted(found[name])))
        for name in sorted(found)
    )


def _limit(name: str, number: float, pack: Pack) -> str:
    fact = pack.vocabulary.named(name)
    unit = fact.unit if fact is not None else ""
    return f"{number:g} {unit}".strip()


def _references(told: Mapping[str, Any], pack: Pack) -> tuple[Reference, ...]:
    """The clauses of the page itself, then those of the controls that it is evidence for."""
    rows = [*told["refs"]]
    for control in told["controls"]:
        rows += pack.texts["controls"][control]["mappings"]
    return tuple(dict.fromkeys(Reference(**row) for row in rows))


def _conditions(page_id: str, pack: Pack) -> tuple[str, list[tuple[str, Mapping[str, Any]]]]:
    for section, kind in (("tiers", "tier"), ("tracks", "track")):
        rules = [part for part in pack.tree[section] if part["id"] == page_id]
        if rules:
            return f"{kind} rule", [
                (f"raises the {kind} to {rule['raises_to']}{_adds(rule, pack)}", rule["when"])
                for rule in rules
            ]
    for gate in pack.tree["gates"]:
        if gate["id"] == page_id:
            labels = (("applies_when", "applies"), ("pass_when", "passes"), ("fail_when", "fails"))
            return "gate", [(label, gate[key]) for key, label in labels if gate[key] is not None]
    advice = [part for part in pack.tree["advice"] if part["id"] == page_id]
    return "advice", [("is shown", part["when"]) for part in advice]


def _adds(rule: Mapping[str, Any], pack: Pack) -> str:
    """Which reviewers the rule adds to those of the track."""
    roles = joined([pack.role_title(role) for role in rule["adds_reviewers"]])
    return f" and asks for a review by {roles}" if roles else ""


def _question_page(page_id: str, texts: Mapping[str, Any], pack: Pack) -> Page:
    row = next((part for part in pack.tree["questions"] if part["id"] == page_id), None)
    if row is None:
        return _computed_page(page_id, texts, pack)
    choices = [str(choice["label"]) for choice in texts["choices"]]
    asked = f" Answers: {'; '.join(choices)}." if choices else ""
    told = " It only tells reviewers more: no rule reads it." if row["context"] else ""
    skip = row["skip_when"]
    return Page(
        id=page_id,
        kind="question",
        title=texts["title"],
        what=f"Question {texts['number']} of the interview. It tells {texts['fact']}.{told}{asked}",
        why=texts["why"],
        good=texts["good"],
        fix=texts["help"] or _ask(texts, pack),
        tools=("guiderail answer",),
        owner=texts["owner"],
        since=texts["since"],
        until=texts["until"] or "",
        conditions=() if skip is None else (("is skipped", formula_text(skip)),),
        facts=(texts["fact"],),
        asked_of=_asked_of(page_id, pack),
        used_by=tuple(name for name in _readers(texts["fact"], pack) if name != page_id),
    )


def _ask(texts: Mapping[str, Any], pack: Pack) -> str:
    return f"Answer what you know. Where you do not, {pack.role_title(texts['ask'])} can know."


def _computed_page(page_id: str, texts: Mapping[str, Any], pack: Pack) -> Page:
    """A question of the interview that is shown and never asked."""
    return Page(
        id=page_id,
        kind="question",
        title=texts["title"],
        what=f"Number {texts['number']} of the interview. It is computed and never asked: the "
        f"interview shows {joined(texts['shows'])}.",
        why=texts["why"],
        good=texts["good"],
        fix=texts["help"] or "Nothing is to be answered.",
        tools=("guiderail check",),
        owner=texts["owner"],
        since=texts["since"],
        until=texts["until"] or "",
        facts=tuple(texts["shows"]),
        asked_of=_asked_of(page_id, pack),
    )


def _fact_page(fact: FactType, pack: Pack) -> Page:
    readers = _readers(fact.name, pack)
    questions = _questions((fact.name,), pack)
    unit = f" in {fact.unit}" if fact.unit else ""
    values = f" Values: {', '.join(fact.values)}." if fact.values else ""
    unread = "" if readers else "Nothing in this pack reads it. "
    return Page(
        id=fact.name,
        kind="fact",
        title=capitalised(fact.says),
        what=f"{_TYPES[fact.type]}{unit}, from {fact.source}: {fact.how}.{values}",
        why=f"{unread}While it is not known, it counts as the worst it could be.",
        good=_good(fact),
        fix=_CHANGES[fact.can_change],
        tools=tuple(f"guiderail explain {name}" for name in questions) or ("guiderail check",),
        facts=(fact.name,),
        used_by=tuple(readers),
        questions=questions,
        asked_of=tuple((kind, "always") for kind in fact.kinds),
    )


_TYPES = {
    "bool": "Yes or no",
    "integer": "A whole number",
    "number": "A number",
    "interval": "A number with its 95 % interval",
    "enum": "One of several values",
    "set": "A set of names",
    "text": "A text",
}
_CHANGES = {
    "evidence": "Measure it, have it approved or have it confirmed.",
    "design": "Another model or another use gives another value.",
    "no": "It is what it is; describe it as it is.",
}


def _good(fact: FactType) -> str:
    if fact.risk_direction == "none":
        return "No value is safer by itself; what counts is that it is known."
    up = fact.risk_direction == "up"
    match fact.type:
        case "bool":
            return f"{'No' if up else 'Yes'} is the safer value."
        case "enum":
            order = ", ".join(fact.values if up else fact.values[::-1])
            return f"From safest to riskiest: {order}."
    return f"{'Smaller' if up else 'Larger'} is safer."


def _readers(name: str, pack: Pack) -> list[str]:
    keys = ("when", "applies_when", "pass_when", "fail_when", "skip_when")
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    found = {
        part["id"]: None
        for section in sections
        for part in pack.tree[section]
        if name in _facts([part[key] for key in keys if part.get(key) is not None], pack)
    }
    return list(found)


def _facts(trees: list[Any], pack: Pack) -> tuple[str, ...]:
    return tuple(
        sorted({pack.vocabulary.base_name(name) for tree in trees for name in fact_names(tree)})
    )
