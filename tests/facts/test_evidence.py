"""Reports of scanners and test runners, their binding, and the feature contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from guiderail.core.errors import InputError
from guiderail.facts.evidence.binding import bind, bound, statement_path
from guiderail.facts.evidence.feature_contract import FEATURE_CONTRACT, type_family
from guiderail.facts.evidence.security import SECURITY, read_sarif
from guiderail.facts.evidence.tests import TESTS, read_junit
from guiderail.manifest.release import Release
from tests.facts.small_release import NOW, edit, reason, run, sarif

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="t" tests="3" failures="0" errors="0" skipped="1">
<testcase classname="a" name="one"/><testcase classname="a" name="two"/>
<testcase classname="a" name="three"><skipped/></testcase>
</testsuite></testsuites>"""


SEVERITY = "security-severity"


def finding(**other: Any) -> dict[str, Any]:
    return {"ruleId": "B602", "message": {"text": "shell"}, "level": "warning", **other}


def test_a_clean_scan_of_yesterday(directory: Path, release: Release) -> None:
    (directory / "scan.sarif").write_text(sarif())
    bind(directory / "scan.sarif", release, NOW)

    facts = run(SECURITY, release)

    assert facts["security.scanner_ok"].value is True
    assert facts["security.findings"].value == 0
    assert facts["security.age_days"].value == 1
    assert facts["security.bound"].value is True


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        (finding(), 0),
        (finding(level="note"), 0),
        (finding(level="error"), 1),
        (finding(properties={"issue_severity": "HIGH"}), 1),
        (finding(properties={"issue_severity": "MEDIUM"}), 0),
        (finding(properties={"security-severity": "6.9"}), 0),
        (finding(properties={"security-severity": "7.0"}), 1),
        (finding(properties={"security-severity": "grave"}), 1),
        (finding(properties={"security-severity": "NaN"}), 1),
        (finding(level="error", suppressions=[{"kind": "inSource"}]), 0),
        (finding(level="error", suppressions=[{"kind": "external", "status": "rejected"}]), 1),
        (finding(level="critical"), 1),
        (finding(kind="pass", level="none"), 0),
        (finding(kind="pass", level="error"), 1),
    ],
)
def test_which_findings_count_as_critical_or_high(result: dict[str, Any], counts: int) -> None:
    assert len(read_sarif(sarif(results=[result]).encode()).findings) == counts


def test_the_rules_own_severity_counts_where_the_result_says_nothing() -> None:
    rules = [
        {"id": "B602", "properties": {"security-severity": "9.1"}},
        {"id": "B603", "defaultConfiguration": {"level": "error"}},
    ]
    results = [{"ruleId": "B602"}, {"ruleId": "B603"}]
    log = sarif(tool={"driver": {"name": "x", "rules": rules}}, results=results)

    assert len(read_sarif(log.encode()).findings) == 2


CODEQL = {
    "driver": {
        "name": "CodeQL",
        "rules": [{"id": "low"}, {"id": "py"}, {"id": "grave", "properties": {SEVERITY: "9.8"}}],
    },
    "extensions": [
        {"name": "empty"},
        {
            "name": "codeql/python-queries",
            "guid": "g-1",
            "rules": [
                {"id": "py/style", "defaultConfiguration": {"level": "note"}},
                {"id": "py/sqli", "guid": "g-2", "properties": {SEVERITY: "8.8"}},
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        ({"ruleId": "py/sqli"}, 1),
        ({"ruleId": "py/sqli/1"}, 1),
        ({"ruleId": "py/sqli/1/2"}, 1),
        ({"ruleId": "py/style/1"}, 0),
        ({"ruleId": "py/other"}, 0),
        ({"ruleIndex": 2}, 1),
        ({"ruleIndex": 0}, 0),
        ({"rule": {"id": "py/sqli"}}, 1),
        ({"rule": {"id": "py/sqli/1"}}, 1),
        ({"rule": {"index": 2}}, 1),
        ({"rule": {"guid": "g-2"}}, 1),
        ({"rule": {"index": 1, "toolComponent": {"index": 1}}}, 1),
        ({"rule": {"index": 0, "toolComponent": {"index": 1}}}, 0),
        ({"rule": {"index": 1, "toolComponent": {"name": "codeql/python-queries"}}}, 1),
        ({"rule": {"index": 1, "toolComponent": {"guid": "g-1"}}}, 1),
        ({"ruleIndex": 1, "rule": {"toolComponent": {"index": 1}}}, 1),
        ({"ruleId": "py/sqli", "level": "note"}, 1),
        ({"ruleId": "py/sqli", "properties": {SEVERITY: "1.0"}}, 1),
        ({"ruleId": "py/style", "level": "error"}, 1),
    ],
)
def test_a_rule_is_found_wherever_it_stands_and_the_higher_severity_counts(
    result: dict[str, Any], counts: int
) -> None:
    scan = read_sarif(sarif(tool=CODEQL, results=[result]).encode())

    assert (len(scan.findings), scan.unclear) == (counts, ())


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"ruleId": "other/rule"},
        {"ruleId": 7},
        {"ruleIndex": 9},
        {"ruleIndex": -1},
        {"ruleIndex": True},
        {"rule": {"index": 0, "toolComponent": {"index": 0}}},
        {"rule": {"index": 0, "toolComponent": {"index": 5}}},
        {"rule": {"index": 0, "toolComponent": {"name": "nobody"}}},
    ],
)
def test_a_result_that_says_nothing_of_its_severity_is_not_harmless(
    directory: Path, release: Release, result: dict[str, Any]
) -> None:
    (directory / "scan.sarif").write_text(sarif(tool=CODEQL, results=[result]))
    assert "does not say how severe" in reason(run(SECURITY, release), "security.findings")

    (directory / "scan.sarif").write_text(
        sarif(tool=CODEQL, results=[result, {"ruleId": "py/sqli"}])
    )
    facts = run(SECURITY, release)
    assert facts["security.findings"].value == 1
    assert facts["security.findings"].detail["findings"] == ["py/sqli: no message"]


