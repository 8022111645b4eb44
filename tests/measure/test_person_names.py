"""Names of people are found by lists; places and categories are not people."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from guiderail.measure import columns
from guiderail.measure.columns import ColumnClass, classify_columns
from guiderail.measure.person_names import NameLists, look_like_names, person_names

GIVEN = [
    "Anna", "Maria", "Petra", "Sabine", "Julia", "Laura", "Lena", "Sarah", "Emma", "Sophie",
    "Peter", "Thomas", "Michael", "Andreas", "Stefan", "Christian", "Daniel", "Markus", "Jan",
    "Felix", "Lukas", "Jonas", "Paul", "Max",
]  # fmt: skip
FAMILY = [
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz",
    "Hoffmann", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz",
    "Zimmermann", "Braun", "Krüger", "Hofmann", "Hartmann", "Lange",
]  # fmt: skip
TOWNS = [
    "Berlin", "Hamburg", "München", "Köln", "Frankfurt", "Stuttgart", "Düsseldorf", "Leipzig",
    "Dortmund", "Essen", "Bremen", "Dresden", "Hannover", "Nürnberg", "Duisburg", "Bochum",
    "Wuppertal", "Bielefeld", "Bonn", "Münster", "Mannheim", "Karlsruhe", "Augsburg", "Wiesbaden",
]  # fmt: skip
FULL = [f"{given} {family}" for given, family in zip(GIVEN, FAMILY, strict=True)]
TURNED = [f"{family}, {given}" for given, family in zip(GIVEN, FAMILY, strict=True)]


def lists_or_skip() -> None:
    if importlib.util.find_spec("faker") is None:
        reason = "LISTS OF NAMES ARE NOT TESTED in this run: Faker is not installed"
        if os.environ.get("GUIDERAIL_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)


def column(folder: Path, cells: list[str]) -> ColumnClass:
    path = folder / "a.csv"
    path.write_text("col7\n" + "".join(f'"{cell}"\n' for cell in cells), encoding="utf-8")
    (found,) = classify_columns(path)
    return found


@pytest.mark.parametrize("cells", [FULL, TURNED, GIVEN, [cell.upper() for cell in FULL]])
def test_names_under_a_name_that_says_nothing_are_personal(
    tmp_path: Path, cells: list[str]
) -> None:
    lists_or_skip()
    found = column(tmp_path, cells)
    assert (found.cls, found.kind) == ("personal", "person name")
    assert found.confidence != "low"
    assert not any(cell in found.why for cell in cells)


def test_family_names_alone_are_for_the_owner_to_say(tmp_path: Path) -> None:
    lists_or_skip()
    found = column(tmp_path, FAMILY)
    assert (found.cls, found.confidence) == ("unknown", "low")
    assert "its owner has to say" in found.why


def test_towns_are_plain(tmp_path: Path) -> None:
    lists_or_skip()
    assert column(tmp_path, TOWNS).cls == "plain"


def test_few_words_are_no_evidence() -> None:
    assert not look_like_names(["Rose", "Amber", "Pearl"] * 3)
    assert not look_like_names([f"code {number}" for number in range(40)])


def test_without_the_lists_it_is_said_that_nothing_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "name_lists", lambda: None)
    found = column(tmp_path, FULL)
    assert (found.cls, found.confidence) == ("plain", "low")
    assert "guiderail[names]" in found.why


def test_shares_between_the_limits_are_not_settled() -> None:
    lists = NameLists(frozenset({"anna"}), frozenset({"koch"}))
    cells = ["Anna Koch"] * 2 + [f"Alter Markt {sign}" for sign in "abcdefgh"]
    found = person_names(cells, lists)
    assert found is not None
    assert not found.sure
    assert "20%" in found.why
