"""The facts file of `guiderail policy eval`: what it may hold and what is said about the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Unknown
from guiderail.policy.facts_file import LARGEST_FILE, read_facts


def written(tmp_path: Path, text: str | object) -> Path:
    path = tmp_path / "facts.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
    return path


def test_every_type_of_value_can_be_given(tmp_path: Path) -> None:
    facts = read_facts(
        written(
            tmp_path,
            {
                "use.domain": "credit",
                "use.regulated": True,
                "tests.ran": 12,
                "security.age_days": 2,
                "change.performance": {"value": -7.1, "low": -9, "high": -5.2},
                "change.flips": 6.4,
                "data.personal_columns": ["email", "contact", "email"],
                "model.format": "skops",
                "use.exposure": "unknown",
            },
        )
    )
    assert facts["use.domain"].value == "credit"
    assert facts["use.regulated"].value is True
    assert facts["tests.ran"].value == 12
    assert facts["security.age_days"].value == 2.0
    assert facts["change.performance"].value == Interval(-7.1, -9.0, -5.2)
    assert facts["change.flips"].value == Interval(6.4, 6.4, 6.4)
    assert facts["data.personal_columns"].value == ("contact", "email")
    assert facts["model.format"].value == "skops"
    assert facts["use.exposure"].value == Unknown("given as unknown in facts.json")
    assert facts["use.domain"].known_by is KnownBy.ATTESTED
    assert facts["use.domain"].source == "facts.json"


def test_how_a_fact_is_known_can_be_given_too(tmp_path: Path) -> None:
    given = {
        "data.personal": {"known": True, "known_by": "declared"},
        "change.flips": {"value": 2, "low": 1, "high": 3, "known_by": "verified"},
    }
    facts = read_facts(written(tmp_path, given))
    assert (facts["data.personal"].value, facts["data.personal"].known_by) == (True, "declared")
    assert facts["change.flips"].value == Interval(2.0, 1.0, 3.0)
    assert facts["change.flips"].known_by is KnownBy.VERIFIED


@pytest.mark.parametrize(
    ("content", "code", "advice"),
    [
        ({"use.domian": "credit"}, "facts/unknown-fact", "Did you mean use.domain?"),
        ({"use.domain": "credits"}, "facts/wrong-value", "Did you mean credit?"),
        ({"use.regulated": "yes"}, "facts/wrong-value", "true, false"),
        ({"use.regulated": 1}, "facts/wrong-value", "true, false"),
        ({"tests.ran": 1.5}, "facts/wrong-value", "whole number"),
        ({"tests.ran": True}, "facts/wrong-value", "whole number"),
        ({"security.age_days": None}, "facts/wrong-value", "a number"),
        ({"model.format": 3}, "facts/wrong-value", "a text"),
        ({"data.personal_columns": "email"}, "facts/wrong-value", "list of texts"),
        ({"change.flips": {"value": 1}}, "facts/wrong-value", '"low": 0'),
        (
            {"change.flips": {"value": 5, "low": 6, "high": 7}},
            "facts/wrong-interval",
            "value between low and high",
        ),
        ({"change.flips": {"value": "a", "low": 6, "high": 7}}, "facts/wrong-interval", "numbers"),
        ({"tier": "low"}, "facts/computed", "Leave it out"),
        ({"evidence.weak": False}, "facts/computed", "Leave it out"),
        ({"use.domain": {"known": "law", "known_by": "hearsay"}}, "facts/known-by", "declared"),
        ([], "facts/not-an-object", "Begin with"),
        ('{"use.domain": "law", "use.domain": "credit"}', "facts/duplicate", "Keep one"),
        ('{"security.age_days": NaN}', "facts/not-json", "unknown"),
        ('{"security.age_days": 1e999}', "facts/wrong-value", "a number"),
        ('{"use.domain": }', "facts/not-json", "Check quotes"),
        ("[" * 100_000, "facts/not-json", ""),
        ('{"model.format": [[[[[1]]]]]}', "facts/too-deep", "list of texts or an interval"),
        ('{"model.format": {"a": {"b": {"c": {"d": {}}}}}}', "facts/too-deep", "interval"),
        (f'{{"tests.ran": {"9" * 5000}}}', "facts/not-json", ""),
        (f'{{"tests.ran": {"9" * 4000}}}', "facts/wrong-value", "whole number"),
        (f'{{"tests.ran": {2**53}}}', "facts/wrong-value", "whole number"),
        (f'{{"security.age_days": {"9" * 400}}}', "facts/wrong-value", "a number"),
        ({"model.format": "x\u202ey"}, "facts/wrong-value", "a text"),
        ({"model.format": "\x1b[2J"}, "facts/wrong-value", "a text"),
        ({"model.format": "x" * 2001}, "facts/wrong-value", "a text"),
        ({"data.personal_columns": ["e\u200bmail"]}, "facts/wrong-value", "list of texts"),
        ({"data.personal_columns": ["x"] * 1001}, "facts/wrong-value", "list of texts"),
        ({"us\u0435.domain": "credit"}, "facts/unknown-fact", "Did you mean use.domain?"),
        ({"x" * 100_000: 1}, "facts/unknown-fact", "`guiderail facts`"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_fact_and_a_way_out(
    tmp_path: Path, content: object, code: str, advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_facts(written(tmp_path, content))
    assert caught.value.code == code
    assert advice in caught.value.advice
    assert caught.value.place is not None
    assert len(str(caught.value)) < 1000


def test_broken_json_is_shown_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_facts(written(tmp_path, '{\n  "use.domain": credit\n}'))
    assert str(caught.value.place).endswith("facts.json:2:17")


def test_a_missing_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_facts(tmp_path / "none.json")
    assert caught.value.code == "facts/unreadable"
    with pytest.raises(InputError) as caught:
        read_facts(written(tmp_path, " " * (LARGEST_FILE + 1)))
    assert caught.value.code == "facts/too-large"
