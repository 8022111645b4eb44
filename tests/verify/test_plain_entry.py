"""The quick ways of reading say what the thorough ones say, of any bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guiderail_verify import audit_entries, canonical
from guiderail_verify.canonical import canonical_json, parse_canonical
from guiderail_verify.errors import VerifyError
from guiderail_verify.plain_entry import match_entry

DIGEST = "sha256:" + "ab" * 32


def entry(**changes: object) -> dict[str, Any]:
    proof = {"name": "tests", "predicateType": "https://in-toto.io/test", "sha256": "ab" * 32}
    return {
        "v": 2,
        "seq": 12,
        "at": "2026-11-23T09:30:00.123456Z",
        "type": "case.submitted",
        "subject": {"kind": "model", "name": "credit", "digest": DIGEST},
        "subject_no": 3,
        "actor": "p-0123",
        "outcome": "done",
        "policy": DIGEST,
        "evidence": [proof, proof | {"name": "scan"}],
        "payload": {"alg": "hmac-sha256", "value": "cd" * 32, "words": None},
    } | changes


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except VerifyError as error:
        return error.code


def test_an_ordinary_entry_is_recognised() -> None:
    for each in (entry(), entry(evidence=[]), entry(policy=None), entry(actor="ä ")):
        assert match_entry(canonical_json(each).decode()) is not None


@pytest.mark.parametrize(
    "other",
    [
        entry(v=1),
        entry(v=1, payload={"alg": "hmac-sha256", "value": "cd" * 32}),
        entry(payload={"alg": "hmac-sha256", "value": "cd" * 32, "words": "ef" * 32}),
        entry(v=True),
        entry(more=1),
        entry(seq=-1),
        entry(seq=True),
        entry(at="2026-11-23"),
        entry(at="2026-11-23T24:00:00.000000Z"),
        entry(at="2026-11-23T09:30:60.000000Z"),
        entry(actor='a "name"'),
        entry(outcome=None),
        entry(subject={"kind": "model", "name": "credit"}),
        entry(payload={"alg": "hmac-sha256", "value": "CD" * 32}),
        entry(payload={"alg": "none", "value": "cd" * 32}),
        entry(evidence=[{"name": "tests"}]),
    ],
)
def test_anything_else_is_left_to_the_full_reader(other: dict[str, Any]) -> None:
    assert match_entry(canonical_json(other).decode()) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@st.composite
def changed_entries(draw: st.DrawFn) -> bytes:
    """An entry with other values, sometimes with a byte changed."""
    names = draw(st.lists(st.sampled_from(sorted(entry())), max_size=3))
    changes = {name: draw(VALUES) for name in names}
    try:
        body = bytearray(canonical_json(entry(**changes)))
    except VerifyError:
        body = bytearray(canonical_json(entry()))
    if draw(st.booleans()):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body)


@given(changed_entries())
@example(canonical_json(entry()))
@example(canonical_json(entry(evidence=[])))
@example(canonical_json(entry()).replace(b'"seq":12', b'"seq":012'))
@example(canonical_json(entry()) + b"\n")
@example(canonical_json(entry()).replace(b"credit", b"cr\x7f\xc3\xa9dit"))
@example(canonical_json(entry()).replace(b"credit", b"cr\xeddit"))
def test_an_entry_is_read_as_the_full_reader_reads_it(body: bytes) -> None:
    assert outcome(audit_entries.read_entry, body) == outcome(audit_entries._read_any, body)


@given(
    VALUES.flatmap(
        lambda value: st.sampled_from(
            [
                canonical._write(value).encode("utf-8", "surrogatepass"),
                repr(value).encode("utf-8", "replace"),
            ]
        )
    )
    | st.binary(max_size=12)
)
@example(b'{"a":1,"a":1}')
@example(b'{"b":1,"a":1}')
@example(b' {"a":1}')
@example(b'{"a":1}\n')
@example(b"-0")
@example(b"1.0")
@example(b"NaN")
@example(b"9007199254740992")
@example(b"9007199254740991")
@example(b"1" * 5000)
@example(b'"\\ud800"')
@example(b'"\\u00e9"')
@example(b'"\\u001f\\n"')
@example(b"[" * 64 + b"1" + b"]" * 64)
@example(b"[" * 65 + b"1" + b"]" * 65)
@example(b"[" * 65 + b"]" * 65)
@example(b'["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]')
@example(b"[" * 100_000)
@example(b"\xef\xbb\xbf1")
def test_json_is_read_as_the_thorough_reader_reads_it(data: bytes) -> None:
    quick = outcome(parse_canonical, data)
    thorough = outcome(canonical._parse_thoroughly, data)
    assert (quick, type(quick)) == (thorough, type(thorough))
