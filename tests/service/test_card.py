"""A release in the formats of others: valid, complete, and the same for the same records."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from scipy import stats

from guiderail.core.errors import InputError
from guiderail.core.time import from_text
from guiderail.service.audit_pack import export
from guiderail.service.card import card
from guiderail_verify.documents import FORMATS, as_text
from guiderail_verify.model_card import Heading, Paragraph, Table, html, markdown, wilson
from guiderail_verify.oscal import dangling
from tests.service.depot import Depot, copy_depot

SCHEMAS = resources.files("cyclonedx.schema") / "_res"


@pytest.fixture(scope="module")
def office(two_template: Depot, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    """A workspace with a release that people approved and a green one."""
    return copy_depot(two_template, tmp_path_factory.mktemp("office"))


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def cyclonedx() -> Draft7Validator:
    """The schema of CycloneDX 1.7 as cyclonedx-python-lib ships it, with the ones it names."""
    others = {
        one["$id"]: Resource.from_contents(one) for one in (schema("spdx"), schema("jsf-0.82"))
    }
    cryptography = SCHEMAS / "cryptography-defs.SNAPSHOT.schema.json"
    if cryptography.is_file():
        one = json.loads(cryptography.read_text("utf-8"))
        others[one["$id"]] = Resource.from_contents(one)
    registry: Registry[Any] = Registry().with_resources(others.items())
    formats = FormatChecker(["email"])
    formats.checks("date-time", raises=ValueError)(lambda text: bool(from_text(text)))
    return Draft7Validator(schema("bom-1.7"), registry=registry, format_checker=formats)


@pytest.mark.parametrize("case", ["case-0001", "case-0002"])
def test_the_bill_of_materials_is_cyclonedx(
    case: str, office: Depot, cyclonedx: Draft7Validator
) -> None:
    document = json.loads(card(office.acting(), case, "cyclonedx"))
    assert [error.message for error in cyclonedx.iter_errors(document)] == []
    component = document["metadata"]["component"]
    assert component["type"] == "machine-learning-model"
    metrics = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    measured = {one["type"]: one for one in metrics}
    told = office.dossier(case).facts["performance.value"]["value"]
    assert measured["performance.value"]["value"] == told["value"]
    assert measured["performance.value"]["confidenceInterval"] == {
        "lowerBound": told["low"], "upperBound": told["high"],
    }  # fmt: skip
    named = {one["bom-ref"] for one in document["components"]}
    assert set(document["dependencies"][0]["dependsOn"]) == named
    assert {one["ref"] for one in component["modelCard"]["modelParameters"]["datasets"]} <= named


def test_the_schema_is_not_satisfied_by_anything(office: Depot, cyclonedx: Draft7Validator) -> None:
    document = json.loads(card(office.acting(), "case-0001", "cyclonedx"))
    document["metadata"]["component"]["modelCard"]["quantitativeAnalysis"] = "good"
    assert list(cyclonedx.iter_errors(document))


@pytest.mark.parametrize("case", ["case-0001", "case-0002"])
def test_the_results_are_oscal(case: str, office: Depot) -> None:
    trestle = pytest.importorskip("trestle.oscal.assessment_results")
    document = json.loads(card(office.acting(), case, "oscal"))
    read = trestle.AssessmentResults.model_validate(document["assessment-results"])
    assert dangling(document) == []
    (result,) = document["assessment-results"]["results"]
    gates = {
        gate["id"]: gate["verdict"] == "pass"
        for gate in office.dossier(case).decision["gates"]
        if gate["verdict"] != "not_applicable"
    }
    found = {
        one["target"]["target-id"]: one["target"]["status"]["state"] == "satisfied"
        for one in result["findings"]
    }
    assert found == gates
    assert len(read.results) == 1


def test_a_reference_to_nothing_is_found(office: Depot) -> None:
    document = json.loads(card(office.acting(), "case-0001", "oscal"))
    result = document["assessment-results"]["results"][0]
    result["findings"][0]["related-observations"][0]["observation-uuid"] = "gone"
    result["observations"][1]["uuid"] = result["observations"][0]["uuid"]
    problems = dangling(document)
    assert "gone is not defined" in problems
    assert any(one.endswith("is defined twice") for one in problems)


def test_the_pack_holds_the_same_documents(office: Depot, tmp_path: Path) -> None:
    export(office.acting(), tmp_path / "pack")
    names = {"markdown": "card.md", "html": "card.html", "cyclonedx": "bom.cdx.json"}
    for form, name in names.items():
        written = (tmp_path / "pack" / "cases" / "case-0001" / name).read_text("utf-8")
        assert written == card(office.acting("adam"), "case-0001", form), form
    document = json.loads((tmp_path / "pack" / "assessment-results.oscal.json").read_bytes())
    assert dangling(document) == []
    rows = list(
        csv.DictReader((tmp_path / "pack" / "tables" / "segregation.csv").open(encoding="utf-8"))
    )
    assert rows == []


def test_the_card_says_what_is_not_known_and_who_looked(office: Depot) -> None:
    text = card(office.acting(), "case-0001", "markdown")
    facts = office.dossier("case-0001").facts
    unknown = [name for name, fact in facts.items() if "unknown" in _mapping(fact["value"])]
    assert unknown
    for name in unknown:
        assert f"| {name.replace('_', chr(92) + '_')} |" in text.split("**Not known**")[1]
    for heading in ("Intended use", "Data", "By group", "Limits", "In production", "Who decided"):
        assert f"\n## {heading}\n" in text
    assert "ml-platform-engineer" in text
    page = card(office.acting(), "case-0001", "html")
    assert "<script" not in page
    assert "src=" not in page


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def test_what_people_wrote_is_text() -> None:
    blocks = [
        Heading("<b>x</b>"),
        Paragraph("[click](javascript:alert(1)) `code`\n# not a heading"),
        Table("t", ("a", "b"), [("one | two", "<script>")]),
        Table("nothing", ("a",), []),
    ]
    text = markdown(blocks)
    assert "\n# not" not in text
    assert "](j" not in text.replace("\\", "\\\\") or "\\]" in text
    assert "one \\| two" in text
    assert "<script>" not in text
    assert "<script>" not in html(blocks, "<title>")
    assert "nothing: none." in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_case_that_does_not_exist_has_no_card(form: str, office: Depot) -> None:
    with pytest.raises(InputError) as refusal:
        card(office.acting(), "case-9999", form)
    assert refusal.value.code == "case/unknown"


def counts() -> Iterator[tuple[int, int]]:
    for of in (1, 2, 7, 100, 4321):
        yield from ((0, of), (of, of), (of // 3, of))


@pytest.mark.parametrize(("count", "of"), list(counts()))
def test_rates_have_the_interval_of_wilson(count: int, of: int) -> None:
    found = wilson(count, of)
    right = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert found is not None
    for written, value in zip(found, (count / of, right.low, right.high), strict=True):
        assert math.isclose(float(written), value, abs_tol=5.1e-5)


def test_no_rows_have_no_rate() -> None:
    assert wilson(0, 0) is None


def test_json_is_written_in_one_way() -> None:
    assert as_text({"b": 1, "a": ["ä"]}) == '{\n "a": [\n  "ä"\n ],\n "b": 1\n}\n'
