"""`guiderail policy check`: what is wrong with a pack, where, and what to do about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from guiderail.policy import load_pack_directory
from guiderail.policy.pack import SHIPPED
from guiderail.policy.problem import PackError
from guiderail.policy.problems import check_pack_directory
from tests.policy.test_pack import PACKS, copy_of

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("name", PACKS)
def test_the_packs_that_ship_have_no_problem(name: str) -> None:
    checked = check_pack_directory(SHIPPED / name, today=TODAY)
    assert checked.problems == ()
    assert checked.pack is not None


BROKEN: list[tuple[str, str, str, str, str, str]] = [
    (
        "a fact that does not exist",
        "tracks/architecture.yaml", "change.architecture", "change.architectur",
        "tracks/architecture.yaml:7:22",
        "There is no fact change.architectur. Did you mean change.architecture?",
    ),
    (
        "a value that an enum never has",
        "tiers/pricing.yaml", '"pricing"', '"prices"',
        "tiers/pricing.yaml:7:17",
        'use.domain is never "prices". Did you mean pricing?',
    ),
    (
        "a second line of an expression",
        "tiers/high-domain.yaml", '"education", "health"', '"education", "heath"',
        "tiers/high-domain.yaml:8:73",
        'use.domain is never "heath". Did you mean health?',
    ),
    (
        "a key that is misspelt",
        "gates/cost.yaml", "fail_when:", "fails_when:",
        "gates/cost.yaml:9:1",
        "fails_when is not a key here. Did you mean fail_when?",
    ),
    (
        "a key that is missing",
        "gates/cost.yaml", "owner: finance-owner\n", "",
        "gates/cost.yaml:1:1",
        "owner is missing in the file. Add `owner:`.",
    ),
    (
        "a tier that does not exist",
        "gates/cost.yaml", "from_tier: medium", "from_tier: middle",
        "gates/cost.yaml:6:12",
        "from_tier cannot be this. Choices: low, medium, high or prohibited.",
    ),
    (
        "an example with a value that the fact cannot have",
        "gates/cost.yaml", "cost.ceiling: 400}", "cost.ceiling: lots}",
        "gates/cost.yaml:51:76",
        'cost.ceiling cannot be "lots". Write a number or "unknown".',
    ),
    (
        "a placeholder that nothing fills",
        "gates/cost.yaml", "({cost.monthly})", "({cost.month})",
        "gates/cost.yaml:13:9",
        "{cost.month} cannot be filled in. Did you mean cost.monthly?",
    ),
    (
        "an id that is not the file's name",
        "gates/cost.yaml", "id: cost", "id: costs",
        "gates/cost.yaml:1:5",
        "cost.yaml holds the id costs. The file is named as the id",
    ),
    (
        "an id that the extended pack has already",
        "gates/cost.yaml", "id: cost", "id: tests",
        "gates/cost.yaml:1:5",
        "The id tests is used twice. Ids are the names of pages: give each part its own.",
    ),
    (
        "a tag in front of an expression",
        "tiers/regulated.yaml", "when: |-\n  use.regulated", "when: !use.regulated",
        "tiers/regulated.yaml:6:7",
        "tag",
    ),
    (
        "a comment that cuts an expression",
        "tiers/regulated.yaml", "when: |-\n  use.regulated", "when: use.regulated # or more",
        "tiers/regulated.yaml:6:",
        "#",
    ),
    (
        "a key that stands twice",
        "tiers/regulated.yaml", "raises_to: high", "raises_to: low\nraises_to: high",
        "tiers/regulated.yaml:6:1",
        "raises_to",
    ),
    (
        "a no that YAML may read as false",
        "tiers/regulated.yaml", "by: no", "by: off",
        "tiers/regulated.yaml:",
        "Choices: evidence, design or no",
    ),
    (
        "a tier rule that asks for the tier",
        "tiers/pricing.yaml", 'use.domain == "pricing"', 'tier == "low"',
        "tiers/pricing.yaml:7:3",
        "tier is not known yet where this rule decides.",
    ),
    (
        "a pack that extends nothing",
        "pack.yaml", "extends: baseline", "extends: basement",
        "pack.yaml:8:10",
        "There is no pack basement to extend here.",
    ),
    (
        "a question about no fact",
        "questions/q20-monitoring.yaml", "fact: monitoring.answered", "fact: monitoring.answer",
        "questions/q20-monitoring.yaml:5:7",
        "There is no fact monitoring.answer. Did you mean monitoring.answered?",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "said"),
    [case[1:] for case in BROKEN],
    ids=[case[0] for case in BROKEN],
)
def test_a_pack_that_cannot_be_compiled_is_refused_with_place_and_advice(
    tmp_path: Path, file: str, old: str, new: str, place: str, said: str
) -> None:
    directory = copy_of(tmp_path)
    path = directory / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError) as caught:
        load_pack_directory(directory)
    found = [
        (str(problem.place).removeprefix(f"{directory}/"), f"{problem.message} {problem.hint}")
        for problem in caught.value.problems
    ]
    assert any(at.startswith(place) and said in told for at, told in found), found
    assert check_pack_directory(directory, today=TODAY).pack is None


LINT: list[tuple[str, str, str, str, str]] = [
    (
        "an example that gives another verdict",
        "gates/cost.yaml", "verdict: fail", "verdict: pass",
        "The example above even at best gives fail, not pass.",
    ),
    (
        "an example with a fact that does not exist",
        "gates/cost.yaml", "cost.ceiling: 400}", "cost.celing: 400}",
        "There is no fact cost.celing.",
    ),
    (
        "a gate that can fail and has no words for it",
        "gates/proxies.yaml", "\n  fail: Remove or coarsen", "\n  insufficient: Remove or coarsen",
        "insufficient",
    ),
    (
        "a page without evidence",
        "gates/cost.yaml", "  evidence: ", "  matters_to: ",
        "matters_to",
    ),
    (
        "choices that are not the values of the fact",
        "questions/q20-monitoring.yaml", "{value: true,", '{value: "yes",',
        "The choices are not the values of monitoring.answered.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [case[1:] for case in LINT],
    ids=[case[0] for case in LINT],
)
def test_a_pack_that_compiles_is_still_checked(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    directory = copy_of(tmp_path)
    path = directory / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    told = [problem.message for problem in check_pack_directory(directory, today=TODAY).problems]
    assert any(said in message for message in told), told


def test_a_clause_that_nobody_has_looked_up_for_long_is_a_problem() -> None:
    later = check_pack_directory(SHIPPED / "model", today=date(2027, 6, 1))
    assert later.pack is not None
    assert later.problems
    assert all("was last looked up on 2026-11-01" in p.message for p in later.problems)


def test_nothing_at_all_is_a_problem_too(tmp_path: Path) -> None:
    (problem,) = check_pack_directory(tmp_path, today=TODAY).problems
    assert problem.message == "There is no pack.yaml here."


def test_a_pack_holds_no_code(tmp_path: Path) -> None:
    directory = copy_of(tmp_path)
    (directory / "gates" / "helper.py").write_text("print('hello')\n", "utf-8")
    told = [problem.message for problem in check_pack_directory(directory, today=TODAY).problems]
    assert told == ["helper.py is not a .yaml file."]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    directory = copy_of(tmp_path)
    for rule in ("pricing", "moderation"):
        path = directory / "tiers" / f"{rule}.yaml"
        path.write_text(path.read_text("utf-8").replace("use.domain ==", "use.domian =="), "utf-8")
    with pytest.raises(PackError) as caught:
        load_pack_directory(directory)
    assert len(caught.value.problems) == 2
    assert "1 more" in caught.value.advice


@pytest.mark.parametrize(
    "written",
    [
        "when: !use.regulated",  # a tag swallows the condition
        "when: use.regulated # && use.confirmed",  # a comment cuts it
        "when: &rule use.regulated",  # an anchor stands in front of it
        "when: use.regulated\nwhen: use.confirmed",  # a second one overrides it
        "when: yes",  # a word that other readers turn into true
    ],
)
def test_trap_7_yaml_does_not_cut_retype_or_override_what_was_written(
    tmp_path: Path, written: str
) -> None:
    directory = copy_of(tmp_path)
    path = directory / "tiers" / "regulated.yaml"
    text = path.read_text("utf-8")
    assert "when: |-\n  use.regulated" in text
    path.write_text(text.replace("when: |-\n  use.regulated", written), "utf-8")
    with pytest.raises(PackError) as caught:
        load_pack_directory(directory)
    assert caught.value.place is not None
    assert caught.value.place.file.endswith("tiers/regulated.yaml")
