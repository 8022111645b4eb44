"""What every gate says, with its sentence, its numbers and what is still needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from guiderail.core.scales import Verdict
from guiderail.policy.decision import GateResult
from guiderail.policy.pack import Pack
from guiderail.policy.sentences import Teller
from guiderail.policy.support import carriers, unknown_carriers
from guiderail_verify.evaluate import UNKNOWN
from guiderail_verify.judge import GateVerdict, Judgement

_CARRIED_BY: Final = {
    "not_applicable": ("applies_when",),
    "fail": ("fail_when",),
    "pass": ("pass_when",),
    "insufficient": ("pass_when", "fail_when"),
}
_VERDICTS: Final = {verdict.value: verdict for verdict in Verdict}
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
    return tuple(sorted(results, key=lambda result: not result.enforced))


def _result(
    pack: Pack,
    gate: GateVerdict,
    judged: Judgement,
    teller: Teller,
    waived: frozenset[str],
    accepted: frozenset[str],
) -> GateResult:
    name, verdict = gate.gate.id, gate.verdict
    tree, texts = pack.gate(name), pack.part_texts(name)
    needs: tuple[str, ...] = ()
    quoted = _quoted(pack, gate, judged)
    if verdict == "insufficient":
        needs = _needs(pack, tree, judged)
    sentence = teller.wording(texts["sentences"][verdict], needs)
    if verdict in ("fail", "insufficient") and name in waived and tree["waivable_by"]:
        verdict, sentence = "waived", f"{sentence} {WAIVED}"
    elif verdict == "insufficient" and name in accepted:
        sentence = f"{sentence} {ACCEPTED}"
    return GateResult(
        id=name,
        verdict=_VERDICTS[verdict],
        enforced=gate.enforced,
        sentence=sentence,
        needs=needs,
        owner=str(tree["owner"]),
        waivable_by=tuple(tree["waivable_by"]),
        facts=teller.shown(quoted),
        page=name,
    )


def _quoted(pack: Pack, gate: GateVerdict, judged: Judgement) -> tuple[str, ...]:
    """The facts that carry the verdict, without limits that nobody has set."""
    tree = pack.gate(gate.gate.id)
    keys = _CARRIED_BY[gate.verdict]
    names: dict[str, None] = {}
    for key in keys:
        if tree[key] is not None:
            names |= dict.fromkeys(carriers(pack.node(tree[key]), judged.values))
    absent = tree["may_be_absent"]
    if not absent:
        return tuple(names)
    return tuple(
        name for name in names
        if name not in absent or judged.values.get(name, UNKNOWN) is not UNKNOWN
    )  # fmt: skip


def _needs(pack: Pack, tree: Mapping[str, Any], judged: Judgement) -> tuple[str, ...]:
    """The unknown facts that would settle the gate."""
    names: dict[str, None] = {}
    absent = set(tree["may_be_absent"])
    for key in ("applies_when", "pass_when", "fail_when"):
        if tree[key] is not None:
            found = unknown_carriers(pack.node(tree[key]), judged.values)
            names |= dict.fromkeys(name for name in found if name not in absent)
    return tuple(names)
