"""Packs of an organisation: what they may add, override and drop, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from guiderail.core.scales import Track
from guiderail.facts.fact_type import FactType
from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.policy.pack import SHIPPED
from guiderail.policy.problem import PackError
from tests.policy.calm import decided, rules

Own = Callable[..., Path]

FACT = """id: our.vendor_rating
type: enum
values: [good, fair, poor]
says: the rating of the vendor
source: the vendor register
how: looked up when the release is prepared
owner: risk-officer
risk_direction: up
can_change: design
kinds: [model]
"""
RULE = """id: poor-vendor
title: Poor vendor
owner: risk-officer
since: "2026-11-01"
raises_to: red
when: |-
  our.vendor_rating >= "poor"
sentence: The vendor is rated {our.vendor_rating}.
by: design
to_lighten: Choose another vendor.
page: {what: The rating., why: Vendors fail., good: Good., fix: Change., tools: [the register]}
"""


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """Write a pack of one's own that extends the model pack, with these files in it."""

    def write(settings: str = "", **files: str) -> Path:
        folder = tmp_path / "ours"
        folder.mkdir(exist_ok=True)
        (folder / "pack.yaml").write_text(
            "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\n"
            f"owner: risk-officer\nextends: model\nextends_digest: {load_pack('model').digest}\n"
            f"kinds: [model]\n{settings}",
            "utf-8",
        )
        for name, text in files.items():
            path = folder / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return folder

    return write


def shipped(file: str) -> str:
    return (SHIPPED / "model" / file).read_text("utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(PackError) as caught:
        load_pack_directory(folder)
    return [f"{one.message} {one.hint}" for one in caught.value.problems]


def own_fact(folder: Path) -> tuple[Pack, FactType]:
    pack = load_pack_directory(folder)
    return pack, pack.vocabulary.own["our.vendor_rating"]


def test_an_own_fact_is_typed_told_and_decided_upon(own: Own) -> None:
    folder = own()
    (folder / "facts").mkdir()
    (folder / "facts" / "our.vendor_rating.yaml").write_text(FACT, "utf-8")
    (folder / "tracks").mkdir()
    (folder / "tracks" / "poor-vendor.yaml").write_text(RULE, "utf-8")
    pack, fact = own_fact(folder)
    assert fact.values == ("good", "fair", "poor")
    assert rules(decided(pack, {"our.vendor_rating": "good"})) == {"green": "green"}
    worst = decided(pack, {"our.vendor_rating": "poor"})
    assert rules(worst) == {"poor-vendor": "red"}
    assert worst.track_reasons[0].sentence == "The vendor is rated poor."


def test_an_own_fact_that_nobody_gives_counts_as_the_worst(own: Own) -> None:
    folder = own(tracks__x="")
    (folder / "tracks" / "x.yaml").unlink()
    (folder / "tracks" / "poor-vendor.yaml").write_text(RULE, "utf-8")
    (folder / "facts").mkdir()
    (folder / "facts" / "our.vendor_rating.yaml").write_text(FACT, "utf-8")
    decision = decided(load_pack_directory(folder))
    assert decision.track is Track.RED
    assert "rating of the vendor" in decision.track_reasons[0].sentence.lower()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("our.vendor_rating", "use.domain"), "is a fact of the catalogue already"),
        (("our.vendor_rating", "limit.rating"), "would be read as something else"),
        (("our.vendor_rating", "our.rating.high"), "would be read as something else"),
        (("values: [good, fair, poor]\n", ""), "is an enum without values"),
        (("type: enum", "type: bool"), "is no enum but has values"),
    ],
)
def test_an_own_fact_that_would_be_ambiguous_is_refused(
    own: Own, change: tuple[str, str], told: str
) -> None:
    text = FACT.replace(*change)
    name = text.splitlines()[0].removeprefix("id: ")
    folder = own()
    (folder / "facts").mkdir()
    (folder / "facts" / f"{name}.yaml").write_text(text, "utf-8")
    assert any(told in problem for problem in problems(folder))


