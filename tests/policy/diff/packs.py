"""Copies of the shipped packs with single edits, and packs of one's own, for comparisons."""

from __future__ import annotations

import shutil
from pathlib import Path

from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.policy.pack import SHIPPED

Edit = tuple[str, str, str]
"""File below the model pack, what stands there, and what takes its place, everywhere in it."""


def edited(folder: Path, *edits: Edit) -> Pack:
    """The model pack with some edits."""
    for name in ("baseline", "model"):
        shutil.copytree(SHIPPED / name, folder / name)
    for file, old, new in edits:
        path = folder / "model" / file
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} does not stand in {file}"
        path.write_text(text.replace(old, new), "utf-8")
    return load_pack_directory(folder / "model")


def own_pack(folder: Path, settings: str = "", **files: str) -> Path:
    """A directory that extends the model pack; `tracks__name` becomes tracks/name.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n{settings}",
        "utf-8",
    )
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/').replace('_', '-')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def shipped(file: str) -> str:
    return (SHIPPED / "model" / file).read_text("utf-8")
