"""Time stamps of a real authority: good only against pinned roots, and about these very bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.errors import InputError
from guiderail.ledger.timestamps import StoredTimestamp, ask_authority, judge, read_roots
from tests.authority import Authority, new_authority, stamping
from tests.witness.logs import Log

NOTE = Log.of(5).note()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def roots(authority: Authority) -> list[x509.Certificate]:
    return read_roots(authority.roots)


@pytest.fixture(scope="module")
def stamp(authority: Authority) -> StoredTimestamp:
    with stamping(authority) as url:
        return StoredTimestamp(5, url, NOTE, ask_authority(url, NOTE, seconds=20))


def state(stamp: StoredTimestamp, roots: list[x509.Certificate]) -> str:
    return judge(stamp, roots).state


def test_a_time_stamp_verifies_against_its_root(
    stamp: StoredTimestamp, roots: list[x509.Certificate]
) -> None:
    verdict = judge(stamp, roots)
    assert verdict.state == "good"
    assert verdict.at is not None


def test_without_a_pinned_root_it_is_not_checked(stamp: StoredTimestamp) -> None:
    verdict = judge(stamp, [])
    assert verdict.state == "not-checked"
    assert "was not checked" in verdict.sentence


def test_the_root_of_somebody_else_does_not_count(stamp: StoredTimestamp, tmp_path: Path) -> None:
    verdict = judge(stamp, read_roots(new_authority(tmp_path).roots))
    assert verdict.state == "bad"
    assert "ErrorStack" not in verdict.sentence


@pytest.mark.parametrize("pinned", [True, False])
def test_a_time_stamp_of_another_checkpoint_is_bad(
    stamp: StoredTimestamp, roots: list[x509.Certificate], pinned: bool
) -> None:
    other = StoredTimestamp(5, stamp.url, Log.of(5, "b").note(), stamp.response)
    assert state(other, roots if pinned else []) == "bad"


@settings(max_examples=60)
@given(data=st.data())
def test_no_changed_byte_is_good(
    stamp: StoredTimestamp, roots: list[x509.Certificate], data: st.DataObject
) -> None:
    """Some bytes are not signed, such as certificates that nobody needs; none of them may turn the
    answer into one about other bytes or another time."""
    at = data.draw(st.integers(0, len(stamp.response) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(stamp.response)
    changed[at] ^= 1 << bit
    verdict = judge(StoredTimestamp(5, stamp.url, NOTE, bytes(changed)), roots)
    if verdict.state == "good":
        assert verdict.at == judge(stamp, roots).at


@pytest.mark.parametrize("response", [b"", b"\x30\x00", b"thank you", b"\x30\x80" * 1000])
@pytest.mark.parametrize("pinned", [True, False])
def test_garbage_is_bad(response: bytes, roots: list[x509.Certificate], pinned: bool) -> None:
    assert state(StoredTimestamp(5, "u", NOTE, response), roots if pinned else []) == "bad"


@pytest.mark.parametrize("reply", [b"", b"<html>", b"x" * 100_000])
def test_an_authority_that_answers_garbage_is_an_error(reply: bytes) -> None:
    with stamping(reply) as url, pytest.raises(InputError) as refusal:
        ask_authority(url, NOTE, seconds=20)
    assert refusal.value.code == "timestamp/no-reply"


def test_a_replayed_reply_is_refused(stamp: StoredTimestamp) -> None:
    with stamping(stamp.response) as url, pytest.raises(InputError) as refusal:
        ask_authority(url, NOTE, seconds=20)
    assert "another request" in refusal.value.what


def test_nobody_at_the_address_is_an_error() -> None:
    with pytest.raises(InputError):
        ask_authority("http://127.0.0.1:1", NOTE, seconds=20)


def test_roots_are_certificates_in_pem_form(tmp_path: Path) -> None:
    assert read_roots(tmp_path / "missing.pem") == []
    (tmp_path / "roots.pem").write_text("hello", "utf-8")
    with pytest.raises(InputError):
        read_roots(tmp_path / "roots.pem")
