"""What the values of a column say about people: validated patterns, not looks alone.

Every check takes one cell as text. `strict` is for columns whose name says nothing: there a check
must not be passed by ordinary numbers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import date

Check = Callable[[str, bool], bool]

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,24}", re.I)
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_GERMAN_DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_PHONE_LOOKS = re.compile(r"(\+|00|0|\()[\d\s()/.-]{6,20}")
_SEXES = frozenset(
    {
        *("m", "f", "w", "d", "x", "male", "female", "man", "woman", "diverse", "divers", "other"),
        *("unknown", "nonbinary", "mann", "frau", "maennlich", "männlich", "weiblich", "herr"),
        *("mr", "mrs", "ms", "0", "1", "2", "3", "9", "true", "false"),
    }
)
_REGIONS = ("DE", "US", "GB", "AT", "CH", "FR")


def is_email(cell: str, strict: bool) -> bool:
    del strict
    return _EMAIL.fullmatch(cell.strip()) is not None


def is_phone(cell: str, strict: bool) -> bool:
    import phonenumbers

    text = cell.strip()
    if strict and (_PHONE_LOOKS.fullmatch(text) is None or is_birth_date(text, False)):
        return False
    if sum(sign.isdigit() for sign in text) < 6:
        return False
    for region in (None,) if text.startswith("+") else _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(text, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def is_iban(cell: str, strict: bool) -> bool:
    del strict
    from stdnum import iban

    return bool(iban.is_valid(cell))


def is_payment_card(cell: str, strict: bool) -> bool:
    del strict
    from stdnum import luhn

    digits = re.sub(r"[ -]", "", cell.strip())
    known = 13 <= len(digits) <= 19 and digits.isdigit() and digits[0] in "3456"
    return known and bool(luhn.is_valid(digits))


def is_government_number(cell: str, strict: bool) -> bool:
    from stdnum.de import idnr
    from stdnum.us import ssn

    text = cell.strip()
    dashed = re.fullmatch(r"\d{3}-\d{2}-\d{4}", text) is not None
    return bool(idnr.is_valid(text)) or ((dashed or not strict) and bool(ssn.is_valid(text)))


def is_birth_date(cell: str, strict: bool) -> bool:
    """A date, or alone a year, from 1900 on; never strict: most dates are not birth dates."""
    del strict
    text = cell.strip()
    if re.fullmatch(r"(19|20)\d\d", text):
        return True
    found = _DATE.fullmatch(text)
    parts = found.groups() if found else None
    if parts is None and (german := _GERMAN_DATE.fullmatch(text)):
        parts = german.groups()[::-1]
    if parts is None:
        return False
    year, month, day = (int(part) for part in parts)
    try:
        return date(year, month, day).year >= 1900
    except ValueError:
        try:  # month first, as written in the United States
            return date(year, day, month).year >= 1900
        except ValueError:
            return False


def is_network_address(cell: str, strict: bool) -> bool:
    del strict
    try:
        ipaddress.ip_address(cell.strip())
    except ValueError:
        return False
    return True


def is_person_name(cell: str, strict: bool) -> bool:
    """One to five words of letters, the first one a capital: only beside a name that says so."""
    del strict
    words = cell.strip().split()
    return (
        1 <= len(words) <= 5
        and cell.strip()[0].isupper()
        and all(re.fullmatch(r"[^\W\d_][^\W\d_.'’-]*[.'’-]?[^\W\d_]*", word) for word in words)
    )


def is_sex(cell: str, strict: bool) -> bool:
    del strict
    return cell.strip().lower() in _SEXES


def is_age(cell: str, strict: bool) -> bool:
    """A number of years up to 125, or a range such as "25-45" or "Greater than 45"."""
    del strict
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", cell)]
    return bool(numbers) and all(number <= 125 for number in numbers)


CHECKS: dict[str, Check] = {
    "email": is_email,
    "phone": is_phone,
    "bank account": is_iban,
    "payment card": is_payment_card,
    "government number": is_government_number,
    "birth date": is_birth_date,
    "network address": is_network_address,
    "person name": is_person_name,
    "sex": is_sex,
    "age": is_age,
}
"""By the kinds of `column_names`. Kinds that are not here have no pattern to validate."""

VALUE_KINDS = ("email", "bank account", "payment card", "government number", "network address",
               "phone")  # fmt: skip
"""Kinds that values alone can show."""


def share_valid(kind: str, cells: Sequence[str], *, strict: bool) -> float:
    """Share of the cells, 0 to 1, that pass the check of the kind. Cells must not be empty."""
    check = CHECKS[kind]
    return sum(check(cell, strict) for cell in cells) / len(cells)


def share_mentioning_email(cells: Sequence[str]) -> float:
    """Share of the cells that hold an address somewhere in their text."""
    return sum(_EMAIL.search(cell) is not None for cell in cells) / len(cells)
