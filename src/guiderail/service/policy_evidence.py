"""What is known about a proposed pack before anybody decides about it.

Its proofs have to hold, or it is not proposed at all. What it changes, and what that would have
meant for past decisions, is kept with the change, so that every owner decides on the same page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from guiderail.core.errors import RefusedError
from guiderail.policy.diff import diff_packs
from guiderail.policy.pack import Pack
from guiderail.policy.proofs.prove import Proof, prove_pack
from guiderail.render.diff_json import diff_document
from guiderail.review import cases
from guiderail.review.states import BEFORE_TRAFFIC
from guiderail.service.replay import replay_pack, replayed_document
from guiderail.service.workspace import Workspace

Progress = Callable[[str, float], None]
REPLAYED: Final = timedelta(days=365)
"""How far back past decisions are asked again."""


def evidence_of(
    workspace: Workspace,
    pack: Pack,
    before: Mapping[str, Pack],
    now: datetime,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The evidence about a pack that is to take the place of those in force, by kind.

    Raises RefusedError `policy/not-proved` when a property that must hold is refuted or undecided:
    what could not be proved is not taken for proved.
    """
    report = progress or _silent
    report("proving", 0.1)
    proof = prove_pack(pack)
    if not proof.holds:
        raise _not_proved(proof)
    report("comparing with the pack in force", 0.5)
    differences = {
        kind: diff_document(diff_packs(old, pack, [kind])) for kind, old in before.items()
    }
    report("asking about past decisions", 0.8)
    since = now - REPLAYED
    past = replayed_document(replay_pack(workspace, pack, since=since), since.date().isoformat())
    return {
        "proofs": _proofs(proof),
        "changes": differences,
        "replay": past,
        "open_cases": _open_cases(workspace, pack),
    }


def _silent(what: str, share: float) -> None:
    """Nobody watches."""


def _proofs(proof: Proof) -> dict[str, Any]:
    return {
        "method": proof.method,
        "properties": [
            {"name": one.name, "title": one.title, "kind": one.kind, "result": one.result,
             "exceptions": [{"about": each.about, "reason": each.reason}
                            for each in one.exceptions]}
            for one in proof.properties
        ],
    }  # fmt: skip


def _not_proved(proof: Proof) -> RefusedError:
    wrong = next(one for one in proof.properties if one.result in ("refuted", "undecided"))
    why = wrong.reason
    if wrong.violations:
        first = wrong.violations[0]
        why = first.counterexample.says if first.counterexample else first.says
    return RefusedError(
        f"the pack {proof.pack.id} is not proved. {wrong.title} This is {wrong.result}: {why}",
        code="policy/not-proved",
        advice="`guiderail policy prove` shows every property with a release that breaks it. The "
        "pack in force stays in force.",
    )


def _open_cases(workspace: Workspace, pack: Pack) -> list[str]:
    """Cases without traffic yet: they are submitted again when the policy under them changes."""
    with workspace.store.read() as snapshot:
        return [
            case.id
            for case in cases.list_cases(snapshot)
            if case.kind in pack.kinds and case.state in BEFORE_TRAFFIC
        ]
