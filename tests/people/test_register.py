"""people.yaml: reading it, and refusing what would let one person be two."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.people.register import load_people

GOOD = """\
people:
  - id: ann
    name: Ann
    roles: [data-scientist]
    manager: max
    os_users: [ann]
    git_emails: [Ann@example.org]
  - id: max
    name: Max
    roles: [risk-officer]
    competence:
      - {role: risk-officer, kinds: [model], until: "2027-01-31"}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_people_are_found_by_id_user_and_mail(tmp_path: Path) -> None:
    register = load_people(write(tmp_path, GOOD))
    assert register.person("ann").name == "Ann"
    user, mail = register.by_os_user("ann"), register.by_git_email("ann@EXAMPLE.org")
    assert user is not None
    assert user is mail
    assert register.by_os_user("root") is None
    assert [person.id for person in register.in_role("risk-officer")] == ["max"]
    assert register.same_line("ann", "max")
    assert register.same_line("max", "ann")


def test_competence_covers_role_kind_and_last_day(tmp_path: Path) -> None:
    max_ = load_people(write(tmp_path, GOOD)).person("max")
    assert max_.competent("risk-officer", "model", date(2027, 1, 31)) is not None
    assert max_.competent("risk-officer", "model", date(2027, 2, 1)) is None
    assert max_.competent("risk-officer", "app", date(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("id: max", "id: ann", "people/ambiguous"),
        (
            'until: "2027-01-31"}',
            'until: "2027-01-31"}\n    os_users: [ann]',
            "people/ambiguous",
        ),
        (
            'until: "2027-01-31"}',
            'until: "2027-01-31"}\n    git_emails: [ANN@example.org]',
            "people/ambiguous",
        ),
        ("manager: max", "manager: moritz", "people/manager"),
        ('"2027-01-31"', "soon", "people/invalid"),
        ("name: Max", "nam: Max", "people/invalid"),
    ],
)
def test_a_wrong_register_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        load_people(path)
    assert refusal.value.code == code
    assert refusal.value.place is not None
    assert refusal.value.place.line is not None


def test_a_missing_register_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load_people(tmp_path / "people.yaml")
    assert refusal.value.code == "people/missing"


def test_a_circle_of_managers_ends(tmp_path: Path) -> None:
    circle = GOOD.replace(
        "    roles: [risk-officer]", "    roles: [risk-officer]\n    manager: ann"
    )
    register = load_people(write(tmp_path, circle))
    assert list(register.managers("ann")) == ["max"]


def test_a_register_that_is_not_utf8_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_bytes(GOOD.replace("name: Max", "name: M\xfcx").encode("latin-1"))
    with pytest.raises(InputError) as refusal:
        load_people(path)
    assert refusal.value.code == "yaml/not-utf8"
    assert str(refusal.value.place) == f"{path}:9:12"
