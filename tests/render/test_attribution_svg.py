"""Plots of attributions: well formed, complete in words, nothing active in them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from guiderail.render.attribution_svg import LABEL, MOST_BARS, WIDTH, comparison_svg, waterfall_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - written by the code under test


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(part.itertext()) for part in root.iter(f"{SVG}text")]


def test_a_waterfall_goes_from_the_usual_score_to_that_of_the_row() -> None:
    root = drawn(waterfall_svg("Row 7", 1.0, [("age", -0.25), ("income", 0.5)]))
    assert texts(root)[1:] == [
        *("usual score", "1", "income", "+0.5", "age", "-0.25", "score of this row", "1.25"),
    ]
    up, down = root.iter(f"{SVG}rect")
    assert (up.get("class"), down.get("class")) == ("for", "against")
    ends = [float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in (up, down)]
    assert ends[0] == pytest.approx(ends[1])  # the second bar begins where the first one ended


def test_more_inputs_than_fit_are_one_bar_and_nothing_is_lost() -> None:
    values = [(f"input{number}", 1.0) for number in range(MOST_BARS + 3)]
    shown = texts(drawn(waterfall_svg("Row", 0.0, values)))
    assert shown[-4:-2] == ["3 other inputs", "+3"]
    assert shown[-1] == "15"


def test_the_description_says_everything_that_the_picture_shows() -> None:
    root = drawn(comparison_svg("Shares", {"age": 0.75, "gone": 0.25}, {"age": 0.5, "new": 0.5}))
    description = root.findtext(f"{SVG}desc") or ""
    for said in ("new from 0.0 to 50.0", "age from 75.0 to 50.0", "gone from 25.0 to 0.0"):
        assert said in description
    assert root.get("role") == "img"
    assert len(list(root.iter(f"{SVG}rect"))) == 6


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'a"b&c', "tab\x00\x1b", "n" * 300])
def test_any_name_of_an_input_is_only_text_and_stays_inside(name: str) -> None:
    root = drawn(waterfall_svg(name, 0.0, [(name, 1.0)]))
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        *("svg", "title", "desc", "style", "text", "g", "rect", "line"),
    }
    labels = [part.text or "" for part in root.iter(f"{SVG}text") if part.get("text-anchor")]
    assert max(len(label) for label in labels) * 8.5 < LABEL
    bars = [float(bar.get("x", 0)) + float(bar.get("width", 0)) for bar in root.iter(f"{SVG}rect")]
    assert max(bars) <= WIDTH


def test_no_attribution_at_all_is_still_a_picture() -> None:
    assert texts(drawn(waterfall_svg("Row", 0.5, [])))[-1] == "0.5"
