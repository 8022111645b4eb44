"""Quorums: so many of these witnesses, and the file that says so to other tools."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.cosignature import WitnessKey, cosign
from guiderail_verify.errors import VerifyError
from guiderail_verify.witness_policy import WitnessPolicy, majority, parse_policy

from .test_cosignature import OWN_LOG, SIGNED, TEXT

PRIVATE = tuple(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 6))
KEYS = tuple(
    WitnessKey(f"w{n}", private.public_key().public_bytes_raw())
    for n, private in enumerate(PRIVATE, start=1)
)
W = {key.name: key.to_text() for key in KEYS}


def cosigned(*times: int | None) -> str:
    return SIGNED + "".join(
        cosign(private, key.name, TEXT, time)
        for private, key, time in zip(PRIVATE, KEYS, times, strict=False)
        if time is not None
    )


@pytest.mark.parametrize(
    ("quorum", "times", "since"),
    [
        (1, (), None), (1, (50,), 50), (2, (50,), None), (2, (50, None, 70), 50),
        (2, (50, 60, 70), 60), (3, (50, 60, 70), 50), (1, (50, 60, 70), 70), (0, (50,), None),
    ],
)  # fmt: skip
def test_the_quorum_stands_since_its_oldest_needed_member(
    quorum: int, times: tuple[int, ...], since: int | None
) -> None:
    policy = WitnessPolicy(KEYS[:3] if quorum else (), quorum)
    assert policy.reached(cosigned(*times)).time == since


@given(signed=st.lists(st.one_of(st.none(), st.integers(1, 9)), min_size=5, max_size=5))
def test_a_larger_quorum_is_never_easier(signed: list[int | None]) -> None:
    note = cosigned(*signed)
    times = [WitnessPolicy(KEYS, n).reached(note).time for n in range(1, 6)]
    reached = [time for time in times if time is not None]
    assert len(reached) == sum(time is not None for time in signed)
    assert times == reached + [None] * (5 - len(reached))
    assert reached == sorted(reached, reverse=True)


@given(count=st.integers(1, 100))
def test_two_majorities_share_a_witness(count: int) -> None:
    assert 2 * majority(count) > count
    assert majority(count) <= count


def test_one_witness_under_two_names_is_still_one() -> None:
    with pytest.raises(VerifyError):
        WitnessPolicy((KEYS[0], WitnessKey("other", KEYS[0].public)), 1)


@pytest.mark.parametrize("quorum", [-1, 0, 4])
def test_an_impossible_quorum_is_refused(quorum: int) -> None:
    with pytest.raises(VerifyError):
        WitnessPolicy(KEYS[:3], quorum)


@given(count=st.integers(0, 5), data=st.data())
def test_a_policy_comes_back_from_its_file(count: int, data: st.DataObject) -> None:
    quorum = data.draw(st.integers(1, count)) if count else 0
    policy = WitnessPolicy(KEYS[:count], quorum)
    assert parse_policy(policy.to_text([OWN_LOG], {"w1": "http://127.0.0.1:1"})) == policy


def test_a_policy_of_somebody_else_is_read() -> None:
    text = f"""
# two of three
log {OWN_LOG.to_text()} https://log.example
\twitness  X {W["w1"]}
witness Y {W["w2"]} https://y.example
witness Z {W["w3"]}
group some 2 X Y Z
quorum some
"""
    assert parse_policy(text) == WitnessPolicy(KEYS[:3], 2)
    assert parse_policy(text.replace("some 2", "some all")).quorum == 3
    assert parse_policy(text.replace("some 2", "some any")).quorum == 1
    assert parse_policy(text.replace("quorum some", "quorum Y")) == WitnessPolicy(KEYS[1:2], 1)
    assert parse_policy("quorum none\n") == WitnessPolicy((), 0)


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum\n", "quorum X\n", "quorum none\nquorum none\n", "rule none\nquorum none\n",
        f"witness none {W['w1']}\nquorum none\n",
        f"witness a {W['w1']}\nwitness a {W['w2']}\nquorum a\n",
        f"witness a {W['w1']}\nwitness b {W['w1']}\ngroup g 1 a b\nquorum g\n",
        f"witness a {W['w1']}\ngroup g 2 a\nquorum g\n",
        f"witness a {W['w1']}\ngroup g 2 a a\nquorum g\n",
        f"witness a {W['w1']}\ngroup g 0 a\nquorum g\n",
        f"witness a {W['w1']}\ngroup g 01 a\nquorum g\n",
        f"witness a {W['w1']}\ngroup g\nquorum g\n",
        f"witness a {W['w1']}\ngroup g any a\ngroup h any g\nquorum h\n",
        f"witness a {OWN_LOG.to_text()}\nquorum a\n",
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(VerifyError):
        parse_policy(text)
