"""One case of the suite: the files, the question about them and the answer expected."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SUFFIX = "_fail"


@dataclass(frozen=True)
class Case:
    """files: what is looked at, by path. question: what a verifier is told besides.

    answer: what comes out where the case is accepted. code: Guiderail's reason of a refusal; empty
    where the case is accepted. wrong, why: what the README of a refusal says.
    lenient: implementation -> why it accepts what must be refused here, or cannot tell.
    strict: implementation -> why it refuses what is accepted here.
    """

    kind: str
    name: str
    files: Mapping[str, bytes]
    question: Mapping[str, object]
    answer: Mapping[str, object] = field(default_factory=dict)
    code: str = ""
    wrong: str = ""
    why: str = ""
    lenient: Mapping[str, str] = field(default_factory=dict)
    strict: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return f"{self.kind}/{self.name}{SUFFIX if self.code else ''}"


def write(cases: list[Case], root: Path) -> None:
    """Every case into a folder of its own below `root`."""
    folders = [case.folder for case in cases]
    if len(set(folders)) != len(folders):
        raise ValueError("two cases have one name")
    for case in cases:
        for path, data in _content(case).items():
            place = root / case.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def _content(case: Case) -> dict[str, bytes]:
    if bool(case.code) != bool(case.wrong and case.why):
        raise ValueError(f"{case.folder}: a refusal needs its reasons, and nothing else has them")
    expected: dict[str, object] = {"accept": not case.code}
    if case.code:
        expected["guiderail"] = case.code
    else:
        expected |= case.answer
    described = {"kind": case.kind, "question": dict(case.question), "expected": expected}
    different = {**case.lenient, **case.strict}
    if different:
        described["others"] = {
            name: {"accept": name in case.lenient, "because": because}
            for name, because in sorted(different.items())
        }
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    content = {**case.files, "case.json": text.encode("utf-8")}
    if case.code:
        content["README.md"] = _read_me(case, different).encode("utf-8")
    return content


def _read_me(case: Case, different: Mapping[str, str]) -> str:
    title = case.name.replace("-", " ").capitalize()
    parts = [
        f"# {title}",
        f"What is wrong: {case.wrong}",
        f"Why it must be refused: {case.why}",
        *(f"Implementations that differ: `{name}`: {because}" for name, because in
          sorted(different.items())),
    ]  # fmt: skip
    return "\n\n".join(textwrap.fill(part, 100) for part in parts) + "\n"