@pytest.mark.parametrize(
    ("invocations", "says"),
    [
        ([{"executionSuccessful": False}], "did not finish successfully"),
        ([{}], "did not finish successfully"),
        ([], "does not say whether it finished"),
        (
            [
                {
                    "executionSuccessful": True,
                    "toolExecutionNotifications": [
                        {"level": "error", "message": {"text": "syntax error in a.py"}}
                    ],
                }
            ],
            "syntax error in a.py",
        ),
    ],
)
def test_a_scanner_that_failed_found_nothing_that_counts(
    directory: Path, release: Release, invocations: list[dict[str, Any]], says: str
) -> None:
    (directory / "scan.sarif").write_text(sarif(invocations=invocations))

    facts = run(SECURITY, release)

    assert facts["security.scanner_ok"].value is False
    assert says in reason(facts, "security.findings")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (sarif()[:60], "cannot be read"),
        ('{"version": "2.0.0", "runs": []}', "not SARIF 2.1.0"),
        ('{"version": "2.1.0", "runs": []}', "no run of a scanner"),
        (sarif(results=None), "did not scan"),
        ("[]", "not SARIF 2.1.0"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_scan_makes_everything_about_it_unknown(
    directory: Path, release: Release, text: str, says: str
) -> None:
    (directory / "scan.sarif").write_text(text)

    facts = run(SECURITY, release)

    for name in SECURITY.gives:
        assert says in reason(facts, name)


@pytest.mark.parametrize("end", ["2026-12-24T00:00:00Z", "yesterday", None])
def test_a_scan_without_a_believable_time_has_no_age(
    directory: Path, release: Release, end: str | None
) -> None:
    invocation = {"executionSuccessful": True, "endTimeUtc": end}
    (directory / "scan.sarif").write_text(sarif(invocations=[invocation]))

    assert run(SECURITY, release)["security.age_days"].is_unknown


def test_no_report_yet_and_none_named_are_two_reasons(directory: Path, release: Release) -> None:
    assert "there is no report scan.sarif yet" in reason(
        run(SECURITY, release), "security.findings"
    )
    unnamed = edit(directory, evidence=None)
    assert "names no evidence.security" in reason(run(SECURITY, unnamed), "security.findings")
    assert "names no evidence.tests" in reason(run(TESTS, unnamed), "tests.ran")


def test_tests_are_counted_from_their_cases(directory: Path, release: Release) -> None:
    (directory / "tests.xml").write_text(JUNIT)

    facts = run(TESTS, release)

    assert [facts[f"tests.{name}"].value for name in ("ran", "failed", "skipped")] == [2, 0, 1]
    assert "says which release" in reason(facts, "tests.bound")


@pytest.mark.parametrize(
    ("xml", "ran", "failed"),
    [
        (JUNIT.replace('name="one"/>', 'name="one"><failure/></testcase>'), 2, 1),
        (JUNIT.replace('name="one"/>', 'name="one"><error/></testcase>'), 2, 1),
        (JUNIT.replace('failures="0"', 'failures="1"'), 2, 1),
        ("<testsuite/>", 0, 0),
        ('<testsuite name="s"><error/></testsuite>', 0, 1),
        ('<testsuites><testsuite><testcase name="a"/><failure/></testsuite></testsuites>', 1, 1),
        ('<testsuite><testcase name="a"><x><error/></x></testcase></testsuite>', 1, 1),
        ("<testsuite><testcase><failure/><error/></testcase><error/></testsuite>", 1, 2),
    ],
)
def test_failures_errors_and_totals_all_count(xml: str, ran: int, failed: int) -> None:
    found = read_junit(xml.encode())

    assert (found.ran, len(found.failed)) == (ran, failed)


def test_zero_tests_are_not_zero_failures(directory: Path, release: Release) -> None:
    (directory / "tests.xml").write_text("<testsuites/>")

    facts = run(TESTS, release)

    assert facts["tests.ran"].value == 0
    assert "nothing ran" in reason(facts, "tests.failed")


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        (JUNIT[:120], "no readable XML"),
        ("<html/>", "no JUnit report"),
        ('<testsuite tests="5"><testcase name="a"/></testsuite>', "more tests than it holds"),
        ('<testsuite failures="1.0"/>', "no whole number"),
        ('<testsuite errors="-1"/>', "no whole number"),
        ('<testsuite errors=""/>', "no whole number"),
        ('<testsuite failures="²"/>', "no whole number"),
        ('<testsuites><testsuite tests="many"/></testsuites>', "no whole number"),
        ('<?xml version="1.0" encoding="foo"?><testsuite/>', "no readable XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite>&b;</testsuite>', "no readable XML"),
    ],
)
def test_a_broken_test_report_is_unknown(
    directory: Path, release: Release, xml: str, says: str
) -> None:
    (directory / "tests.xml").write_text(xml)

    facts = run(TESTS, release)

    for name in TESTS.gives:
        assert says in reason(facts, name)


