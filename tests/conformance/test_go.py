"""A second implementation on every case: the Go authors' note and tree, and ours around them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conformance.go_program import build
from tests.conformance.suite import CASES, StoredCase, stored_cases
from tests.shared import made_once

SUMDB = "golang.org/x/mod/sumdb"
OURS = "go"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """Case -> what the program says about it."""
    place = made_once(tmp_path_factory, "conformance-go", build)
    done = subprocess.run(
        [place / "conformance", CASES], check=True, capture_output=True, text=True, timeout=120
    )
    found: dict[str, Mapping[str, Any]] = json.loads(done.stdout)
    return found


STORED = stored_cases()


def test_the_program_looks_at_every_case(verdicts: Mapping[str, Mapping[str, Any]]) -> None:
    assert sorted(verdicts) == [case.name for case in STORED]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in STORED])
def test_go_says_the_same_or_differs_as_the_case_explains(
    case: StoredCase, verdicts: Mapping[str, Mapping[str, Any]]
) -> None:
    verdict = verdicts[case.name]
    assert verdict["accept"] == case.accepted_by(SUMDB, OURS), verdict["reason"]
    if not verdict["accept"]:
        assert verdict["reason"]


def test_each_difference_is_a_real_one() -> None:
    """A note about a difference that is none would hide that the suite had changed."""
    for case in STORED:
        for name, other in case.others.items():
            assert other["accept"] != case.expected["accept"], (case.name, name)
            assert other["because"]
