"""Cosignatures: those of public witnesses verify, and nothing else counts as one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.cosignature import Cosignature, WitnessKey, cosign, cosignatures
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, NoteKey, compose, open_note, signature_line

# A checkpoint of a public log of certificates, as four public witnesses cosigned it, with the keys
# that they publish; signatures of other types are among them.
LOG = "arche2025h1.staging.ct.transparency.dev"
LOG_KEY = f"{LOG}+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
PUBLISHED_KEYS = (
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "transparency.dev/DEV:witness-little-garden+d8042a87+"
    "BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
)
PUBLISHED = f"""\
{LOG}
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— {LOG} zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4\
kJXFbon5Ch9MNL5zRNZ55lvGt0=
— {LOG} ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcq\
oXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u\
5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5\
XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TU\
FucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
PUBLISHED_TIME = 1779573024
"""2026-05-23 21:50:24 UTC"""

LOG_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
OWN_LOG = NoteKey("guiderail.local/test", LOG_PRIVATE.public_key().public_bytes_raw())
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
WITNESS = WitnessKey("audit.example/w1", PRIVATE.public_key().public_bytes_raw())
TEXT = Checkpoint(OWN_LOG.name, 7, bytes(range(32))).to_text()
SIGNED = compose(TEXT, [signature_line(OWN_LOG, LOG_PRIVATE.sign(TEXT.encode()))])


def read(note: str, *keys: WitnessKey) -> tuple[Cosignature, ...]:
    return cosignatures(note, keys or (WITNESS,))


def code_of(note: str, *keys: WitnessKey) -> str:
    with pytest.raises(VerifyError) as caught:
        read(note, *keys)
    return caught.value.code


def test_public_witnesses_have_cosigned_a_public_checkpoint() -> None:
    keys = [WitnessKey.from_text(key) for key in PUBLISHED_KEYS]
    found = read(PUBLISHED, *keys)
    assert {one.key for one in found} == set(keys)
    assert {one.time for one in found} == {PUBLISHED_TIME}
    assert open_note(PUBLISHED, [NoteKey.from_text(LOG_KEY)]).startswith(f"{LOG}\n1432088532\n")


@pytest.mark.parametrize("key", PUBLISHED_KEYS)
def test_a_published_key_comes_back_as_it_was_written(key: str) -> None:
    assert WitnessKey.from_text(key).to_text() == key


@pytest.mark.parametrize("change", [("1432088532", "1432088533"), ("U7WM", "V7WM")])
def test_a_changed_public_checkpoint_is_cosigned_by_nobody(change: tuple[str, str]) -> None:
    changed = PUBLISHED.replace(*change)
    assert code_of(changed, WitnessKey.from_text(PUBLISHED_KEYS[0])) == "witness/bad-cosignature"


@given(time=st.integers(0, 2**63 - 1))
def test_what_was_cosigned_verifies_with_its_time(time: int) -> None:
    line = cosign(PRIVATE, WITNESS.name, TEXT, time)
    assert read(SIGNED + line) == (Cosignature(WITNESS, time, line),)


def test_the_log_is_not_its_own_witness() -> None:
    assert read(SIGNED) == ()
    with pytest.raises(VerifyError) as caught:
        WitnessKey.from_text(OWN_LOG.to_text())
    assert "not that of a witness" in caught.value.reason


def test_a_log_signature_under_the_name_of_a_witness_is_not_a_cosignature() -> None:
    as_log = NoteKey(WITNESS.name, WITNESS.public)
    assert read(SIGNED + signature_line(as_log, PRIVATE.sign(TEXT.encode()))) == ()


@given(at=st.integers(0, 71), bit=st.integers(0, 7))
def test_no_bit_of_a_cosignature_can_change(at: int, bit: int) -> None:
    line = cosign(PRIVATE, WITNESS.name, TEXT, 1_700_000_000)
    from guiderail_verify.note import note_line, split_signature

    name, key_id, signature = split_signature(line[:-1])
    changed = bytearray(signature)
    changed[at] ^= 1 << bit
    assert code_of(SIGNED + note_line(name, key_id, bytes(changed))) == "witness/bad-cosignature"


@pytest.mark.parametrize("length", [1, 8, 64, 71, 73, 2428])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    from guiderail_verify.note import note_line

    line = note_line(WITNESS.name, WITNESS.key_id, b"\x00" * length)
    assert code_of(SIGNED + line) == "witness/bad-cosignature"


def test_a_second_cosignature_of_one_witness_is_refused() -> None:
    lines = cosign(PRIVATE, WITNESS.name, TEXT, 1) + cosign(PRIVATE, WITNESS.name, TEXT, 2)
    assert code_of(SIGNED + lines) == "witness/twice-signed"


def test_a_cosignature_of_another_checkpoint_does_not_count() -> None:
    other = Checkpoint(OWN_LOG.name, 8, bytes(32)).to_text()
    line = cosign(PRIVATE, WITNESS.name, other, 1)
    assert code_of(SIGNED + line) == "witness/bad-cosignature"


@pytest.mark.parametrize("garbage", ["PS: thanks!\n", "— nobody\n", "\n", "— a b c\n", "x"])
def test_garbage_after_the_signatures_refuses_the_note(garbage: str) -> None:
    with pytest.raises(VerifyError):
        read(SIGNED + cosign(PRIVATE, WITNESS.name, TEXT, 1) + garbage)


@pytest.mark.parametrize(
    "text",
    [
        "", "a+b", "a b+00000000+AA==", f"{WITNESS.name}+00000000+{WITNESS.to_text()[-44:]}",
        WITNESS.to_text() + "=", WITNESS.to_text()[:-4], " " + WITNESS.to_text(),
        WITNESS.to_text().replace("audit", "other"),
    ],
)  # fmt: skip
def test_a_damaged_key_is_refused(text: str) -> None:
    with pytest.raises(VerifyError) as caught:
        WitnessKey.from_text(text)
    assert caught.value.code == "witness/bad-key"