def test_a_report_is_bound_to_one_release_and_its_own_bytes(
    directory: Path, release: Release
) -> None:
    report = directory / "scan.sarif"
    report.write_text(sarif())
    bind(report, release, NOW)

    assert bound(report, release).value is True
    assert bound(report, release).at == NOW
    other = edit(directory, version="v2")
    assert bound(report, other).reason == "the report is about another release"
    report.write_text(sarif(results=[finding()]))
    assert "changed after it was bound" in bound(report, release).reason
    assert bound(report, release).value is False


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda _: "[]",
        lambda _: '{"subject": 1}',
        lambda text: text.replace("in-toto.io/Statement", "example.org/Letter"),
        lambda _: "x" * 70_000,
    ],
)
def test_a_statement_that_cannot_be_read_binds_nothing(
    directory: Path, release: Release, damage: Any
) -> None:
    report = directory / "scan.sarif"
    report.write_text(sarif())
    statement = bind(report, release, NOW)
    statement.write_text(damage(statement.read_text()))

    assert bound(report, release).value is None
    assert bound(report, release).reason


def test_the_statement_is_in_toto(directory: Path, release: Release) -> None:
    report = directory / "scan.sarif"
    report.write_text(sarif())

    statement = json.loads(bind(report, release, NOW).read_text())

    assert statement_path(report).name == "scan.sarif.intoto.json"
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["digest"]["sha256"] == release.digest.removeprefix("sha256:")


def test_a_report_that_is_not_there_cannot_be_bound(directory: Path, release: Release) -> None:
    with pytest.raises(InputError) as raised:
        bind(directory / "none.sarif", release, NOW)

    assert raised.value.code == "evidence/not-bound"


def offer(directory: Path, change: dict[str, str | None]) -> Release:
    path = directory / "features.yaml"
    rows = {row["name"]: row["type"] for row in yaml.safe_load(path.read_text())}
    kept = {name: kind for name, kind in {**rows, **change}.items() if kind is not None}
    path.write_text(yaml.safe_dump([{"name": n, "type": k} for n, k in kept.items()]))
    return edit(directory, version="v2")


def test_a_contract_that_fits(release: Release) -> None:
    facts = run(FEATURE_CONTRACT, release)

    assert facts["contract.missing"].value == 0
    assert facts["contract.mismatched"].value == 0


def test_an_input_that_serving_does_not_offer_is_named(directory: Path) -> None:
    facts = run(FEATURE_CONTRACT, offer(directory, {"month": None}))

    assert facts["contract.missing"].detail["features"] == ["month"]


@pytest.mark.parametrize(("kind", "count"), [("text", 1), ("boolean", 1), ("int64", 0)])
def test_types_are_compared_by_family(directory: Path, kind: str, count: int) -> None:
    facts = run(FEATURE_CONTRACT, offer(directory, {"month": kind}))

    assert facts["contract.mismatched"].value == count


def test_a_type_that_nobody_knows_is_unknown(directory: Path) -> None:
    facts = run(FEATURE_CONTRACT, offer(directory, {"month": "fuzzy"}))

    assert "month" in reason(facts, "contract.mismatched")
    assert type_family("fuzzy") == "unknown"


@pytest.mark.parametrize("content", ["a: 1\n", "- name: a\n", "- {name: a, type: [x]}\n", "- 1\n"])
def test_a_broken_list_of_features_is_a_reason(directory: Path, content: str) -> None:
    (directory / "features.yaml").write_text(content)

    facts = run(FEATURE_CONTRACT, edit(directory, version="v2"))

    assert "features.yaml" in reason(facts, "contract.missing")


def test_a_release_that_says_nothing_about_serving(directory: Path) -> None:
    facts = run(FEATURE_CONTRACT, edit(directory, serving=None))

    assert "serving.features" in reason(facts, "contract.missing")
