"""A target keeps the newest state of permits that it saw, and is not talked back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.attest.envelope import sign_envelope
from guiderail_verify.canonical import canonical_json
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit_state import (
    STATE_TYPE,
    PermitState,
    accept_state,
    open_state,
    require_current,
)
from tests.verify.key_office import ORIGIN, KeyOffice

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STATE = PermitState(ORIGIN, None, 3, 40, frozenset({"permit-1"}), (), NOW, NOW + timedelta(days=7))


def signed(office: KeyOffice, state: PermitState, payload: bytes | None = None) -> bytes:
    signers = {id_: office.signers[id_] for id_ in office.keys.permit}
    return sign_envelope(payload or state.to_payload(), STATE_TYPE, signers)


def refusal(look: object, *arguments: object, **more: object) -> str:
    with pytest.raises(VerifyError) as caught:
        look(*arguments, **more)  # type: ignore[operator]
    return caught.value.code


def test_a_signed_state_is_read_as_it_was_said() -> None:
    office = KeyOffice()
    office.rotate("permit")
    office.retire(30)
    state = replace(STATE, ended=office.keys.ended)
    assert open_state(signed(office, state), office.keys, environment="production") == state


def test_a_state_by_a_retired_key_says_nothing() -> None:
    office = KeyOffice()
    old = signed(office, STATE)
    office.rotate("permit")
    assert open_state(old, office.keys, environment="production") == STATE
    office.retire(30)
    assert refusal(open_state, old, office.keys, environment="production") == "dsse/unknown-key"


def test_a_state_of_another_log_or_environment_is_refused() -> None:
    office = KeyOffice()
    other = signed(office, replace(STATE, origin="other.log"))
    assert refusal(open_state, other, office.keys, environment="production") == "state/other-log"
    staging = signed(office, replace(STATE, environment="staging"))
    assert refusal(open_state, staging, office.keys, environment="production") == (
        "state/other-environment"
    )
    assert open_state(staging, office.keys, environment="staging").version == 3


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        (replace(STATE, version=2), "state/older"),
        (replace(STATE, version=2, revoked=frozenset()), "state/older"),
        (replace(STATE, log_size=41), "state/other"),
        (replace(STATE, version=4, revoked=frozenset()), "state/forgets"),
        (replace(STATE, version=4, log_size=39), "state/forgets"),
    ],
)
def test_an_older_state_or_one_that_forgets_is_refused(offered: PermitState, code: str) -> None:
    assert refusal(accept_state, offered, STATE) == code


def test_the_first_state_and_the_same_again_are_accepted() -> None:
    assert accept_state(STATE, None) == STATE
    assert accept_state(STATE, STATE) == STATE


@given(st.lists(st.tuples(st.integers(1, 6), st.sets(st.sampled_from("abc"))), max_size=8))
@settings(max_examples=60)
def test_whatever_is_handed_in_the_version_grows_and_no_revocation_is_lost(told: list) -> None:
    held: PermitState | None = None
    for version, permits in told:
        offered = replace(STATE, version=version, revoked=frozenset(permits))
        try:
            kept = accept_state(offered, held)
        except VerifyError:
            continue
        if held is not None:
            assert kept.version >= held.version
            assert kept.revoked >= held.revoked
        held = kept


def test_where_a_state_is_required_none_and_an_old_one_are_refused() -> None:
    require_current(STATE, STATE.valid_until)
    assert refusal(require_current, None, NOW) == "state/missing"
    late = STATE.valid_until + timedelta(microseconds=1)
    assert refusal(require_current, STATE, late) == "state/expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": "3"},
        {"log_size": -1},
        {"revoked": [1]},
        {"ended": [{}]},
        {"issued_at": "yesterday"},
        {"valid_until": "2026-13-23T09:30:00.000000Z"},
        {"environment": 1},
        {"surprise": True},
        {"v": 2},
    ],
)
def test_what_is_no_state_is_refused(changes: dict[str, object]) -> None:
    import json

    office = KeyOffice()
    content = {**json.loads(STATE.to_payload()), **changes}
    envelope = signed(office, STATE, canonical_json(content))
    with pytest.raises(VerifyError):
        open_state(envelope, office.keys, environment="production")
