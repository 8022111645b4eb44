"""A pack of an organisation's own that changes one rule of the model pack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from guiderail.policy import Pack, load_pack
from guiderail.policy.diff import PackDiff
from guiderail.policy.pack import SHIPPED
from guiderail.policy.proofs.prove import Proof
from guiderail.service import policy_evidence

RULE = "tracks/features-removed.yaml"


def write_own_pack(
    folder: Path,
    effective: str,
    *,
    raises_to: str = "red",
    owner: str = "ml-governance-analyst",
    part_owner: str = "ml-platform-engineer",
) -> Path:
    """Removed features are red. owner: of the pack; part_owner: of the rule."""
    (folder / "tracks").mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(
        f"id: ours\nversion: '1'\ntitle: Ours\neffective_from: '{effective}'\nowner: {owner}\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n",
        "utf-8",
    )
    rule = (SHIPPED / "model" / RULE).read_text("utf-8")
    for old, new in (
        ("id: features-removed", "id: features-removed\noverrides: model"),
        ("raises_to: yellow", f"raises_to: {raises_to}"),
        ("owner: ml-platform-engineer", f"owner: {part_owner}"),
    ):
        assert old in rule
        rule = rule.replace(old, new, 1)
    (folder / RULE).write_text(rule, "utf-8")
    return folder


def remember_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prove and compare each pack once in this process: both rest on the digests alone."""
    prove, compare = policy_evidence.prove_pack, policy_evidence.diff_packs

    def proof(pack: Pack) -> Proof:
        if pack.digest not in _PROOFS:
            _PROOFS[pack.digest] = prove(pack)
        return _PROOFS[pack.digest]

    def difference(old: Pack, new: Pack, kinds: Sequence[str]) -> PackDiff:
        key = (old.digest, old.texts_digest, new.digest, new.texts_digest, *kinds)
        if key not in _DIFFERENCES:
            _DIFFERENCES[key] = compare(old, new, kinds)
        return _DIFFERENCES[key]

    monkeypatch.setattr(policy_evidence, "prove_pack", proof)
    monkeypatch.setattr(policy_evidence, "diff_packs", difference)


_PROOFS: dict[str, Proof] = {}
_DIFFERENCES: dict[tuple[str, ...], PackDiff] = {}
