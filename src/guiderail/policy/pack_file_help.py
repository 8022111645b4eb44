"""What each key of a pack's files is for: the completion help of editors.

A key means the same in every file unless `IN_CLASS` says more about it in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SHARED: Final[Mapping[str, str]] = {
    "id": "The name of the part, of its file and of its page: words joined by hyphens.",
    "title": "What the part is about, in a few words, as lists show it.",
    "owner": "The role that answers for this part and approves its edits.",
    "since": "The first day on which it holds, as 2026-11-23.",
    "until": "The first day on which it does not hold any more; left out while nobody knows one.",
    "overrides": "The pack whose part of this id it takes the place of.",
    "kinds": "The kinds of workload that it is about; left out, those of the pack.",
    "raises_to": "The tier, or the track, that a release has at least while this counts.",
    "when": "The condition over facts; && || ! == != < <= > >= in ( ), no functions.",
    "sentence": "What the submitter reads; {fact} becomes its value. Several wordings have a `when`"
    " each.",
    "worst": "What is assumed while a fact of the condition is not known.",
    "adds_reviewers": "Roles that have to look as well while this counts.",
    "levels": "Several conditions of one rule, each with its own tier or track.",
    "counts": "Whether an unknown condition counts: either (yes), certain (no), or unknown only.",
    "blocks": "Whether nothing may start while the rule counts.",
    "adds_on": "Whether reviewers of a tier rule join on every track, or only where people review.",
    "because": "How the sentence `This release requires ... review because ...` goes on.",
    "by": "What could stop the rule from counting: new evidence, another design, or nothing.",
    "to_lighten": "The action that stops the rule from counting, in the imperative.",
    "where": "The key of guiderail.yaml to point at, such as evaluation.data.",
    "page": "The page that `guiderail explain` shows.",
    "what": "What is checked, in a sentence.",
    "why": "Why it matters.",
    "matters_to": "To whom it matters most.",
    "good": "What good enough looks like.",
    "fix": "What to do about it, in the imperative.",
    "tools": "Commands and tools that help.",
    "evidence": "Which evidence is produced or asked for.",
    "waiver": "Who may waive it, and when that makes sense.",
    "controls": "Controls of the catalogue that this is evidence for.",
    "refs": "Clauses that this is evidence for; never a claim of compliance.",
    "clause": "The clause, as its source numbers it.",
    "about": "What the clause asks for, in your own words.",
    "jurisdiction": "Where the clause applies.",
    "valid_from": "The first day on which the clause applies.",
    "valid_to": "The last day on which the clause applies.",
    "source": "Where the text was read.",
    "status": "Whether the clause applies: planned, in-force or ended.",
    "verified": "Whether a person has read the source.",
    "verified_on": "The day on which a person last read the source.",
    "says": "The words.",
    "pass": "When the gate passes.",
    "fail": "When the gate fails.",
    "insufficient": "When evidence is missing or too thin.",
    "not_applicable": "When the gate does not apply.",
    "from_tier": "The tier from which it is enforced; below, it only warns.",
    "from_tier_for": "Another tier for single kinds of workload.",
    "applies_when": "The condition under which the gate applies; left out, it always does.",
    "pass_when": "The condition that passes the gate. What neither passes nor fails is"
    " insufficient.",
    "fail_when": "The condition that fails the gate; left out, it never fails.",
    "may_be_absent": "Facts of `fail_when` whose absence means that nobody set such a limit.",
    "waivable_by": "Roles that may waive the gate for a time; none may where the list is empty.",
    "sentences": "What the gate says for each verdict.",
    "do": "The next step of the submitter for each verdict, in the imperative.",
    "examples": "Facts and the verdict they must give; every one runs as a test.",
    "name": "What the example shows.",
    "verdict": "The verdict that the facts must give.",
    "facts": "Values by name of the fact; what is left out is unknown.",
    "number": "The place of the question in the interview, 1 to 26.",
    "fact": "The fact that the answer gives; left out where the platform computes the answer.",
    "shows": "Facts that are told with the question, as a draft of the answer.",
    "ask": "The role that can know where the owner does not.",
    "question": "The question, in the second person.",
    "help": "A longer explanation, shown on request.",
    "choices": "The answers to choose from, each value of the fact once.",
    "skip_when": "The condition under which no answer could change anything.",
    "value": "The value of the fact.",
    "label": "How the answer reads.",
    "statement": "What the control asks for.",
    "recorded": "What this version records as evidence beside gates and rules, and what not.",
    "note": "What a reader should know beside it.",
    "mappings": "Clauses of laws and standards that the control gives evidence for.",
    "type": "The type of the fact's values.",
    "values": "The members of an enum, the safest first where one is riskier than another.",
    "unit": "The unit, such as % or days.",
    "how": "How the value is found.",
    "risk_direction": "Whether more (up) or less (down) of it is riskier.",
    "can_change": "What could change the value: new evidence, another design, or nothing.",
    "version": "The version of the pack, for people; the digest is what counts.",
    "effective_from": "The first day on which the pack holds, as 2026-11-23.",
    "extends": "The pack that this one builds on: beside it, or shipped with Guiderail.",
    "extends_digest": "The digest of the extended pack that you have read.",
    "drops": "Parts of the extended pack that do not hold here, each with the reason.",
    "limits": "Names for numbers; rules and texts write limit.NAME.",
    "reverify_after_days": "After how many days the source of a clause is read again.",
    "minimum_known_by": "How a fact must at least be known for green to rest on it, by the"
    " beginning of its name.",
    "reviewers": "The roles that look at a release of each track.",
    "targets_hours": "Working hours until a decision, for each track.",
    "expected_wait": "How long it usually takes, in words, for each track.",
    "review_hours": "Hours of work of one review, for each track.",
    "invariants": "What must hold whatever the rules become; `guiderail policy prove` tries it.",
    "never_lighter_than": "The least tier or track where the condition holds or is unknown.",
    "proof_exceptions": "Facts and rules that a property of `guiderail policy prove` leaves out,"
    " each with the reason.",
    "roles": "The title of every role that this policy names.",
}

IN_CLASS: Final[Mapping[tuple[str, str], str]] = {
    ("GateFile", "kinds"): "For each kind of workload whether the gate is enforced or only warns.",
    ("GateFile", "minimum_known_by"): "How the facts that the gate reads must at least be known for"
    " green to rest on them.",
    ("QuestionFile", "why"): "Why the question is asked.",
    ("QuestionFile", "good"): "What a good answer looks like.",
    ("ControlFile", "id"): "Capital letters, a hyphen and a number.",
    ("FactFile", "id"): "Words joined by dots, such as our.vendor_rating.",
    ("FactFile", "says"): "What the fact is about, so that `... is not known` can follow.",
    ("FactFile", "source"): "Which system or person the value comes from.",
    ("PackFile", "kinds"): "The kinds of workload that the pack decides about; none for a"
    " foundation that others extend.",
    ("PackFile", "title"): "What the pack is about, in a few words.",
    ("Invariant", "says"): "The promise, in a sentence.",
    ("Case", "when"): "The condition under which these words are right; left out, they are the"
    " general ones.",
    ("GateSentences", "pass"): "What it says when it passes.",
    ("GateSentences", "fail"): "What it says when it fails.",
    ("GateSentences", "insufficient"): "What it says when evidence is missing or too thin.",
    ("GateSentences", "not_applicable"): "What it says when it does not apply.",
    ("ToDo", "fail"): "What to do when it fails.",
    ("ToDo", "insufficient"): "What to do when evidence is missing or too thin.",
}


def help_for(part: str, key: str) -> str:
    """The help for a key of a class of `pack_files`; empty where nobody has written it."""
    return IN_CLASS.get((part, key)) or SHARED.get(key, "")
