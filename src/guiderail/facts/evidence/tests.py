"""The tests: a JUnit XML report that a test runner wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.report_file import bound_fact, read_report
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider

BROKEN = ("failure", "error")
TOTALS = ("tests", "failures", "errors", "skipped", "disabled")


@dataclass(frozen=True, slots=True)
class JUnitRun:
    """Counts of test cases. ran excludes skipped ones; failed holds failures and errors by name."""

    ran: int
    failed: tuple[str, ...]
    skipped: int


def read_junit(content: bytes) -> JUnitRun:
    """Counts from the cases themselves, because totals in attributes can say anything.

    A failure or error outside every case (a set-up that broke) counts as one that failed. Raises
    ValueError for anything that is no JUnit report, whose totals are no whole numbers, or whose
    totals say more than its cases show (a report that was cut off or edited).
    """
    import defusedxml.ElementTree as SafeTree
    from defusedxml import DefusedXmlException

    try:
        root = SafeTree.fromstring(content, forbid_dtd=True)
    except (SafeTree.ParseError, DefusedXmlException, LookupError) as problem:
        # LookupError: an encoding that does not exist
        raise ValueError(f"it is no readable XML: {problem}") from problem
    if root.tag not in ("testsuites", "testsuite"):
        raise ValueError("it is no JUnit report")
    failed, skipped, cases = [], 0, 0
    named: set[object] = set()
    for case in root.iter("testcase"):
        cases += 1
        broken = [part for part in case.iter() if part.tag in BROKEN]
        named.update(broken)
        if broken:
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')}".strip("."))
        elif case.find("skipped") is not None:
            skipped += 1
    for parent in root.iter():
        outside = [part for part in parent if part.tag in BROKEN and part not in named]
        failed += [f"{parent.get('name') or 'the suite'} (outside every case)" for _ in outside]
    suites = [root, *root.iter("testsuite")]
    for suite in suites:
        held = sum(1 for _ in suite.iter("testcase"))
        totals = {name: _count(name, suite.get(name)) for name in TOTALS}
        if totals["tests"] > held:
            raise ValueError("its totals name more tests than it holds")
        if totals["failures"] + totals["errors"] and not failed:
            failed.append(f"{suite.get('name') or 'the suite'} (no case named)")
    return JUnitRun(cases - skipped, tuple(failed), skipped)


def _count(name: str, text: str | None) -> int:
    """A total; 0 only where the report has none."""
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"its total {name}={text[:40]!r} is no whole number")
    return int(text)


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
