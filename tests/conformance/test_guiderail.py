"""Our own verifier on every case of the suite."""

from __future__ import annotations

import pytest

from guiderail_verify.errors import VerifyError
from tests.conformance.by_guiderail import KINDS, ask
from tests.conformance.generator.__main__ import all_cases
from tests.conformance.generator.case import write
from tests.conformance.suite import CASES, StoredCase, stored_cases

STORED = stored_cases()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in STORED if case.expected["accept"]]
)
def test_what_is_right_is_accepted(case: StoredCase) -> None:
    expected = {name: value for name, value in case.expected.items() if name != "accept"}
    assert ask(case) == expected


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in STORED if not case.expected["accept"]]
)
def test_what_is_wrong_is_refused_for_its_reason(case: StoredCase) -> None:
    with pytest.raises(VerifyError) as caught:
        ask(case)
    assert case.expected["guiderail"] in caught.value.code.split(" ")


def test_each_folder_says_by_its_name_what_is_expected_and_each_refusal_says_why() -> None:
    assert {case.kind for case in STORED} == set(KINDS)
    for case in STORED:
        refused = not case.expected["accept"]
        assert case.name.endswith("_fail") == refused, case.name
        assert (case.folder / "README.md").exists() == refused, case.name


def test_the_cases_are_those_that_the_generator_writes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    written = tmp_path_factory.mktemp("cases")
    write(all_cases(), written)
    paths = {path.relative_to(written) for path in written.rglob("*") if path.is_file()}
    stored = {path.relative_to(CASES) for path in CASES.rglob("*") if path.is_file()}
    assert paths == stored
    for path in sorted(paths):
        assert (written / path).read_bytes() == (CASES / path).read_bytes(), path
