"""What an organisation says about its columns adds and settles; it hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.measure.column_dictionary import load_dictionary
from guiderail.measure.columns import ColumnClass, classify_columns

DICTIONARY = """\
columns:
  - {name: bp_nr, class: personal, kind: person number, said_by: data-office}
  - {name: order_id, class: plain, said_by: data-office}
  - {name: email, class: plain, said_by: data-office}
  - {name: race, class: plain, said_by: motor-sport}
words:
  - {words: betreuer, class: personal, kind: person name}
"""


@pytest.fixture
def found(tmp_path: Path) -> dict[str, ColumnClass]:
    (tmp_path / "d.yaml").write_text(DICTIONARY)
    lines = ["bp_nr,order_id,email,race,kunden_betreuer_1,amount,select\n"]
    lines += [f"{i * 7},{i}-x,p{i}@example.org,,k{i % 3},{i}.5,{i % 2}\n" for i in range(60)]
    (tmp_path / "data.csv").write_text("".join(lines))
    columns = classify_columns(
        tmp_path / "data.csv", dictionary=load_dictionary(tmp_path / "d.yaml")
    )
    return {column.name: column for column in columns}


def test_a_name_that_nobody_else_could_know_becomes_personal(
    found: dict[str, ColumnClass],
) -> None:
    column = found["bp_nr"]
    assert (column.cls, column.kind, column.confidence) == ("personal", "person number", "high")
    assert "data-office" in column.why
    other = found["kunden_betreuer_1"]
    assert (other.cls, other.kind, other.confidence) == ("personal", "person name", "medium")


def test_plain_settles_what_only_the_owner_could_say(found: dict[str, ColumnClass]) -> None:
    assert found["order_id"].cls == "plain"
    assert found["race"].cls == "plain"


def test_plain_does_not_hide_values_that_were_found(found: dict[str, ColumnClass]) -> None:
    column = found["email"]
    assert (column.cls, column.confidence) == ("personal", "high")
    assert "does not hide it" in column.why


def test_other_columns_are_as_before(found: dict[str, ColumnClass]) -> None:
    assert found["amount"].cls == "plain"
    assert found["select"].cls == "plain"


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("columns:\n  - {name: a, class: secret}\n", "class", 2),
        ("columns:\n  - {class: plain}\n", "name", 2),
        ("words:\n  - {words: a, class: plain, kind: b}\n", "class", 2),
        ("words:\n  - {words: '12', class: personal, kind: b}\n", "holds no word", 2),
        ("colums: []\n", "colums", 1),
    ],
)
def test_a_dictionary_that_is_not_right_is_an_error_at_its_place(
    tmp_path: Path, text: str, says: str, line: int
) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text)

    with pytest.raises(InputError) as raised:
        load_dictionary(path)

    assert raised.value.code == "dictionary/invalid"
    assert says in raised.value.what
    assert raised.value.place is not None
    assert raised.value.place.line == line
