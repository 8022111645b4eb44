"""Personal and protected columns are found by name and confirmed by values."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from guiderail.measure.column_names import rule_for
from guiderail.measure.columns import ColumnClass, classify_columns, named

GERMAN = Path(__file__).resolve().parents[3] / "shared" / "reference" / "data" / "german.csv"
IBANS = ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606",
         "AT611904300234573201", "NL91ABNA0417164300"]  # fmt: skip
CARDS = ["4111111111111111", "5500005555555559", "340000000000009", "4012888888881881",
         "6011000000000004"]  # fmt: skip
PHONES = ["+49 30 901820", "+1 650-253-0000", "+44 20 7946 0958", "+43 1 711000", "+41 44 668 1800"]
EMAILS = [f"person{i}@example.org" for i in range(5)]


def one(tmp_path: Path, name: str, values: list[str]) -> ColumnClass:
    path = tmp_path / "data.csv"
    path.write_text(f'"{name}","other"\n' + "".join(f'"{value}","0"\n' for value in values))
    return classify_columns(path)[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sex", "sex"),
        ("Geschlecht", "sex"),
        ("applicantGender", "sex"),
        ("age", "age"),
        ("age_cat", "age"),
        ("Alter", "age"),
        ("birth_date", "birth date"),
        ("DateOfBirth", "birth date"),
        ("Geburtsdatum", "birth date"),
        ("race", "race or ethnicity"),
        ("ethnicity", "race or ethnicity"),
        ("RAC1P", "race or ethnicity"),
        ("nationality", "nationality or origin"),
        ("Staatsangehörigkeit", "nationality or origin"),
        ("foreign_worker", "nationality or origin"),
        ("native-country", "nationality or origin"),
        ("marital-status", "marital status"),
        ("personal_status", "marital status"),
        ("Familienstand", "marital status"),
        ("religion", "religion"),
        ("Schwerbehindert", "disability or health"),
        ("disability", "disability or health"),
        ("E-Mail", "email"),
        ("customerEmail", "email"),
        ("telefon", "phone"),
        ("IBAN", "bank account"),
        ("IBANNumber", "bank account"),
        ("first_name", "person name"),
        ("Vorname", "person name"),
        ("name", "person name"),
        ("Straße", "address"),
        ("PLZ", "postcode"),
        ("zip_code", "postcode"),
    ],
)
def test_names_in_english_and_german_are_known(name: str, kind: str) -> None:
    rule = rule_for(name)
    assert rule is not None
    assert rule.kind == kind


@pytest.mark.parametrize(
    "name",
    ["page", "average", "message", "account_age", "loan_age", "product_name", "file_name", "p00",
     "p63", "credit_history", "status", "stage", "raceway", "namespace", "emailed_count_x",
     "housing", "ink_total", "race_condition", "essex", "tell"],
)  # fmt: skip
def test_names_that_only_look_alike_are_not(name: str) -> None:
    assert rule_for(name) is None


def test_the_columns_of_german_credit() -> None:
    if not GERMAN.exists():
        pytest.skip("the reference data are not beside this checkout")
    found = {column.name: column for column in classify_columns(GERMAN)}
    protected = {name for name, column in found.items() if column.cls == "protected"}
    assert protected == {"personal_status", "age", "foreign_worker"}
    telephone = found["telephone"]
    assert (telephone.cls, telephone.kind, telephone.confidence) == ("personal", "phone", "low")
    assert "no value is of that form" in telephone.why
    rest = {name for name, column in found.items() if column.cls == "plain"}
    assert rest == found.keys() - protected - {"telephone"}


def test_pixels_are_plain(tmp_path: Path) -> None:
    pixels = ", ".join(f"((i * 7 + {n} * 3) % 17)::DOUBLE AS p{n:02}" for n in range(64))
    path = tmp_path / "digits.parquet"
    relation = duckdb.connect().sql("SELECT i FROM range(500) AS r(i)").project(pixels)
    relation.write_parquet(str(path))
    found = classify_columns(path)
    assert len(found) == 64
    assert {column.cls for column in found} == {"plain"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (EMAILS, "email"),
        (IBANS, "bank account"),
        (CARDS, "payment card"),
        (PHONES, "phone"),
        ([f"219-09-{i}" for i in range(1001, 1006)], "government number"),
        ([f"192.0.2.{i}" for i in range(5)], "network address"),
    ],
)
def test_values_speak_where_the_name_does_not(tmp_path: Path, values: list[str], kind: str) -> None:
    found = one(tmp_path, "contact", values)
    assert (found.cls, found.kind, found.confidence) == ("personal", kind, "high")


def test_broken_check_digits_are_no_bank_accounts(tmp_path: Path) -> None:
    broken = [value[:-1] + str((int(value[-1]) + 1) % 10) for value in IBANS]
    assert one(tmp_path, "contact", broken).cls == "plain"


def test_ordinary_numbers_are_no_phones_or_cards(tmp_path: Path) -> None:
    assert one(tmp_path, "amount", [str(2025550100 + i) for i in range(50)]).cls == "plain"
    assert one(tmp_path, "amount", [str(4111111111111112 + i) for i in range(50)]).cls == "plain"
    assert one(tmp_path, "day", [f"2024-01-{i:02}" for i in range(1, 20)]).cls == "plain"


def test_a_name_and_values_together_are_certain(tmp_path: Path) -> None:
    assert one(tmp_path, "email", EMAILS).confidence == "high"
    assert one(tmp_path, "phone", ["030 901820", "0711 2160"]).confidence == "high"
    assert one(tmp_path, "Geburtsdatum", ["31.12.1970", "01.02.1999"]).confidence == "high"
    assert one(tmp_path, "birth_date", ["1970-12-31", "1999-02-01"]).confidence == "high"
    assert one(tmp_path, "age", ["25 - 45", "Greater than 45"]).confidence == "high"
    assert one(tmp_path, "name", ["Anna Müller", "José Ortiz-Vega"]).confidence == "high"


def test_a_name_without_fitting_values_says_so(tmp_path: Path) -> None:
    flag = one(tmp_path, "email", ["yes", "no"])
    assert (flag.cls, flag.confidence) == ("personal", "low")
    assert "yes/no flag" in flag.why
    old = one(tmp_path, "age", ["900", "1200"])
    assert (old.cls, old.confidence) == ("protected", "low")


def test_a_named_column_without_values_stays_named(tmp_path: Path) -> None:
    found = one(tmp_path, "religion", ["", ""])
    assert (found.cls, found.confidence) == ("protected", "low")


def test_free_text_and_keys_are_for_their_owner_to_say(tmp_path: Path) -> None:
    notes = [f"the customer called about case {i} again" for i in range(40)]
    assert one(tmp_path, "notes", notes).cls == "unknown"
    assert one(tmp_path, "id", [f"k{i}" for i in range(40)]).cls == "unknown"


def test_an_address_inside_free_text_is_found(tmp_path: Path) -> None:
    notes = [f"call number {i} about the open invoice" for i in range(40)]
    found = one(tmp_path, "notes", [*notes, "please write to anna@example.org about it"])
    assert (found.cls, found.kind) == ("personal", "email")


def test_no_sentence_quotes_a_value(tmp_path: Path) -> None:
    for values in (EMAILS, IBANS, PHONES):
        found = one(tmp_path, "contact", values)
        assert not any(value in found.why for value in values)


def test_march_among_months_is_no_marital_status(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("JAN,FEB,MAR\n1,2,3\n")
    assert {column.cls for column in classify_columns(path)} == {"plain"}
    path.write_text("AGEP,MAR\n30,1\n")
    assert named(classify_columns(path), "protected") == ("AGEP", "MAR")


def test_a_sample_is_spread_over_the_whole_table(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    lines = [
        "contact\n",
        *("0\n" for _ in range(500)),
        *(f"a{i}@example.org\n" for i in range(4500)),
    ]
    path.write_text("".join(lines))
    assert classify_columns(path, sample=100)[0].kind == "email"
