"""What every gate says, with its sentence, its numbers and what is still needed."""

from __future__ import annotations

from guiderail.core.scales import Verdict
from guiderail.policy.decision import GateResult
from guiderail.policy.pack import Pack
from guiderail.policy.prepared import GateForm, VerdictForm
from guiderail.policy.sentences import Teller
from guiderail.policy.support import carriers, unknown_carriers
from guiderail_verify.evaluate import UNKNOWN
from guiderail_verify.judge import GateVerdict, Judgement

ACCEPTED = "Its owner has accepted this for the release."
WAIVED = "A waiver is in force."


def gate_results(
    pack: Pack,
    judged: Judgement,
    teller: Teller,
    waived: frozenset[str],
    accepted: frozenset[str],
) -> tuple[GateResult, ...]:
    """One result for every gate of the kind, enforced ones first."""
    results = [_result(pack, gate, judged, teller, waived, accepted) for gate in judged.gates]
    enforced = [result for result in results if result.enforced]
    return (*enforced, *[result for result in results if not result.enforced])


def _result(
    pack: Pack,
    gate: GateVerdict,
    judged: Judgement,
    teller: Teller,
    waived: frozenset[str],
    accepted: frozenset[str],
) -> GateResult:
    rule, verdict, enforced = gate
    name = rule.id
    form = pack.gate_form(name)
    told = form.verdicts[verdict]
    shown = told.verdict
    needs = _needs(form, judged) if verdict == "insufficient" else ()
    sentence = told.plain or teller.say(told.wordings, needs)
    if verdict in ("fail", "insufficient") and name in waived and form.waivable_by:
        shown, sentence = Verdict.WAIVED, f"{sentence} {WAIVED}"
    elif verdict == "insufficient" and name in accepted:
        sentence = f"{sentence} {ACCEPTED}"
    quoted = _quoted(form, told, judged) if told.quoted is None else told.quoted
    return GateResult(
        name,
        shown,
        enforced,
        sentence,
        needs,
        form.owner,
        form.waivable_by,
        teller.shown(quoted),
        name,
    )


def _quoted(form: GateForm, told: VerdictForm, judged: Judgement) -> tuple[str, ...]:
    """The facts that carry the verdict, without limits that nobody has set."""
    values, absent = judged.values, form.may_be_absent
    nodes = told.carriers
    if len(nodes) == 1 and not absent:
        return carriers(nodes[0], values)
    names = dict.fromkeys([name for node in nodes for name in carriers(node, values)])
    return tuple(
        name for name in names if name not in absent or values.get(name, UNKNOWN) is not UNKNOWN
    )


def _needs(form: GateForm, judged: Judgement) -> tuple[str, ...]:
    """The unknown facts that would settle the gate."""
    found = [name for node in form.needs for name in unknown_carriers(node, judged.values)]
    return tuple(name for name in dict.fromkeys(found) if name not in form.may_be_absent)
