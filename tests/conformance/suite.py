"""The cases as they lie on disk, for whoever verifies them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).with_name("cases")


@dataclass(frozen=True)
class StoredCase:
    """One folder. expected: with `accept`. others: implementation -> how it differs on purpose."""

    folder: Path
    kind: str
    question: Mapping[str, Any]
    expected: Mapping[str, Any]
    others: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        return self.folder.relative_to(CASES).as_posix()

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def accepted_by(self, *implementations: str) -> bool:
        """What these together should say, given how each of them differs."""
        for implementation in implementations:
            if implementation in self.others:
                return bool(self.others[implementation]["accept"])
        return bool(self.expected["accept"])


def stored_cases(*kinds: str) -> list[StoredCase]:
    """All cases, or those of some kinds, in the order of their names."""
    found = [_read(path.parent) for path in sorted(CASES.glob("*/*/case.json"))]
    return [case for case in found if not kinds or case.kind in kinds]


def _read(folder: Path) -> StoredCase:
    content = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return StoredCase(
        folder, content["kind"], content["question"], content["expected"], content.get("others", {})
    )
