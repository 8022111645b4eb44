"""The keys at the command line: every step can be read, and no secret is ever printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from guiderail.attest.secrets import NEW_PASSPHRASE, PASSPHRASE
from tests.cli.terminal import Terminal

SECRET, OTHER = "correct horse battery", "quite another long one"


@pytest.fixture
def place(guiderail: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new workspace; the terminal's current directory."""
    for name in (PASSPHRASE, NEW_PASSPHRASE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name + "_FILE", raising=False)
    monkeypatch.setenv("GUIDERAIL_HOME", str(tmp_path / ".guiderail"))
    assert guiderail("init --workspace .").code == 0
    return tmp_path / ".guiderail"


def test_a_passphrase_is_set_changed_and_taken_away(
    guiderail: Terminal, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "NOT ENCRYPTED" in guiderail("keys show").out
    assert "Not encrypted" in guiderail("ledger verify").out
    refused = guiderail("keys protect")
    assert (refused.code, "keys/no-passphrase" in refused.err) == (4, True)
    monkeypatch.setenv(PASSPHRASE, SECRET)
    said = [guiderail("keys protect"), guiderail("keys show"), guiderail("ledger checkpoint")]
    assert [one.code for one in said] == [0, 0, 0]
    assert "NOT ENCRYPTED" not in said[1].out
    monkeypatch.setenv(NEW_PASSPHRASE, OTHER)
    said.append(guiderail("keys protect --format json"))
    assert said[-1].json["changed"] is True
    said.append(guiderail("ledger checkpoint"))
    assert (said[-1].code, "keys/wrong-passphrase" in said[-1].err) == (4, True)
    monkeypatch.setenv(PASSPHRASE, OTHER)
    said.append(guiderail("keys unprotect"))
    assert "NOT ENCRYPTED" in guiderail("keys show").out
    printed = "".join(one.out + one.err for one in said)
    assert SECRET not in printed
    assert OTHER not in printed


def test_keys_change_and_a_target_follows(guiderail: Terminal, place: Path, tmp_path: Path) -> None:
    pinned = tmp_path / "pinned.json"
    pinned.write_bytes((place / "keys" / "public.json").read_bytes())
    pinned.chmod(0o644)
    assert guiderail("keys rotate --format json").json["version"] == 2
    assert len(guiderail("ledger checkpoint").out.splitlines()) == 6, "two signatures"
    again = guiderail("keys rotate")
    assert (again.code, "keys/overlap" in again.err) == (1, True)
    assert "retired" in guiderail("keys retire").out
    chain = tmp_path / "chain.jsonl"
    chain.write_bytes((place / "keys" / "chain.jsonl").read_bytes())
    accepted = guiderail(f"keys accept {chain} --pinned {pinned} --format json")
    assert accepted.json["version"] == 3
    assert pinned.read_bytes() == (place / "keys" / "public.json").read_bytes()
    chain.write_bytes(chain.read_bytes()[:-1])
    refused = guiderail(f"keys accept {chain} --pinned {pinned}")
    assert (refused.code, "The pinned keys stay" in refused.err) == (1, True)
    missing = guiderail(f"keys accept none.jsonl --pinned {pinned}")
    assert (missing.code, "keys/missing" in missing.err) == (4, True)


def test_a_stolen_key_is_ended_at_once(guiderail: Terminal, place: Path) -> None:
    line = "keys compromised --which permit --since 2020-01-01 --reason 'It was stolen.'"
    said = guiderail(line)
    assert said.code == 0
    assert "compromised, counts for the first 0 entries" in said.out.replace("\n", " ")
    assert "the policy model" in said.out
    assert "the policy model" in guiderail("permit reissue").out
    done = guiderail("permit reissue --all --format json").json
    assert {policy["kind"] for policy in done["policies"]} == {"app", "model", "pipeline"}
    assert guiderail("permit reissue --format json").json == {
        "done": False,
        "permits": [],
        "policies": [],
    }
    assert guiderail("ledger verify").code == 0


def test_the_state_of_permits_is_printed_as_it_was_signed(guiderail: Terminal, place: Path) -> None:
    document = guiderail("permit state --format json").json
    assert (document["version"], document["revoked"]) == (1, [])
    longer = guiderail("permit state --valid-days 30 --format json").json
    assert longer["version"] == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("keys compromised --which permit --since 2999-01-01 --reason x", "keys/since"),
        ("keys rotate --which permit --uri nonsense", "keys/uri"),
        ("permit revoke permit-none --reason x", "permit/unknown"),
        ("permit reissue permit-none", "permit/not-affected"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_code(
    guiderail: Terminal, place: Path, line: str, code: str
) -> None:
    said = guiderail(line)
    assert said.code == 4
    assert f"[{code}]" in said.err


def test_one_address_is_one_key(guiderail: Terminal, place: Path) -> None:
    assert guiderail("keys rotate --uri hsm:2").code == 4
