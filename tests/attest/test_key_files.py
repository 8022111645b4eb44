"""Key files: what protects them holds elsewhere too, and no crash leaves half of a change."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.attest.key_files import (
    finish_protection,
    is_protected,
    locked,
    new_key,
    private_files,
    protect,
    write_private,
)
from guiderail.attest.keys import Keyring, read_trusted
from guiderail.attest.pkcs8 import to_pem
from guiderail.attest.secrets import PASSPHRASE, Secrets
from guiderail.core.errors import ConflictError, InputError

OLD, NEW = "correct horse battery", "quite another long one"


def knowing(passphrase: str | None) -> Secrets:
    return Secrets({} if passphrase is None else {PASSPHRASE: passphrase}, None)


def opens(home: Path, passphrase: str | None) -> bool:
    try:
        Keyring.open(home, asked=knowing(passphrase))
    except InputError as error:
        if error.code in ("keys/wrong-passphrase", "keys/no-passphrase"):
            return False
        raise
    return True


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Keyring.open(tmp_path)
    return tmp_path


@settings(max_examples=5)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.encode("utf-8", "ignore")))
def test_any_passphrase_opens_what_it_closed_and_no_other_does(passphrase: str) -> None:
    try:
        passphrase.encode("utf-8")
    except UnicodeEncodeError:
        return
    key, pem = new_key(passphrase)
    opened = serialization.load_pem_private_key(pem, passphrase.encode("utf-8"))
    assert opened.private_bytes_raw() == key.private_bytes_raw()  # type: ignore[union-attr]
    with pytest.raises(ValueError):
        serialization.load_pem_private_key(pem, passphrase.encode("utf-8") + b"x")


def test_openssl_opens_the_file_and_finds_scrypt_in_it(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "the tests need openssl"
    key, pem = new_key(OLD)
    path = tmp_path / "key.pem"
    path.write_bytes(pem)
    done = subprocess.run(
        [openssl, "pkey", "-in", str(path), "-passin", f"pass:{OLD}", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert done.stdout.endswith(key.public_key().public_bytes_raw())
    wrong = [openssl, "pkey", "-in", str(path), "-passin", f"pass:{NEW}", "-noout"]
    assert subprocess.run(wrong, capture_output=True, check=False).returncode != 0
    parsed = subprocess.run(
        [openssl, "asn1parse", "-in", str(path)], capture_output=True, check=True
    )
    assert b"scrypt" in parsed.stdout
    assert b"aes-256-cbc" in parsed.stdout


def test_the_same_key_is_never_closed_twice_in_the_same_bytes() -> None:
    key, pem = new_key(OLD)
    assert to_pem(key, OLD) != pem


def test_protected_keys_are_the_same_keys(home: Path) -> None:
    before = read_trusted(home)
    protect(home / "keys", knowing(None), OLD)
    assert opens(home, OLD)
    assert not opens(home, None)
    assert not opens(home, NEW)
    assert Keyring.open(home, asked=knowing(OLD)).trusted == before
    for path in private_files(home / "keys"):
        assert is_protected(path)
        assert path.stat().st_mode & 0o777 == 0o600
    protect(home / "keys", knowing(OLD), None)
    assert opens(home, None)


def test_a_wrong_old_passphrase_changes_nothing(home: Path) -> None:
    protect(home / "keys", knowing(None), OLD)
    with pytest.raises(InputError) as caught:
        protect(home / "keys", knowing(NEW), "something else altogether")
    assert caught.value.code == "keys/wrong-passphrase"
    assert NEW not in str(caught.value)
    assert opens(home, OLD)


@pytest.mark.parametrize(
    ("written", "ready", "renamed"),
    [(0, False, 0), (1, False, 0), (2, False, 0), (2, True, 0), (2, True, 1), (2, True, 2)],
)
def test_a_crash_at_any_step_leaves_the_old_passphrase_or_the_new_one(
    home: Path, written: int, ready: bool, renamed: int
) -> None:
    """What the process had written when it died: new files, the marker, renames."""
    folder = home / "keys"
    protect(folder, knowing(None), OLD)
    copy = home / "copy"
    shutil.copytree(folder, copy)
    protect(copy, knowing(OLD), NEW)
    names = [path.name for path in private_files(folder)]
    for name in names[:written]:
        write_private(folder / f"{name}.protect", (copy / name).read_bytes())
    if ready:
        write_private(folder / "protect.ready", b"")
    for name in names[:renamed]:
        (folder / f"{name}.protect").replace(folder / name)
    assert opens(home, NEW if ready else OLD)
    assert not list(folder.glob("*.protect"))
    assert not (folder / "protect.ready").exists()


def test_finishing_twice_is_finishing_once(home: Path) -> None:
    finish_protection(home / "keys")
    finish_protection(home / "keys")
    assert opens(home, None)


def test_one_process_at_a_time_changes_the_files(home: Path) -> None:
    with (
        locked(home / "keys"),
        pytest.raises(ConflictError) as caught,
        locked(home / "keys", wait=False),
    ):
        raise AssertionError("two hold the lock")
    assert caught.value.code == "keys/in-use"


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_public_keys_that_others_can_change_are_refused(home: Path, mode: int) -> None:
    """Who can write there chooses whom the target believes."""
    (home / "keys" / "public.json").chmod(mode)
    for look in (lambda: Keyring.open(home), lambda: read_trusted(home)):
        with pytest.raises(InputError) as caught:
            look()
        assert caught.value.code == "keys/open-to-others"
        assert "chmod 644" in caught.value.advice
