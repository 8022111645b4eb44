"""The command line as tests use it: in this process, with what it prints and its exit code."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from guiderail.cli.main import main

ESCAPE = "\x1b"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands in one workspace."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, line: str) -> Said:
        """One command line, as typed after `guiderail`."""
        self.capture.readouterr()
        code = main(shlex.split(line))
        seen = self.capture.readouterr()
        return Said(code, seen.out, seen.err)


def masked(text: str, *places: Path) -> str:
    """Text without what differs from run to run: digests, directories and moments."""
    for place in places:
        text = text.replace(str(place), "DIR")
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text)
    text = re.sub(r"\d{4}-\d{2}-\d{2}(T[0-9:.]+Z?)?", "DATE", text)
    return re.sub(r"\b\d+(\.\d+)? (days|day|hours|minutes|seconds)\b", "SOME TIME", text)
