"""The desired state: what may be asked of a target, and a file form that is read strictly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import InputError
from guiderail.rollout.desired import Arm, Desired, desired_bytes, parse_desired, state_digest

PATHS = [Path(name) for name in ("release.json", "model.skops", "permit.json", "proof.txt")]


def arm(name: str, weight: int, **more: object) -> Arm:
    return Arm(sha256_digest(name.encode()), weight, "production", *PATHS, **more)


def body(**changes):
    desired = Desired("credit", (arm("a", 90), arm("b", 10, canary=True)), "salt")
    return {**json.loads(desired_bytes(desired)), **changes}


@given(
    st.integers(0, 100),
    st.text(min_size=1, max_size=30),
    st.none() | st.text(min_size=1, max_size=30),
    st.floats(0.01, 600),
)
def test_what_is_written_is_read_back(weight, salt, unit, timeout):
    arms = (arm("a", 100 - weight, restore=True), arm("b", weight, canary=True))
    desired = Desired("credit", arms, salt, unit, timeout)
    assert parse_desired(desired_bytes(desired)) == desired
    assert state_digest(desired) == sha256_digest(desired_bytes(desired))


@pytest.mark.parametrize(
    ("arms", "why"),
    [
        ((arm("a", 90),), "add up to 90"),
        ((arm("a", 101), arm("b", -1)), "between 0 and 100"),
        ((arm("a", 50), arm("a", 50)), "one version twice"),
        ((arm("a", 100, canary=True),), "every version"),
        (
            (arm("a", 80), arm("b", 10, canary=True), arm("c", 10, canary=True)),
            "more than one canary",
        ),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(arms, why):
    with pytest.raises(InputError, match=why) as refused:
        Desired("credit", arms, "salt")
    assert refused.value.code == "target/bad-state"


@pytest.mark.parametrize("name", ["", "Credit", "../credit", "-", "a" * 64, "_gateway", "a.b"])
def test_a_name_that_could_be_a_path_is_refused(name):
    with pytest.raises(InputError, match="not a name"):
        Desired(name, (arm("a", 100),), "salt")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(body(guiderail=2)).encode(),
        json.dumps(body(extra=1)).encode(),
        json.dumps(body(unit=3)).encode(),
        json.dumps(body(timeout_seconds=True)).encode(),
        json.dumps(body(timeout_seconds=1e400)).encode(),
        json.dumps(body(arms=[{}])).encode(),
        json.dumps(body(salt="")).encode(),
        b" " * (2 << 20),
    ],
)
def test_any_other_file_is_refused_and_never_half_read(data):
    with pytest.raises(InputError):
        parse_desired(data)


@pytest.mark.parametrize(
    "change",
    [{"weight": True}, {"weight": "90"}, {"canary": 1}, {"digest": "latest"}, {"model_file": ""}],
)
def test_an_arm_with_a_wrong_value_is_refused(change):
    with pytest.raises(InputError):
        parse_desired(json.dumps(body(arms=[{**body()["arms"][0], **change}])).encode())


def test_nothing_at_all_may_be_served():
    assert parse_desired(desired_bytes(Desired("credit", (), "salt"))).arms == ()


def test_another_weight_is_another_state():
    one = Desired("credit", (arm("a", 90), arm("b", 10)), "salt")
    other = replace(one, arms=(arm("a", 80), arm("b", 20)))
    assert state_digest(one) != state_digest(other)
