"""One byte form and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core import digest
from guiderail_verify.canonical import canonical_json, parse_canonical, parse_object
from guiderail_verify.errors import VerifyError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(JSON)
def test_the_product_and_the_verifier_write_the_same_bytes(value: object) -> None:
    assert canonical_json(value) == digest.canonical_json(value)


@given(JSON)
def test_what_was_written_reads_back(value: object) -> None:
    assert parse_canonical(canonical_json(value)) == value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": 1}', "canonical/not-canonical"),
        (b'{"b":1,"a":2}', "canonical/not-canonical"),
        (b'{"a":1,"a":1}', "canonical/duplicate-key"),
        (b'{"a":1.0}', "canonical/float"),
        (b'{"a":1e3}', "canonical/float"),
        (b'{"a":NaN}', "canonical/float"),
        (b'{"a":9007199254740992}', "canonical/large-integer"),
        (b'{"a":"\\u0041"}', "canonical/not-canonical"),
        (b'{"a":"\\ud800"}', "canonical/not-json"),
        (b"\xff", "canonical/not-json"),
        (b"\xef\xbb\xbf{}", "canonical/not-json"),
        (b"{}\n", "canonical/not-canonical"),
        (b"", "canonical/not-json"),
        (b"[" * 100_000, "canonical/too-deep"),
        (b"[" * 80 + b"]" * 80, "canonical/too-deep"),
    ],
)
def test_every_other_form_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(VerifyError) as caught:
        parse_canonical(data)
    assert caught.value.code == code


def test_an_object_is_asked_for_where_one_is_needed() -> None:
    with pytest.raises(VerifyError) as caught:
        parse_object(b"[]")
    assert caught.value.code == "canonical/not-an-object"


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, {1: 2}, {"a": object()}, "\ud800"])
def test_what_has_no_exact_form_is_not_written(value: object) -> None:
    with pytest.raises(VerifyError):
        canonical_json(value)