def test_a_rule_is_replaced_only_where_it_says_so(own: Own) -> None:
    rule = shipped("tracks/features-removed.yaml").replace("raises_to: yellow", "raises_to: red")
    folder = own(**{"tracks__features-removed": rule})
    (told,) = problems(folder)
    assert told == (
        "The id features-removed is used twice. Ids are the names of pages: give each part its "
        "own. To take the place of that one write `overrides: model`."
    )
    own(**{"tracks__features-removed": f"overrides: model\n{rule}"})
    pack = load_pack_directory(folder)
    assert pack.texts["overrides"]["features-removed"] == "model"
    assert rules(decided(pack, {"change.removed_features": 1})) == {"features-removed": "red"}
    order = [part["id"] for part in pack.tree["tracks"]]
    assert order == [part["id"] for part in load_pack("model").tree["tracks"]]


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [("modle", "It stands in model"), ("baseline", "It stands in model: write `overrides: model`")],
)
def test_an_override_of_nothing_is_refused(own: Own, overrides: str, hint: str) -> None:
    rule = shipped("tracks/features-removed.yaml")
    folder = own(**{"tracks__features-removed": f"overrides: {overrides}\n{rule}"})
    (told,) = problems(folder)
    assert told.startswith("There is nothing called features-removed among the tracks of")
    assert hint in told


def test_a_part_is_dropped_with_a_reason_and_only_when_it_is_there(own: Own) -> None:
    folder = own("drops:\n  features-removed: Removing features is safe for us.\n")
    pack = load_pack_directory(folder)
    assert pack.texts["drops"] == {"features-removed": "Removing features is safe for us."}
    assert rules(decided(pack, {"change.removed_features": 1})) == {"green": "green"}
    own("drops:\n  feature-removed: Removing features is safe for us.\n")
    assert problems(folder) == [
        "There is no feature-removed to drop. Did you mean features-removed?"
    ]


def test_what_is_extended_is_pinned_by_its_digest(own: Own) -> None:
    folder = own()
    file = folder / "pack.yaml"
    pinned = file.read_text("utf-8")
    digest = load_pack("model").digest
    file.write_text(pinned.replace(f"extends_digest: {digest}\n", ""), "utf-8")
    assert problems(folder) == [
        "The pack extends model without saying which. Pin what you have read: "
        f"`extends_digest: {digest}`."
    ]
    file.write_text(pinned.replace(digest, f"sha256:{'0' * 64}"), "utf-8")
    (told,) = problems(folder)
    assert "is not the pack that this one was written for any more" in told


def test_packs_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    for name, other in (("left", "right"), ("right", "left")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.yaml").write_text(
            f"id: {name}\nversion: '1'\ntitle: T\neffective_from: '2026-11-01'\n"
            f"owner: risk-officer\nextends: {other}\nkinds: [model]\n",
            "utf-8",
        )
    assert any("in a circle: left -> right -> left" in told for told in problems(tmp_path / "left"))


def test_a_pack_without_rules_would_let_everything_through_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(
        "id: empty\nversion: '1'\ntitle: T\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        "kinds: [model]\n",
        "utf-8",
    )
    told = " ".join(problems(tmp_path))
    assert "no track rules: everything would be green" in told
    assert "Nobody reviews a red release" in told


def test_a_limit_is_written_once_and_changed_in_one_line(own: Own) -> None:
    rule = shipped("tracks/features-removed.yaml")
    rule = rule.replace("change.removed_features > 0", "change.removed_features > limit.removed")
    rule = rule.replace("what: Whether inputs", "what: More than {limit.removed}. Whether inputs")
    folder = own(
        "limits: {removed: 2, other: 0.8}\n",
        **{"tracks__features-removed": f"overrides: model\n{rule}"},
    )
    pack = load_pack_directory(folder)
    assert rules(decided(pack, {"change.removed_features": 2})) == {"green": "green"}
    assert rules(decided(pack, {"change.removed_features": 3})) == {"features-removed": "yellow"}
    assert pack.texts["limits"] == {
        **load_pack("model").texts["limits"],
        "removed": "2",
        "other": "0.8",
    }
    assert "More than 2." in pack.part_texts("features-removed")["page"]["what"]
    own("limits: {removd: 2}\n")
    told = problems(folder)
    assert "There is no limit removed. Did you mean removd?" in told
