"""The pre-flight check for a terminal: verdict, reasons, gates, what lightens it, who and when."""

from __future__ import annotations

from guiderail.core.digest import short
from guiderail.core.messages import FactShown, Finding, Reason, Severity
from guiderail.core.scales import KnownBy, Outcome, Track, Verdict
from guiderail.facts.collect import NOT_MEASURED
from guiderail.manifest.release import Release
from guiderail.policy.decision import Decision, GateResult, Lighter
from guiderail.policy.vocabulary import COMPUTED
from guiderail.render import words
from guiderail.render.lines import Line, columns, heading, paragraph

_KINDS_OF_THEIR_OWN = ("app", "pipeline")
"""Packs some of whose pages share their name with a page of the model pack, which comes first."""


def check_lines(release: Release, decision: Decision, compared_with: str | None) -> list[Line]:
    """Everything the submitter reads before deploying, in the order in which it matters."""
    manifest = release.manifest
    against = (
        f"compared with {short(compared_with)} in production"
        if compared_with
        else "nothing is in production to compare with"
    )
    lines = verdict_lines(decision)
    lines += paragraph(
        f"{manifest.name} {manifest.version} ({manifest.kind}) {short(release.digest)}, {against}",
        style="dim",
    )
    return lines + _body(decision)


def decision_lines(decision: Decision) -> list[Line]:
    """A decision on facts alone, without a release."""
    return verdict_lines(decision) + _body(decision)


def _body(decision: Decision) -> list[Line]:
    lines = _why(decision)
    lines += _gates(decision)
    lines += _advice(decision.findings)
    lines += lighter_lines(decision)
    lines += _who(decision)
    pack = decision.policy.pack
    kind = f" --kind {pack}" if pack in _KINDS_OF_THEIR_OWN else ""
    lines += paragraph(
        f"Policy {pack} {decision.policy.version} "
        f"({short(decision.policy.digest)}). Any name above has a page: guiderail explain "
        f"NAME{kind}",
        style="dim",
    )
    return lines


def brief_lines(release: Release, decision: Decision, compared_with: str | None) -> list[Line]:
    """The verdict, why, and what blocks; the other gates and the advice are left out."""
    manifest = release.manifest
    lines = verdict_lines(decision)
    against = f"compared with {short(compared_with)}" if compared_with else "a first release"
    lines += paragraph(f"{manifest.name} {manifest.version}, {against}", style="dim")
    return lines + _track(decision) + _blocked(decision)


def verdict_lines(decision: Decision) -> list[Line]:
    """The verdict sentence, the best case where it differs, and what blocks."""
    style, sentence = words.TRACK_STYLE[decision.track], words.TRACK_SENTENCE[decision.track]
    if decision.outcome is Outcome.BLOCKED:
        # What is blocked does not deploy by itself, however light its change.
        style, sentence = "red", f"{str(decision.track).capitalize()}, but blocked."
    lines = [Line(f"{sentence} {_outcome(decision)}", style)]
    if decision.best_case.rank < decision.track.rank:
        lines += paragraph(
            f"At best {decision.best_case}, once what is not known yet is measured or answered."
        )
    return lines


def _outcome(decision: Decision) -> str:
    if decision.track is Track.GREEN and decision.outcome == "go":
        return "Every gate passed."
    return words.OUTCOME_SENTENCE[decision.outcome]


def _why(decision: Decision) -> list[Line]:
    lines = heading(f"Tier {decision.tier}: how risky the use is")
    return lines + _tier_reasons(decision) + _track(decision)


def _track(decision: Decision) -> list[Line]:
    lines = heading(f"Track {decision.track}: how much attention this release gets")
    gates = {gate.id for gate in decision.gates}
    rules = tuple(reason for reason in decision.track_reasons if reason.rule not in gates)
    lines += _reasons(rules)
    unsettled = [reason for reason in decision.track_reasons if reason.rule in gates]
    if unsettled:
        names = ", ".join(reason.rule for reason in unsettled)
        lines += paragraph(
            f"{unsettled[0].raises_to}  Gates without enough evidence ask for their owners; they "
            f"are listed below. [{names}]",
            indent=2,
            hang=2,
        )
    if not decision.track_reasons:
        lines += paragraph("No rule asks for a review.", indent=2)
    return lines


def _tier_reasons(decision: Decision) -> list[Line]:
    """The reasons that set the tier in full; lighter ones by name, their pages say the rest."""
    setting = tuple(r for r in decision.tier_reasons if r.raises_to == decision.tier.value)
    others = [f"{r.rule} ({r.raises_to})" for r in decision.tier_reasons if r not in setting]
    lines = _reasons(setting)
    if others:
        lines += paragraph(f"Also: {', '.join(others)}", indent=2, hang=2, style="dim")
    return lines


def _reasons(reasons: tuple[Reason, ...]) -> list[Line]:
    lines: list[Line] = []
    for reason in reasons:
        lines += paragraph(
            f"{reason.raises_to}  {reason.sentence} [{reason.rule}]", indent=2, hang=2
        )
        lines += _sources(reason)
    return lines


def _sources(reason: Reason) -> list[Line]:
    lines: list[Line] = []
    for fact in reason.facts:
        told = "; ".join(part for part in (f"{fact.name} = {fact.value}", _origin(fact)) if part)
        lines += paragraph(told, indent=6, hang=2, style="dim")
    return lines


