"""Numbers of states are told by check digits, and ordinary numbers are not taken for them."""

from __future__ import annotations

import random
import re
from importlib import import_module
from re._parser import parse
from typing import Any

import pytest
from stdnum.es import dni
from stdnum.pl import pesel

from guiderail.measure.government_numbers import KINDS, NumberKind, kind_in


def spanish(count: int) -> list[str]:
    return [f"{n:08d}{dni.calc_check_digit(f'{n:08d}')}" for n in range(10**7, 10**7 + count)]


def polish(count: int) -> list[str]:
    bodies = [f"7{y}0{m}1{d}{n:04d}" for y, m, d, n in
              ((i % 10, i % 9 + 1, i % 10, 137 * i % 10_000) for i in range(count))]  # fmt: skip
    return [body + pesel.calc_check_digit(body) for body in bodies]


@pytest.mark.parametrize(
    ("cells", "module"),
    [
        (spanish(20), "stdnum.es.dni"),
        (polish(30), "stdnum.pl.pesel"),
        (["756.9217.0769.85"] * 10, "stdnum.ch.ssn"),
        (["RCCMNL83S18D969H"] * 10, "stdnum.it.codicefiscale"),
    ],
)
def test_valid_numbers_are_known_without_a_name(cells: list[str], module: str) -> None:
    found = kind_in(cells, named=False)

    assert found is not None
    assert found.module == module


def test_one_value_is_enough_only_where_the_name_says_so() -> None:
    assert kind_in(spanish(1), named=True) is not None
    assert kind_in(spanish(1), named=False) is None


@pytest.mark.parametrize("length", [9, 10, 11, 13])
def test_ordinary_numbers_are_none(length: int) -> None:
    draw = random.Random(length)
    for _ in range(20):
        cells = [str(draw.randrange(10 ** (length - 1), 10**length)) for _ in range(100)]
        assert kind_in(cells, named=False) is None


def test_dashed_dates_and_codes_are_none() -> None:
    assert kind_in([f"2024-01-{day:02}" for day in range(1, 29)], named=False) is None
    assert kind_in([f"{n:03d}-{n:02d}-0000" for n in range(10, 60)], named=False) is None


def written(form: Any, draw: random.Random) -> str:
    """A random text of a parsed regular expression; what may be left out is left out."""
    text = ""
    for what, detail in form:
        match str(what):
            case "LITERAL":
                text += chr(detail)
            case "MAX_REPEAT":
                low, _, inside = detail
                text += "".join(written(inside, draw) for _ in range(low))
            case "IN":
                text += draw.choice("".join(map(signs, detail)))
    return text


def signs(part: tuple[Any, Any]) -> str:
    what, detail = part
    match str(what):
        case "LITERAL":
            return chr(detail)
        case "RANGE":
            return "".join(chr(one) for one in range(detail[0], detail[1] + 1))
    return "0123456789"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.module)
def test_the_stated_chance_is_not_too_low(kind: NumberKind) -> None:
    """Random texts of the form pass no more often than the kind says."""
    draw, form = random.Random(1), parse(kind.form)
    valid = import_module(kind.module).is_valid
    texts = [written(form, draw) for _ in range(3_000)]

    assert all(re.fullmatch(kind.form, text) for text in texts)
    assert sum(map(valid, texts)) / len(texts) <= kind.chance * 1.25 + 0.005
