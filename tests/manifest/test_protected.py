"""Protected attributes as they are written in the manifest and on the command line."""

from __future__ import annotations

import pytest

from guiderail.cli.measure_fairness import attributes
from guiderail.manifest.protected import (
    ProtectedAttribute,
    protected_attribute,
    protected_columns,
)


@pytest.mark.parametrize(
    ("text", "column", "edges"),
    [
        ("sex", "sex", None),
        ("age:25,40,60", "age", (25, 40, 60)),
        ("age: 25, 40.5", "age", (25, 40.5)),
        ("balance:-100,0", "balance", (-100, 0)),
        ("urn:sex", "urn:sex", None),
        ("a:b:3", "a:b", (3,)),
        ("age:", "age:", None),
        ("age:25,", "age:25,", None),
    ],
)
def test_limits_make_ranges(text: str, column: str, edges: tuple[float, ...] | None) -> None:
    assert protected_attribute(text) == ProtectedAttribute(column, edges)


@pytest.mark.parametrize("text", ["age:40,25", "age:25,25"])
def test_limits_that_do_not_ascend_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="do not ascend"):
        protected_attribute(text)


def test_columns_are_named_once() -> None:
    assert protected_columns(["sex", "age:25", "age"]) == ("sex", "age")


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("sex,race", ["sex", "race"]),
        ("age:25,40,60", ["age:25,40,60"]),
        ("sex, age:25, 40 ,race", ["sex", "age:25,40", "race"]),
        ("age:25,40,income:1000,2000,sex", ["age:25,40", "income:1000,2000", "sex"]),
        ("1,2", ["1", "2"]),
        ("urn:sex,2", ["urn:sex", "2"]),
        ("", []),
    ],
)
def test_a_list_on_the_command_line_keeps_limits_with_their_column(
    text: str, entries: list[str]
) -> None:
    assert attributes(text) == entries
