"""The seeded sample of an audit: repeatable by hand, fair to small strata."""

from __future__ import annotations

import hashlib
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from guiderail_verify.sampling import Framed, draw, place_of

FRAMES = st.lists(
    st.builds(
        Framed,
        st.from_regex(r"case-[0-9]{4}", fullmatch=True),
        st.sampled_from(["low", "high"]),
        st.sampled_from(["green", "yellow", "red"]),
        st.sampled_from(["permitted", "rejected", "open"]),
    ),
    unique_by=lambda framed: framed.case,
    max_size=40,
)


def test_the_order_is_the_one_that_the_guide_describes() -> None:
    """`printf 'guiderail-sample-v2\\n%s\\n%s' "a seed" case-0001 | sha256sum`"""
    text = b"guiderail-sample-v2\na seed\ncase-0001"
    assert place_of("case-0001", "a seed") == hashlib.sha256(text).hexdigest()


def test_small_strata_are_seen_first_and_large_ones_get_more() -> None:
    frame = [Framed(f"case-{n:04}", "low", "green", "permitted") for n in range(90)]
    frame += [Framed(f"case-{n:04}", "high", "red", "rejected") for n in range(90, 99)]
    frame += [Framed("case-0099", "low", "yellow", "open")]
    tracks = {framed.case: framed.track for framed in frame}
    assert Counter(tracks[case] for case in draw(frame, 3, "s")).total() == 3
    assert len({tracks[case] for case in draw(frame, 3, "s")}) == 3
    drawn = Counter(tracks[case] for case in draw(frame, 23, "s"))
    assert drawn == {"green": 20, "red": 2, "yellow": 1}


@given(FRAMES, st.integers(1, 50), st.text(max_size=8))
def test_a_sample_is_of_the_frame_and_does_not_depend_on_its_order(
    frame: list[Framed], count: int, seed: str
) -> None:
    drawn = draw(frame, count, seed)
    assert drawn == sorted(set(drawn))
    assert set(drawn) <= {framed.case for framed in frame}
    assert len(drawn) == min(count, len(frame))
    assert drawn == draw(reversed(frame), count, seed)


@given(FRAMES, st.integers(1, 50), st.text(max_size=8))
def test_a_larger_sample_contains_the_smaller_one(
    frame: list[Framed], count: int, seed: str
) -> None:
    assert set(draw(frame, count, seed)) <= set(draw(frame, count + 1, seed))
