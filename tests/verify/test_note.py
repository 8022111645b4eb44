"""Signed notes and checkpoints, against a published note and against every kind of garbage."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.errors import VerifyError
from guiderail_verify.note import (
    Checkpoint,
    NoteKey,
    compose,
    open_checkpoint,
    open_note,
    signature_line,
)

# The example of the Go module golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PUBLISHED_NOTE = (
    PUBLISHED_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC"
    "2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ORIGIN = "guiderail.local/test"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
KEY = NoteKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
WITNESS = NoteKey("witness.example", OTHER_PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))


def signed(text: str, key: NoteKey = KEY, private: Ed25519PrivateKey = PRIVATE) -> str:
    return compose(text, [signature_line(key, private.sign(text.encode()))])


NOTE = signed(CHECKPOINT.to_text())


def code_of(note: str) -> str:
    with pytest.raises(VerifyError) as caught:
        open_checkpoint(note, [KEY], ORIGIN)
    return caught.value.code


def test_the_published_note_opens_with_the_published_key() -> None:
    key = NoteKey.from_text(PUBLISHED_KEY)
    assert key.name == "PeterNeumann"
    assert open_note(PUBLISHED_NOTE, [key]) == PUBLISHED_TEXT
    assert key.to_text() == PUBLISHED_KEY


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    assert open_checkpoint(NOTE, [KEY], ORIGIN) == CHECKPOINT


def test_a_witness_may_sign_too_and_does_not_disturb() -> None:
    text = CHECKPOINT.to_text()
    cosigned = NOTE + signature_line(WITNESS, OTHER_PRIVATE.sign(text.encode()))
    assert open_checkpoint(cosigned, [KEY, WITNESS], ORIGIN) == CHECKPOINT


def test_a_witness_alone_cannot_speak_for_the_log() -> None:
    alone = signed(CHECKPOINT.to_text(), WITNESS, OTHER_PRIVATE)
    with pytest.raises(VerifyError) as caught:
        open_checkpoint(alone, [KEY, WITNESS], ORIGIN)
    assert caught.value.code == "note/unknown-key"


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (NOTE + "garbage\n", "note/garbage"),
        (NOTE + "\n", "note/no-signature"),
        (NOTE + "— \n", "note/garbage"),
        (NOTE + "— x y\n", "note/garbage"),
        (NOTE + f"— {ORIGIN} AAAA\n", "note/garbage"),
        (NOTE + "- x AAAAAAAA\n", "note/garbage"),
        (NOTE[:-1], "note/no-signature"),
        (NOTE + "trailing", "note/no-signature"),
        (NOTE + NOTE.split("\n\n")[1], "note/twice-signed"),
        (NOTE.replace("\n7\n", "\n8\n"), "note/bad-signature"),
        (NOTE.replace(ORIGIN + "\n7", "other.example\n7"), "note/bad-signature"),
        (CHECKPOINT.to_text(), "note/no-signature"),
        (NOTE.replace("\n7\n", "\n7\r\n"), "note/control-character"),
        ("", "note/no-signature"),
        ("x" * (1 << 20) + NOTE, "note/too-large"),
        (NOTE + "— x AAAAAAA=\n" * 64, "note/too-many"),
        (signed("a text\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n07\n{'A' * 43}=\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n-7\n{'A' * 43}=\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n\u0667\n{'A' * 43}=\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n{2**63}\n{'A' * 43}=\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n7\nAAAA\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n7\n{'A' * 42}B=\n"), "note/bad-checkpoint"),
        (signed(f"{ORIGIN}\n7\n{'A' * 43}=\nextension\n"), "note/bad-checkpoint"),
        (signed(f"other.example\n7\n{'A' * 43}=\n"), "note/other-log"),
    ],
)
def test_anything_but_a_checkpoint_of_this_log_is_refused(note: str, code: str) -> None:
    assert code_of(note) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("ARpc", "AhpC"),
        "with space+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PUBLISHED_KEY + "=",
    ],
)
def test_a_key_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(VerifyError) as caught:
        NoteKey.from_text(text)
    assert caught.value.code == "note/bad-key"


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_changed_character_goes_unnoticed(place: int, letter: str) -> None:
    changed = NOTE[:place] + letter + NOTE[place + 1 :]
    if changed == NOTE:
        assert open_checkpoint(changed, [KEY], ORIGIN) == CHECKPOINT
    else:
        with pytest.raises(VerifyError):
            open_checkpoint(changed, [KEY], ORIGIN)
