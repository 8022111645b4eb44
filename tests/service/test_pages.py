"""Looking up a page by name: whatever kind it belongs to, and where two kinds have one each."""

from __future__ import annotations

import pytest

from guiderail.core.errors import InputError
from guiderail.service.pages import page_document


def test_a_page_of_the_model_pack_comes_first_and_says_who_has_another() -> None:
    document = page_document("personal-data")
    assert document["owner"] == "data-steward"
    assert (document["kinds"], document["other_pages"]) == (["model"], ["app", "pipeline"])


@pytest.mark.parametrize(
    ("kind", "owner"),
    [("app", "security"), ("model", "data-steward"), ("pipeline", "data-steward")],
)
def test_a_kind_chooses_among_pages_of_one_name(kind: str, owner: str) -> None:
    document = page_document("personal-data", kind)
    assert (document["kinds"], document["owner"]) == ([kind], owner)


@pytest.mark.parametrize(
    ("page_id", "kinds"),
    [
        ("data-quality", ["pipeline"]),
        ("schema-migration", ["app"]),
        ("performance-large", ["model"]),
        ("staging", ["model", "app"]),
        ("prohibited", ["model", "app", "pipeline"]),
        ("change.output", ["pipeline"]),
        ("use.regulated", ["model", "app", "pipeline"]),
    ],
)
def test_a_page_is_found_in_whatever_pack_it_stands(page_id: str, kinds: list[str]) -> None:
    document = page_document(page_id)
    assert (document["id"], document["kinds"]) == (page_id, kinds)
    assert document["other_pages"] == []


def test_a_fact_names_the_rules_that_read_it_in_the_pack_of_its_kind() -> None:
    assert "output-differences" in page_document("change.output")["used_by"]
    assert "payment" in page_document("touches.payment")["used_by"]


def test_a_name_that_no_pack_has_names_the_nearest_of_all_packs() -> None:
    with pytest.raises(InputError) as caught:
        page_document("schema-migraton")
    assert caught.value.code == "page/unknown"
    assert caught.value.advice == "Did you mean schema-migration?"


def test_a_kind_without_such_a_page_says_so() -> None:
    with pytest.raises(InputError) as caught:
        page_document("fairness", "app")
    assert "for workloads of kind app" in caught.value.what