def _origin(fact: FactShown) -> str:
    """Where a value is from and how it is known; what the decision computed needs no witness."""
    if not fact.source or fact.name in COMPUTED or fact.value.startswith("not known"):
        return fact.source
    return f"{fact.source}, {words.KNOWN_BY[KnownBy(fact.known_by)]}"


def _gates(decision: Decision) -> list[Line]:
    to_do = [g for g in decision.gates if g.enforced and g.verdict is Verdict.INSUFFICIENT]
    waived = [g for g in decision.gates if g.verdict is Verdict.WAIVED]
    passed = [g for g in decision.gates if g.enforced and g.verdict is Verdict.PASS]
    warned = [
        g
        for g in decision.gates
        if not g.enforced and g.verdict in (Verdict.FAIL, Verdict.INSUFFICIENT)
    ]
    fixes = {finding.rule: finding.fix for finding in decision.findings}
    lines = _blocked(decision)
    if to_do:
        lines += heading("To do: evidence is missing or too thin")
        for gate in to_do:
            lines += _gate(gate, fixes)
        lines += _not_yet(decision)
    if waived:
        lines += heading("Waived for a time")
        for gate in waived:
            lines += _gate(gate, {})
    lines += heading(f"Passed: {len(passed)} of {_counted(decision)} gates that apply")
    if passed:
        lines += paragraph(", ".join(gate.id for gate in passed), indent=2)
    if warned:
        lines += paragraph(
            f"{len(warned)} more {'gate is' if len(warned) == 1 else 'gates are'} not asked for at "
            "this tier.",
            indent=2,
            style="dim",
        )
    return lines


def _blocked(decision: Decision) -> list[Line]:
    """The gates that fail, each with what to do about it."""
    failing = [g for g in decision.gates if g.enforced and g.verdict is Verdict.FAIL]
    if not failing:
        return []
    fixes = {finding.rule: finding.fix for finding in decision.findings}
    return heading("Blocked") + [line for gate in failing for line in _gate(gate, fixes)]


def _counted(decision: Decision) -> int:
    return sum(1 for g in decision.gates if g.enforced and g.verdict is not Verdict.NOT_APPLICABLE)


def _gate(gate: GateResult, fixes: dict[str, str]) -> list[Line]:
    sign = words.VERDICT_SIGN[gate.verdict]
    style = words.VERDICT_STYLE[gate.verdict]
    lines = paragraph(f"{sign} {gate.id}: {gate.sentence}", indent=2, hang=2, style=style)
    if gate.id in fixes:
        lines += paragraph(f"What to do: {fixes[gate.id]}", indent=4, hang=2)
    if gate.verdict is Verdict.FAIL:
        who = ", ".join(words.role(name) for name in gate.waivable_by)
        lines += paragraph(
            f"Who may waive it: {who}" if who else "Nobody may waive it.", indent=4, style="dim"
        )
    elif gate.verdict is Verdict.INSUFFICIENT:
        lines += paragraph(
            f"Who may accept it as it is: {words.role(gate.owner)}", indent=4, style="dim"
        )
    return lines


def _advice(findings: tuple[Finding, ...]) -> list[Line]:
    advice = [finding for finding in findings if finding.severity is Severity.ADVICE]
    if not advice:
        return []
    lines = heading("Advice: blocks nothing, a reviewer will ask")
    for finding in advice:
        lines += paragraph(
            f"{finding.sentence} [{finding.rule}, {finding.place}]", indent=2, hang=2
        )
        if finding.fix:
            lines += paragraph(finding.fix, indent=4, style="dim")
    return lines


def lighter_lines(decision: Decision) -> list[Line]:
    """What would make the track lighter; says so where nothing would."""
    if decision.track is Track.GREEN:
        return []
    lines = heading("What would make it lighter")
    if not decision.lighter:
        return lines + paragraph(
            "Nothing that you can change about this release: the reasons above stay.", indent=2
        )
    for way in decision.lighter:
        lines += _way(way)
    return lines


def _way(way: Lighter) -> list[Line]:
    how = "with new evidence" if way.by == "evidence" else "with a different design"
    lines = paragraph(f"{str(way.to).capitalize()}, {how}:", indent=2)
    for action in way.actions:
        lines += paragraph(f"- {action}", indent=4, hang=2)
    if not way.smallest:
        lines += paragraph("There may be a shorter way; not all were tried.", indent=4, style="dim")
    return lines


_NOT_YET = (
    "Not measured yet: this version of Guiderail has no measurement for it, so the owner of the "
    "gate looks."
)


def _not_yet(decision: Decision) -> list[Line]:
    """Said once, where some gate waits for a fact that nothing measures."""
    waits = any(NOT_MEASURED in gate.sentence for gate in decision.gates if gate.enforced)
    return paragraph(_NOT_YET, indent=2, style="dim") if waits else []


def _who(decision: Decision) -> list[Line]:
    lines = heading("Who and when")
    if not decision.reviewers:
        return lines + paragraph(f"Expected wait: {decision.expected_wait}.", indent=2)
    lines += columns(
        (words.role(need.role), ", ".join(need.because)) for need in decision.reviewers
    )
    lines += paragraph(f"Expected wait: {decision.expected_wait}.", indent=2)
    return lines
