"""A target takes newer keys by the chain only, and keeps the newest state that it was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import taken_back
from tests.verify.key_office import KeyOffice

from guiderail.attest.keys import Keyring
from guiderail.core.errors import InputError, RefusedError
from guiderail.rollout.folder import Folder
from guiderail.rollout.pinned import held_state, keep_state, newer_keys, pinned_keys
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import chain_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    Keyring.open(tmp_path)
    return Folder(tmp_path)


def test_a_target_follows_the_chain_beside_its_keys(tmp_path: Path) -> None:
    office, folder = KeyOffice(), Folder(tmp_path)
    pinned = office.keys
    assert newer_keys(folder, pinned) == pinned, "no chain is there yet"
    office.rotate("checkpoint", "permit")
    office.retire(10)
    folder.key_chain.parent.mkdir()
    folder.key_chain.write_bytes(chain_bytes(office.chain))
    assert newer_keys(folder, pinned) == office.keys


@pytest.mark.parametrize("what", ["another log", "gap", "older", "nothing"])
def test_a_chain_that_does_not_continue_what_is_pinned_changes_nothing(
    tmp_path: Path, what: str
) -> None:
    office, other, folder = KeyOffice(), KeyOffice("other.log"), Folder(tmp_path)
    first = office.keys
    office.rotate("permit")
    office.retire(10)
    pinned, chain = {
        "another log": (first, other.chain),
        "gap": (first, [office.chain[0], office.chain[2]]),
        "older": (office.keys, office.chain[:2]),
        "nothing": (first, [b"{}"]),
    }[what]
    folder.key_chain.parent.mkdir()
    folder.key_chain.write_bytes(chain_bytes(chain))
    with pytest.raises(VerifyError):
        newer_keys(folder, pinned)


def test_public_keys_that_are_no_keys_stop_the_target(folder: Folder) -> None:
    folder.public_keys.write_bytes(b"{}")
    with pytest.raises(InputError) as caught:
        pinned_keys(folder)
    assert caught.value.code == "target/no-keys"


def test_the_newest_state_is_kept_and_an_older_one_refused(folder: Folder) -> None:
    keys = pinned_keys(folder)
    assert held_state(folder, keys, "production") is None
    first, second = taken_back(folder.home, "p-1"), taken_back(folder.home, "p-1", version=2)
    keep_state(folder, second, "production")
    with pytest.raises(RefusedError) as caught:
        keep_state(folder, first, "production")
    assert caught.value.code == "state/older"
    with pytest.raises(RefusedError) as caught:
        keep_state(folder, taken_back(folder.home, version=3), "production")
    assert caught.value.code == "state/forgets"
    held = held_state(folder, keys, "production")
    assert held is not None
    assert (held.version, held.revoked) == (2, {"p-1"})


def test_a_state_by_a_stranger_is_refused(folder: Folder, tmp_path: Path) -> None:
    Keyring.open(tmp_path / "stranger")
    with pytest.raises(RefusedError) as caught:
        keep_state(folder, taken_back(tmp_path / "stranger"), "production")
    assert caught.value.code == "dsse/unknown-key"
    assert not folder.permit_state.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff"])
def test_a_damaged_state_is_not_an_empty_one(folder: Folder, content: bytes) -> None:
    keep_state(folder, taken_back(folder.home, "p-1"), "production")
    folder.permit_state.write_bytes(content)
    with pytest.raises(VerifyError):
        held_state(folder, pinned_keys(folder), "production")
