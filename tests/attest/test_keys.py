"""Keys are made once, kept private, and never replaced behind anybody's back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from guiderail.attest.keys import Keyring, read_trusted
from guiderail.core.errors import InputError, IntegrityError
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, open_checkpoint

PRIVATE = ("origin.txt", "checkpoint.pem", "permit.pem")


def test_the_first_opening_makes_the_keys_and_says_so(tmp_path: Path) -> None:
    first, second = Keyring.open(tmp_path), Keyring.open(tmp_path)
    assert (first.created, second.created) == (True, False)
    assert first.trusted == second.trusted
    assert first.sign_note("x\n") == second.sign_note("x\n")


def test_two_workspaces_share_nothing(tmp_path: Path) -> None:
    one, two = Keyring.open(tmp_path / "one"), Keyring.open(tmp_path / "two")
    assert one.origin != two.origin
    assert one.note_key.public != two.note_key.public
    assert one.permit_key_id != two.permit_key_id


def test_the_two_keys_of_a_workspace_differ(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    assert keyring.note_key.public != keyring.trusted.permit[keyring.permit_key_id]


def test_only_the_owner_can_read_what_is_private(tmp_path: Path) -> None:
    Keyring.open(tmp_path)
    folder = tmp_path / "keys"
    assert {path.name for path in folder.iterdir()} == {*PRIVATE, "public.json"}
    for name in PRIVATE:
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in (folder / "public.json").read_bytes()


def test_the_public_file_is_what_a_target_pins(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    assert read_trusted(tmp_path) == keyring.trusted


def test_a_missing_public_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_trusted(tmp_path)
    assert caught.value.code == "keys/missing"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "public.json").write_text("{}")
    with pytest.raises(InputError) as caught:
        read_trusted(tmp_path)
    assert caught.value.code == "keys/unreadable"


def test_a_note_of_the_keyring_verifies_with_its_public_key(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    checkpoint = Checkpoint(keyring.origin, 3, bytes(32))
    note = keyring.sign_note(checkpoint.to_text())
    assert open_checkpoint(note, keyring.trusted.checkpoint, keyring.origin) == checkpoint
    with pytest.raises(VerifyError):
        open_checkpoint(note, keyring.trusted.checkpoint, "another.log")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Keyring.open(tmp_path)
    (tmp_path / "keys" / "permit.pem").chmod(0o644)
    with pytest.raises(InputError) as caught:
        Keyring.open(tmp_path)
    assert caught.value.code == "keys/open-to-others"
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize("name", PRIVATE)
def test_a_lost_key_is_never_replaced_silently(tmp_path: Path, name: str) -> None:
    Keyring.open(tmp_path)
    lost = tmp_path / "keys" / name
    lost.unlink()
    with pytest.raises(IntegrityError) as caught:
        Keyring.open(tmp_path)
    assert caught.value.code == "keys/broken"
    assert not lost.exists()


def test_a_swapped_key_does_not_match_the_public_file(tmp_path: Path) -> None:
    Keyring.open(tmp_path / "one")
    Keyring.open(tmp_path / "two")
    other = (tmp_path / "two" / "keys" / "permit.pem").read_bytes()
    (tmp_path / "one" / "keys" / "permit.pem").write_bytes(other)
    with pytest.raises(IntegrityError, match="does not belong"):
        Keyring.open(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\xfe"])
def test_a_key_file_with_something_else_in_it_is_refused(tmp_path: Path, content: bytes) -> None:
    Keyring.open(tmp_path)
    (tmp_path / "keys" / "checkpoint.pem").write_bytes(content)
    with pytest.raises(IntegrityError, match="not a private key"):
        Keyring.open(tmp_path)


def test_a_crash_in_the_middle_is_completed(tmp_path: Path) -> None:
    """`public.json` comes last: what was made before it is kept."""
    first = Keyring.open(tmp_path)
    (tmp_path / "keys" / "public.json").unlink()
    (tmp_path / "keys" / "permit.pem").unlink()
    second = Keyring.open(tmp_path)
    assert second.origin == first.origin
    assert second.note_key == first.note_key
    assert second.created


def test_processes_that_open_at_once_get_the_same_keys(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from guiderail.attest.keys import Keyring; "
        "print(Keyring.open(Path(sys.argv[1])).trusted.to_json().decode())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    printed = {process.communicate()[0].strip() for process in started}
    assert printed == {read_trusted(tmp_path).to_json()}


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(InputError) as caught:
        Keyring.open(tmp_path / "home")
    assert caught.value.code == "keys/unusable"
