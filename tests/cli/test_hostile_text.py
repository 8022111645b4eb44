"""What somebody else wrote does not steer the terminal of whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import ESCAPE, Terminal

STEERING = (ESCAPE, "\x07", "\x9b", "\u202e", "\u2066", "\u200f", "\x7f")


@pytest.mark.parametrize("sign", STEERING, ids=lambda sign: f"U+{ord(sign):04X}")
def test_a_name_in_a_facts_file_does_not_steer_the_terminal(
    guiderail: Terminal, tmp_path: Path, sign: str
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({f"use.{sign}[2J": True}), "utf-8")
    said = guiderail(f"policy eval model --facts {facts}")
    assert said.code == 4
    assert not set(STEERING) & set(said.err + said.out)
    assert "There is no fact" in " ".join(said.err.split())


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_of_a_pack_is_quoted_without_what_would_steer_the_terminal(
    guiderail: Terminal, tmp_path: Path, form: str
) -> None:
    (tmp_path / "pack.yaml").write_bytes(b"id: ours\ntitle: \x1b[2J \xe2\x80\xae \x7f\n")
    said = guiderail(f"policy check {tmp_path} --format {form}")
    assert said.code == 1
    assert not set(STEERING) & set(said.out)
    assert "pack.yaml" in said.out
