"""Mappings that are out of date, or say so wrongly, are found with place and advice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from guiderail.policy import load_pack_directory
from guiderail.policy.pack import SHIPPED
from guiderail.policy.problem import PackError
from guiderail.policy.problems import check_pack_directory

TODAY = date(2026, 11, 25)
CONTROL = """id: OUR-1
title: Ours
owner: risk-officer
since: "2026-11-01"
kinds: [model]
from_tier: low
statement: We keep the letters.
evidence: The letters.
mappings:
  - clause: Letter Act, Article 1
    about: keeping letters
    jurisdiction: EU
    source: Letter Act
"""


def pack_with(folder: Path, mapping: str, page: str = "") -> Path:
    """A pack with one control, and one rule whose page has these keys more."""
    (folder / "controls").mkdir(parents=True)
    (folder / "tiers").mkdir()
    (folder / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        "kinds: []\nroles: {risk-officer: Risk Officer}\n",
        "utf-8",
    )
    lines = "".join(f"    {line}\n" for line in mapping.split("; "))
    (folder / "controls" / "OUR-1.yaml").write_text(CONTROL + lines, "utf-8")
    rule = (SHIPPED / "model" / "tiers" / "pricing.yaml").read_text("utf-8")
    rule = rule.replace("  controls: [RISK-1]\n", f"  {page}\n" if page else "")
    (folder / "tiers" / "pricing.yaml").write_text(rule, "utf-8")
    return folder


def told(folder: Path, today: date = TODAY) -> list[str]:
    return [
        f"{one.message} {one.hint}" for one in check_pack_directory(folder, today=today).problems
    ]


HELD = 'valid_from: "2020-01-01"; verified: false'


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (HELD, None),
        ('valid_from: "2027-01-01"; status: planned; verified: false', None),
        ('valid_from: "2020-01-01"; valid_to: "2026-11-25"; verified: false', None),
        ('valid_from: "2020-01-01"; valid_to: "2026-11-24"; status: ended; verified: false', None),
        ('valid_from: "2020-01-01"; verified: true; verified_on: "2026-05-29"', None),
        (
            'valid_from: "2020-01-01"; verified: true; verified_on: "2026-05-28"',
            "was last looked up on 2026-05-28. Read the source again",
        ),
        ('valid_from: "2020-01-01"; verified: true', "says verified but not when."),
        (f'{HELD}; verified_on: "2026-11-01"', "says when it was verified but not that it was."),
        ('valid_from: "2020-01-01"; verified: true; verified_on: "2026-11-26"', "is to come."),
        ('valid_from: "2027-01-01"; verified: false', "is to come. Write status: planned."),
        (f"{HELD}; status: planned", "holds since 2020-01-01. Read the source again"),
        (f"{HELD}; status: ended", "holds since 2020-01-01."),
        (
            f'{HELD}; valid_to: "2026-11-24"',
            "ended on 2026-11-24. Write status: ended, and add what holds now",
        ),
        (f'{HELD}; valid_to: "2019-12-31"', "ends before it begins."),
    ],
)
def test_a_mapping_says_what_is_so_on_that_day(
    tmp_path: Path, mapping: str, said: str | None
) -> None:
    found = told(pack_with(tmp_path / "ours", mapping))
    if said is None:
        assert found == []
    else:
        (problem,) = found
        assert problem.startswith("Letter Act, Article 1 ")
        assert said in problem


def test_the_problem_stands_where_the_key_stands(tmp_path: Path) -> None:
    folder = pack_with(tmp_path / "ours", f"{HELD}; status: planned")
    (problem,) = check_pack_directory(folder, today=TODAY).problems
    assert str(problem.place) == f"{folder}/controls/OUR-1.yaml:16:13"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("OUR-2", "There is no control OUR-2. Did you mean OUR-1?"),
        ("FAR-77", "There is no control FAR-77."),
    ],
)
def test_a_control_that_is_not_there_is_refused(tmp_path: Path, written: str, said: str) -> None:
    folder = pack_with(tmp_path / "ours", HELD, f"controls: [{written}]")
    with pytest.raises(PackError) as caught:
        load_pack_directory(folder)
    (problem,) = caught.value.problems
    assert f"{problem.message} {problem.hint}".startswith(said)
    assert "tiers/pricing.yaml:" in str(problem.place)
    assert pack_with(tmp_path / "right", HELD, "controls: [OUR-1]")
    assert told(tmp_path / "right") == []


def test_the_shipped_mappings_hold_today_and_need_a_person_after_180_days() -> None:
    for name in ("baseline", "model"):
        assert told(SHIPPED / name) == []
    assert told(SHIPPED / "model", date(2026, 12, 31)) == []
    begun = told(SHIPPED / "model", date(2027, 1, 1))
    assert begun
    assert all("holds since 2027-01-01" in one for one in begun)
    stale = told(SHIPPED / "model", date(2027, 5, 1))
    assert sum("was last looked up on 2026-11-01" in one for one in stale) > 40
