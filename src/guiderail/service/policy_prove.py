"""Prove the properties of a pack, and say what came of it."""

from __future__ import annotations

from typing import Any

from guiderail.policy.pack import Pack
from guiderail.policy.proofs.counterexample import Counterexample, Decided
from guiderail.policy.proofs.prove import SECONDS, Limits, Proof, Proved, prove_pack
from guiderail.service.policy import named_pack


def prove_named(name: str, *, solver: bool = True, seconds: float = SECONDS) -> dict[str, Any]:
    """The proof of a shipped pack or a pack directory. seconds: for one property of one kind.

    Raises InputError for a pack that cannot be read, and IntegrityError when an engine and the
    evaluator disagree.
    """
    return proof_document(prove(named_pack(name), solver=solver, seconds=seconds))


def prove(pack: Pack, *, solver: bool = True, seconds: float = SECONDS) -> Proof:
    """The proof of a pack that is loaded already."""
    return prove_pack(pack, solver=solver, limits=Limits(seconds=seconds))


def proof_document(proof: Proof) -> dict[str, Any]:
    """A proof as JSON. counterexample: of the first violation that has one."""
    pack = proof.pack
    return {
        "pack": pack.id,
        "version": pack.version,
        "digest": pack.digest,
        "method": proof.method,
        "why_method": proof.why_method or None,
        "holds": proof.holds,
        "properties": [_property(each) for each in proof.properties],
    }


def _property(proved: Proved) -> dict[str, Any]:
    examples = [each.counterexample for each in proved.violations if each.counterexample]
    return {
        "name": proved.name,
        "title": proved.title,
        "why": proved.why,
        "kind": proved.kind or None,
        "day": proved.day,
        "result": proved.result,
        "reason": proved.reason or None,
        "claims": proved.claims,
        "combinations": proved.combinations or None,
        "counterexample": _counterexample(examples[0]) if examples else None,
        "violations": [
            {"about": each.about, "says": each.says,
             "counterexample": _counterexample(each.counterexample)}
            for each in proved.violations
        ],
        "undecided": [{"about": about, "reason": reason} for about, reason in proved.undecided],
        "exceptions": [
            {"about": each.about, "reason": each.reason, "needed": each.needed,
             "counterexample": _counterexample(each.counterexample)}
            for each in proved.exceptions
        ],
        "seconds": round(proved.seconds, 3),
    }  # fmt: skip


def _counterexample(example: Counterexample | None) -> dict[str, Any] | None:
    if example is None:
        return None
    other = example.compared_with
    return {
        "says": example.says,
        **_decided(example.release),
        "compared_with": _decided(other) if other is not None else None,
        "kind": example.kind,
        "at": example.day,
    }


def _decided(decided: Decided) -> dict[str, Any]:
    return {
        "facts": dict(decided.facts),
        "tier": decided.tier,
        "track": decided.track,
        "outcome": decided.outcome,
    }
