"""New keys are believed only through the chain, from every version that somebody pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.attest.key_versions import next_keys
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import (
    chain_bytes,
    follow,
    next_version,
    open_version,
    read_chain,
    whole_chain,
)
from guiderail_verify.trusted_keys import EndedKey, TrustedKeys
from tests.verify.key_office import ORIGIN, KeyOffice


@pytest.fixture
def office() -> KeyOffice:
    """Version 1, then new keys of both kinds (2), then the old ones retired (3)."""
    office = KeyOffice()
    office.rotate("checkpoint", "permit")
    office.retire(100)
    return office


def refusal(look: object, *arguments: object) -> str:
    with pytest.raises(VerifyError) as caught:
        look(*arguments)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize("version", [1, 2, 3])
def test_who_pinned_any_version_gets_to_the_newest(office: KeyOffice, version: int) -> None:
    pinned = TrustedKeys.from_json(office.versions[version - 1].keys.to_json())
    assert follow(pinned, office.chain) == office.keys
    assert follow(pinned.checkpoint[0], office.chain) == office.keys


def test_a_chain_with_a_gap_leads_nowhere(office: KeyOffice) -> None:
    first = office.versions[0].keys
    without_second = [office.chain[0], office.chain[2]]
    assert refusal(follow, first, without_second) == "keys/gap"
    assert refusal(whole_chain, without_second) == "keys/gap"
    assert refusal(whole_chain, office.chain[1:]) == "keys/gap"


def test_swapped_versions_lead_nowhere(office: KeyOffice) -> None:
    first, second, third = office.chain
    pinned = office.versions[0].keys
    assert refusal(follow, pinned, [first, third, second]) == "keys/gap"
    assert refusal(follow, pinned, [second, first, third]) == "keys/gap"


def test_a_version_that_only_the_new_keys_signed_is_refused(office: KeyOffice) -> None:
    """What a thief without the old keys can make: everything is right but the signatures."""
    made = [office.make("checkpoint"), office.make("permit")]
    keys = next_keys(office.keys, made, _ends(office.keys, 100))
    forged = office.signed(keys, list(keys.signing))
    assert open_version(forged.envelope).keys == keys
    first = office.versions[0].keys
    assert refusal(follow, first, [*office.chain, forged.envelope]) == "keys/not-signed"
    right = office.signed(keys, [*keys.signing, *office.keys.signing])
    assert follow(first, [*office.chain, right.envelope]) == keys


@pytest.mark.parametrize("stolen", ["checkpoint", "permit"])
def test_one_stolen_key_cannot_change_the_keys(office: KeyOffice, stolen: str) -> None:
    """The thief has one of two keys, and new ones of their own."""
    made = [office.make("checkpoint"), office.make("permit")]
    ended = _ends(office.keys, 100)
    keys = next_keys(office.keys, made, ended)
    has = [key.id for key in ended if key.role == stolen]
    forged = office.signed(keys, [*keys.signing, *has])
    assert refusal(next_version, office.versions[-1], forged.envelope) == "keys/not-signed"


def test_a_version_without_the_signature_of_a_new_key_is_refused(office: KeyOffice) -> None:
    """Else somebody could enter the key of another as theirs."""
    made = office.make("permit")
    keys = next_keys(office.keys, [made], [])
    forged = office.signed(keys, list(office.keys.signing))
    assert refusal(open_version, forged.envelope) == "keys/not-signed"


@pytest.mark.parametrize("what", ["forgotten", "dropped", "brought back", "counts for more"])
def test_a_key_is_neither_forgotten_nor_brought_back(office: KeyOffice, what: str) -> None:
    """Even if every key signs it."""
    old, made = office.keys, office.make("permit")
    permit = next(key for key in old.ended if key.role == "permit")
    more = [replace(key, until=101, ended_at=101) for key in old.ended]
    keys = {
        "forgotten": replace(old, version=4, ended=()),
        "dropped": replace(old, version=4, permit={made.id: made.public}),
        "brought back": replace(
            old, version=4, permit={**old.permit, permit.id: permit.public},
            ended=tuple(key for key in old.ended if key != permit),
        ),
        "counts for more": replace(old, version=4, ended=tuple(more)),
    }[what]  # fmt: skip
    forged = office.signed(keys, sorted({*old.signing, *keys.signing}))
    assert refusal(next_version, office.versions[-1], forged.envelope) == "keys/forgotten"


def test_a_chain_of_another_log_is_refused(office: KeyOffice) -> None:
    other = KeyOffice("guiderail.local/other")
    other.rotate("permit")
    assert refusal(follow, office.versions[0].keys, other.chain) == "keys/not-in-chain"
    assert refusal(follow, office.versions[0].keys.checkpoint[0], other.chain) == (
        "keys/not-in-chain"
    )
    assert refusal(next_version, office.versions[0], other.chain[1]) == "keys/other-chain"


def test_an_older_chain_is_a_rollback(office: KeyOffice) -> None:
    assert refusal(follow, office.keys, office.chain[:2]) == "keys/older"


def test_two_histories_of_the_same_log_are_told_apart(office: KeyOffice) -> None:
    """Both were signed by the first keys; who pinned the second of one refuses the other."""
    fork = KeyOffice()
    fork.rotate("permit")
    assert fork.versions[0].envelope == office.versions[0].envelope
    assert refusal(follow, office.versions[1].keys, fork.chain) == "keys/not-in-chain"


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=60)
def test_no_changed_byte_of_a_chain_leads_to_other_keys(place: int, byte: int) -> None:
    good = chain_bytes(_CHANGED.chain)
    place %= len(good)
    changed = good[:place] + bytes([byte]) + good[place + 1 :]
    try:
        found = follow(_CHANGED.versions[0].keys, read_chain(changed))
    except VerifyError:
        return
    assert found == _CHANGED.keys
    assert changed == good


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rotate", "retire", "give up"]),
            st.sampled_from([("checkpoint",), ("permit",), ("checkpoint", "permit")]),
        ),
        max_size=6,
    )
)
@settings(max_examples=25)
def test_every_history_of_keys_can_be_followed_from_each_of_its_versions(steps: list) -> None:
    office = KeyOffice()
    for size, (step, roles) in enumerate(steps, 10):
        if step == "rotate" and len(office.keys.signing) == 2:
            office.rotate(*roles)
        elif step == "retire" and len(office.keys.signing) > 2:
            office.retire(size)
        elif step == "give up":
            office.give_up(roles[0], size - 5, size)
    for version in office.versions:
        assert follow(version.keys, office.chain) == office.keys
    assert whole_chain(office.chain).keys == office.keys
    assert read_chain(chain_bytes(office.chain)) == office.chain
    for version in office.versions[1:]:
        assert refusal(follow, version.keys, office.chain[:1]) == "keys/older"


@pytest.mark.parametrize("data", [b"", b"x", b"\n", b"{}\n"])
def test_what_is_no_chain_is_refused(data: bytes) -> None:
    with pytest.raises(VerifyError):
        whole_chain(read_chain(data))


@pytest.mark.parametrize(
    "content",
    [
        b'{"checkpoint":[],"ended":[1],"origin":"o","permit":{},"v":1}',
        b'{"checkpoint":[],"origin":"o","permit":{"a":"AAAA"},"v":1}',
        b'{"checkpoint":[],"origin":"o","permit":{},"v":1,"version":0}',
        b'{"checkpoint":[],"origin":"o","permit":{},"surprise":1,"v":1}',
        b'{"checkpoint":["x"],"origin":"o","permit":{},"v":1}',
    ],
)
def test_a_file_of_keys_with_something_else_in_it_is_refused(content: bytes) -> None:
    with pytest.raises(VerifyError):
        TrustedKeys.from_json(content)


def test_the_file_of_keys_is_read_as_it_was_written(office: KeyOffice) -> None:
    assert TrustedKeys.from_json(office.keys.to_json()) == office.keys
    assert office.keys.origin == ORIGIN


def _ends(keys: TrustedKeys, size: int) -> list[EndedKey]:
    found = [EndedKey("checkpoint", k.to_text(), k.public, size, size, "retired")
             for k in keys.checkpoint]  # fmt: skip
    return found + [EndedKey("permit", id_, public, size, size, "retired")
                    for id_, public in keys.permit.items()]  # fmt: skip


_CHANGED = KeyOffice()
_CHANGED.rotate("permit")
_CHANGED.retire(50)
