"""Values that are written are read back unchanged."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guiderail.manifest.strict_yaml import load
from guiderail.manifest.yaml_text import comment, yaml_text

texts = st.text(alphabet=st.characters(exclude_categories=("Cs",)))


@given(texts)
@example("no")
@example("017")
@example("a # b")
@example("a: b")
@example("\u2028\x85\t\x7f\ufeff")
@example("\U0001f600")
def test_a_written_text_is_read_back(text: str) -> None:
    written = yaml_text(text)
    assert "\n" not in written
    assert load(f"key: {written}\n", "f").data == {"key": text}


@given(texts)
def test_a_comment_changes_nothing(text: str) -> None:
    assert load(f"key: 1  # {comment(text)}\nnext: 2\n", "f").data == {"key": 1, "next": 2}


@pytest.mark.parametrize(
    ("text", "written"),
    [("model.skops", "model.skops"), ("1.0", '"1.0"'), ("no", '"no"'), ("", '""'), ("é", '"é"')],
)
def test_quotes_stand_only_where_they_are_needed(text: str, written: str) -> None:
    assert yaml_text(text) == written


def test_a_lone_surrogate_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        yaml_text("\ud800")
