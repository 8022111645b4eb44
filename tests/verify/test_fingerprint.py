"""Fingerprints of checkpoints: typed by people, and the same for no two checkpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.errors import VerifyError
from guiderail_verify.fingerprint import fingerprint, has_fingerprint, read_fingerprint
from guiderail_verify.note import Checkpoint

CHECKPOINT = Checkpoint("guiderail.local/test", 131, bytes(range(32)))
PRINTED = "131 B7TM-M5H7-WSSB-VHBA-DZ9R-86KE-SYER-MKXX"


def test_the_fingerprint_of_a_checkpoint_never_changes() -> None:
    """It is on paper somewhere. Printed by sha256sum, base32 and tr."""
    assert fingerprint(CHECKPOINT) == PRINTED


@pytest.mark.parametrize(
    "typed",
    [
        PRINTED, PRINTED.lower(), PRINTED.replace("-", " "), PRINTED.replace("-", ""),
        f"  {PRINTED}\n", PRINTED.replace("-", "\u2013"), PRINTED.replace("0", "O"),
        PRINTED.replace(" ", "  "),
    ],
)  # fmt: skip
def test_it_may_be_typed_as_people_type(typed: str) -> None:
    size, letters = read_fingerprint(typed)
    assert size == 131
    assert has_fingerprint(CHECKPOINT, letters)


@pytest.mark.parametrize(
    "typed",
    ["", "131", PRINTED[:-1], PRINTED + "A", PRINTED[4:], PRINTED.replace("131", "0131"),
     PRINTED.replace("131", "-1"), PRINTED[:-1] + "U", PRINTED[:-1] + "\u0420",
     PRINTED + " thanks"],
)  # fmt: skip
def test_what_is_no_fingerprint_is_refused(typed: str) -> None:
    with pytest.raises(VerifyError):
        read_fingerprint(typed)


@given(
    origin=st.sampled_from(["guiderail.local/test", "guiderail.local/other"]),
    size=st.integers(0, 300),
    root=st.binary(min_size=32, max_size=32),
)
def test_only_this_checkpoint_has_it(origin: str, size: int, root: bytes) -> None:
    other = Checkpoint(origin, size, root)
    assert has_fingerprint(other, read_fingerprint(PRINTED)[1]) == (other == CHECKPOINT)
    found, letters = read_fingerprint(fingerprint(other))
    assert found == size
    assert has_fingerprint(other, letters)
