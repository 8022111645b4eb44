"""The tests: a JUnit XML report that a test runner wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.report_file import bound_fact, read_report
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider


@dataclass(frozen=True, slots=True)
class JUnitRun:
    """Counts of test cases. ran excludes skipped ones; failed holds failures and errors by name."""

    ran: int
    failed: tuple[str, ...]
    skipped: int


def read_junit(content: bytes) -> JUnitRun:
    """Counts from the cases themselves, because totals in attributes can say anything.

    Raises ValueError for anything that is no JUnit report, or whose totals say more than its cases
    show (a report that was cut off or edited).
    """
    import defusedxml.ElementTree as SafeTree
    from defusedxml import DefusedXmlException

    try:
        root = SafeTree.fromstring(content, forbid_dtd=True)
    except (SafeTree.ParseError, DefusedXmlException) as problem:
        raise ValueError(f"it is no readable XML: {problem}") from problem
    if root.tag not in ("testsuites", "testsuite"):
        raise ValueError("it is no JUnit report")
    failed, skipped, cases = [], 0, 0
    for case in root.iter("testcase"):
        cases += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')}".strip("."))
        elif case.find("skipped") is not None:
            skipped += 1
    suites = [root, *root.iter("testsuite")]
    for suite in suites:
        held = sum(1 for _ in suite.iter("testcase"))
        if _count(suite.get("tests")) > held:
            raise ValueError("its totals name more tests than it holds")
        broken = _count(suite.get("failures")) + _count(suite.get("errors"))
        if broken and not failed:
            failed.append(f"{suite.get('name') or 'the suite'} (no case named)")
    return JUnitRun(cases - skipped, tuple(failed), skipped)


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _run(inputs: Inputs) -> Iterator[Fact]:
    report = inputs.release.manifest.evidence.tests
    read = read_report(inputs.release, report, "tests", "a JUnit report of the tests")
    source = report or written_at(inputs.release, "evidence")
    if isinstance(read, Unknown):
        for name in TESTS.gives:
            yield unknown(name, read.reason, source)
        return
    try:
        run = read_junit(read)
    except ValueError as problem:
        for name in TESTS.gives:
            yield unknown(name, f"{report} cannot be read: {problem}", source)
        return
    measured = KnownBy.MEASURED
    yield known("tests.ran", run.ran, source, measured)
    yield known("tests.skipped", run.skipped, source, measured)
    if run.ran == 0 and not run.failed:
        yield unknown("tests.failed", "nothing ran, so nothing could fail", source)
    else:
        yield known(
            "tests.failed", len(run.failed), source, measured, {"tests": list(run.failed[:20])}
        )
    yield bound_fact("tests.bound", inputs.release, source)


TESTS = Provider(
    id="evidence.tests",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("tests.ran", "tests.failed", "tests.skipped", "tests.bound"),
    run=_run,
)
