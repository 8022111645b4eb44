"""What a witness answers: the statuses of c2sp.org/tlog-witness, and never two histories."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.errors import IntegrityError
from guiderail.witness.decide import Answer, add_checkpoint
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.wire import SIZE_TYPE, AddCheckpoint, parse_request
from guiderail_verify.canonical import encode_base64
from guiderail_verify.cosignature import cosignatures
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, compose, split_note

from .logs import KEY, ORIGIN, Log, sign

NOW = 1_780_000_000


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    made = WitnessFolder.create(tmp_path / "witness", "audit.example/w1")
    made.follow(KEY)
    return made


def ask(witness: WitnessFolder, request: bytes) -> Answer:
    return add_checkpoint(witness, request, lambda: NOW)


def size_known(witness: WitnessFolder) -> int:
    log = witness.log(ORIGIN)
    assert log is not None
    newest = witness.newest(log)
    return 0 if newest is None else newest.size


def expect_size(answer: Answer, size: int) -> None:
    assert (answer.status, answer.body, answer.content_type) == (409, f"{size}\n", SIZE_TYPE)


def test_a_first_checkpoint_is_cosigned_and_the_signature_verifies(witness: WitnessFolder) -> None:
    log = Log.of(5)
    answer = ask(witness, log.request(0))
    assert answer.status == 200
    (made,) = cosignatures(log.note() + answer.body, [witness.key])
    assert made.time == NOW
    assert size_known(witness) == 5


def test_a_log_that_grows_is_cosigned_each_time(witness: WitnessFolder) -> None:
    log, before = Log.of(40), 0
    for size in (0, 1, 1, 2, 7, 8, 31, 40, 40):
        assert ask(witness, log.request(before, size)).status == 200, size
        before = size
    assert size_known(witness) == 40


def test_what_is_known_already_is_refused_with_its_size(witness: WitnessFolder) -> None:
    log = Log.of(9)
    ask(witness, log.request(0))
    expect_size(ask(witness, log.request(0)), 9)
    expect_size(ask(witness, log.request(4)), 9)
    expect_size(ask(witness, log.request(0, 3)), 9)
    expect_size(ask(witness, log.request(3, 3)), 9)
    assert size_known(witness) == 9


def test_another_root_of_the_same_size_is_a_conflict_and_kept_as_evidence(
    witness: WitnessFolder,
) -> None:
    ask(witness, Log.of(9).request(0))
    other = Log.of(9, "b")
    expect_size(ask(witness, other.request(9)), 9)
    expect_size(ask(witness, other.request(9)), 9)
    log = witness.log(ORIGIN)
    assert log is not None
    (kept,) = witness.contradictions(log)
    assert kept.read_text("utf-8") == other.note()
    assert witness.newest_note(log) == Log.of(9).note()


@pytest.mark.parametrize("size", [10, 12, 16, 33])
def test_a_rewritten_history_cannot_be_proved(witness: WitnessFolder, size: int) -> None:
    ask(witness, Log.of(9).request(0))
    assert ask(witness, Log.of(size, "b").request(9)).status == 422
    assert size_known(witness) == 9
    log = witness.log(ORIGIN)
    assert log is not None
    assert len(witness.unproven(log)) == 1


def test_a_proof_from_nothing_is_empty(witness: WitnessFolder) -> None:
    log = Log.of(4)
    assert ask(witness, AddCheckpoint(0, (bytes(32),), log.note()).to_bytes()).status == 422
    assert size_known(witness) == 0


def test_a_proof_to_the_same_size_is_empty(witness: WitnessFolder) -> None:
    log = Log.of(4)
    ask(witness, log.request(0))
    assert ask(witness, AddCheckpoint(4, (bytes(32),), log.note()).to_bytes()).status == 422


def test_an_empty_log_has_one_root(witness: WitnessFolder) -> None:
    wrong = sign(f"{ORIGIN}\n0\n{'A' * 43}=\n")
    assert ask(witness, AddCheckpoint(0, (), wrong).to_bytes()).status == 409
    assert ask(witness, Log.of(0).request(0)).status == 200


def test_an_unknown_log_is_not_found(witness: WitnessFolder) -> None:
    text = Log.of(3).checkpoint().to_text().replace(ORIGIN, "other.example/log")
    assert ask(witness, AddCheckpoint(0, (), sign(text)).to_bytes()).status == 404


def test_another_key_under_the_same_name_is_forbidden(witness: WitnessFolder) -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"\x18" * 32)
    key = NoteKey(ORIGIN, private.public_key().public_bytes_raw())
    note = sign(Log.of(3).checkpoint().to_text(), private, key)
    assert ask(witness, AddCheckpoint(0, (), note).to_bytes()).status == 403
    assert size_known(witness) == 0
    witness.follow(key)
    assert ask(witness, AddCheckpoint(0, (), note).to_bytes()).status == 200
    assert ask(witness, Log.of(5).request(3)).status == 200, "the old key still counts"


def test_a_wrong_signature_of_the_right_key_is_forbidden(witness: WitnessFolder) -> None:
    _, (line,) = split_note(Log.of(3).note())
    note = compose(Log.of(4).checkpoint().to_text(), [line + "\n"])
    assert ask(witness, AddCheckpoint(0, (), note).to_bytes()).status == 403


def test_signatures_of_strangers_are_ignored(witness: WitnessFolder) -> None:
    note = Log.of(3).note() + f"— stranger.example {encode_base64(bytes(68))}\n"
    assert ask(witness, AddCheckpoint(0, (), note).to_bytes()).status == 200


def test_extension_lines_are_signed_with_the_rest(witness: WitnessFolder) -> None:
    note = sign(Log.of(3).checkpoint().to_text() + "extension\n")
    answer = ask(witness, AddCheckpoint(0, (), note).to_bytes())
    assert answer.status == 200
    assert cosignatures(note + answer.body, [witness.key])
    assert ask(witness, Log.of(5).request(3)).status == 200


GOOD = Log.of(5).request(0)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"old 0\n", b"old 0\n\n", b"old 00\n\n" + GOOD[7:], b"old -1\n\n" + GOOD[7:],
        b"old +0\n\n" + GOOD[7:], b"new 0\n\n" + GOOD[7:], b"old  0\n\n" + GOOD[7:],
        b"old 0\r\n\r\n" + GOOD[7:], b"\xff" + GOOD, GOOD[:-1], GOOD + b"garbage", GOOD + b"\n",
        GOOD.replace(b"\n5\n", b"\n05\n"), b"old 9\n\n" + GOOD[7:],
        b"old 9223372036854775808\n\n" + GOOD[7:], b"old 0\nAAAA\n\n" + GOOD[7:],
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + GOOD[7:],
    ],
)  # fmt: skip
def test_what_is_no_request_is_a_bad_one(witness: WitnessFolder, data: bytes) -> None:
    assert ask(witness, data).status == 400
    assert size_known(witness) == 0


@given(data=st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(VerifyError):
        assert parse_request(data).to_bytes() == data


@given(
    old=st.integers(0, 2**63 - 1),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
)
def test_a_request_comes_back_as_it_was_written(old: int, path: list[bytes]) -> None:
    request = AddCheckpoint(old, tuple(path), Log.of(3).note())
    assert parse_request(request.to_bytes()) == request


@pytest.mark.parametrize("damage", [b"", b"garbage", Log.of(9, "b").note().encode()[:-9]])
def test_with_a_damaged_memory_nothing_is_signed(witness: WitnessFolder, damage: bytes) -> None:
    ask(witness, Log.of(9).request(0))
    (newest,) = witness.folder.glob("logs/*/newest.txt")
    newest.write_bytes(damage)
    with pytest.raises(IntegrityError):
        ask(witness, Log.of(10).request(9))
