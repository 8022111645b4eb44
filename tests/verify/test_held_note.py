"""Checkpoints that come back from mail and paper: the usual damage is undone, garbage is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.errors import VerifyError
from guiderail_verify.held_note import mended
from guiderail_verify.note import open_checkpoint

from .test_cosignature import OWN_LOG, PRIVATE, SIGNED, TEXT, WITNESS, cosign

NOTE = SIGNED + cosign(PRIVATE, WITNESS.name, TEXT, 1_700_000_000)


def opened(text: str) -> int:
    return open_checkpoint(mended(text), [OWN_LOG], OWN_LOG.name).size


@pytest.mark.parametrize(
    "damaged",
    [
        NOTE,
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\n", "\r"),
        NOTE.replace("\n", "  \t\n"),
        NOTE.replace("\n", "\u00a0\n"),
        "\ufeff" + NOTE,
        "\r\n\r\n" + NOTE + "\r\n \r\n",
        NOTE.rstrip("\n"),
        NOTE.replace("test ", "test\n").replace("w1 ", "w1\r\n  "),
    ],
)
def test_mail_does_not_hurt(damaged: str) -> None:
    assert mended(damaged) == NOTE
    assert opened(damaged) == 7


@given(
    ends=st.lists(st.sampled_from(["", " ", "\t", "\r", " \r"]), min_size=20, max_size=20),
    around=st.sampled_from(["", "\n", "\r\n \n"]),
)
def test_every_mixture_of_line_ends_is_mended(ends: list[str], around: str) -> None:
    lines = NOTE.split("\n")[:-1]
    damaged = "".join(line + end + "\n" for line, end in zip(lines, ends, strict=False))
    assert mended(around + damaged + around) == NOTE


@pytest.mark.parametrize(
    "damaged",
    [
        NOTE + "Kind regards, Ann\n",
        NOTE + "\nKind regards, Ann\n",
        NOTE + "-- \nAnn\n",
        NOTE + "AAAA\n",
        "> " + NOTE.replace("\n", "\n> "),
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("\n7\n", "\n7\nextension\n"),
        NOTE.replace("\n\n", "\n"),
        TEXT,
        "",
        "\x00" + NOTE,
        NOTE.replace("\n7\n", "\n7\x1b[2J\n"),
    ],
)
def test_everything_else_is_refused(damaged: str) -> None:
    with pytest.raises(VerifyError):
        opened(damaged)


@given(text=st.text(max_size=200))
def test_mending_never_fails_and_is_done_once(text: str) -> None:
    assert mended(mended(text)) == mended(text)
