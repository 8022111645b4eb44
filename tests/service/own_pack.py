"""A pack of an organisation's own that changes one rule of the model pack."""

from __future__ import annotations

from pathlib import Path

from guiderail.policy import load_pack
from guiderail.policy.pack import SHIPPED

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
