"""The security scan: a SARIF 2.1.0 report that a scanner wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.report_file import bound_fact, read_report
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider

HIGH_SEVERITY = 7.0
"""CVSS-style `security-severity` from which a finding counts as high."""


@dataclass(frozen=True, slots=True)
class Scan:
    """findings: critical or high ones, as `rule: message`. problems: why the scanner is not ok.

    ended: when the last run ended; None where a run does not say it.
    """

    tools: tuple[str, ...]
    findings: tuple[str, ...]
    problems: tuple[str, ...]
    ended: datetime | None


def read_sarif(text: bytes) -> Scan:
    """Raises ValueError for anything that is not a SARIF log with at least one run."""
    log = json.loads(text)
    if not isinstance(log, Mapping) or log.get("version") != "2.1.0":
        raise ValueError("it is not SARIF 2.1.0")
    runs = log.get("runs")
    if not isinstance(runs, list) or not runs:
        raise ValueError("it holds no run of a scanner")
    scans = [_run_of(run) for run in runs]
    ends = [end for scan in scans if (end := scan.ended) is not None]
    return Scan(
        tools=tuple(tool for scan in scans for tool in scan.tools),
        findings=tuple(one for scan in scans for one in scan.findings),
        problems=tuple(one for scan in scans for one in scan.problems),
        ended=min(ends) if len(ends) == len(scans) else None,
    )


def _run_of(run: object) -> Scan:
    if not isinstance(run, Mapping):
        raise ValueError("a run is not an object")
    driver = _mapping(_mapping(run.get("tool")).get("driver"))
    tool = str(driver.get("name") or "unnamed scanner")
    results = run.get("results")
    if not isinstance(results, list):
        raise ValueError(f"the run of {tool} has no results: it did not scan")
    rules = {
        rule["id"]: rule
        for rule in _list(driver.get("rules"))
        if isinstance(rule, Mapping) and isinstance(rule.get("id"), str)
    }
    findings = [
        _title(result) for result in results if not _is_suppressed(result) and _high(result, rules)
    ]
    problems, ends = [], []
    invocations = _list(run.get("invocations"))
    if not invocations:
        problems.append(f"{tool} does not say whether it finished")
    for invocation in map(_mapping, invocations):
        if invocation.get("executionSuccessful") is not True:
            problems.append(f"{tool} did not finish successfully")
        for key in ("toolExecutionNotifications", "toolConfigurationNotifications"):
            for note in map(_mapping, _list(invocation.get(key))):
                if note.get("level") == "error":
                    problems.append(f"{tool}: {_message(note)}")
        ends.append(_time(invocation.get("endTimeUtc")))
    known_ends = [end for end in ends if end is not None]
    ended = max(known_ends) if known_ends and len(known_ends) == len(ends) else None
    return Scan((tool,), tuple(findings), tuple(problems), ended)


def _high(result: object, rules: Mapping[str, Mapping[str, object]]) -> bool:
    """Level error, or a security-severity from 7, or bandit's issue_severity HIGH."""
    found = _mapping(result)
    rule = rules.get(str(found.get("ruleId")), {})
    properties = {**_mapping(rule.get("properties")), **_mapping(found.get("properties"))}
    configured = _mapping(rule.get("defaultConfiguration")).get("level")
    level = found.get("level") or configured or "warning"
    if level == "error" or str(properties.get("issue_severity", "")).upper() == "HIGH":
        return True
    severity = properties.get("security-severity")
    if severity is None:
        return False
    try:
        return not float(str(severity)) < HIGH_SEVERITY  # NaN counts as high
    except ValueError:
        return True


def _is_suppressed(result: object) -> bool:
    """A finding whose every suppression was accepted, as SARIF 3.35 says."""
    suppressions = [_mapping(one) for one in _list(_mapping(result).get("suppressions"))]
    return bool(suppressions) and all(
        one.get("status", "accepted") == "accepted" for one in suppressions
    )


def _title(result: object) -> str:
    found = _mapping(result)
    return f"{found.get('ruleId') or 'unnamed rule'}: {_message(found)}"


def _message(part: Mapping[str, object]) -> str:
    return str(_mapping(part.get("message")).get("text") or "no message")[:200]


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _run(inputs: Inputs) -> Iterator[Fact]:
    report = inputs.release.manifest.evidence.security
    read = read_report(inputs.release, report, "security", "a SARIF report of a scanner")
    source = report or written_at(inputs.release, "evidence")
    if isinstance(read, Unknown):
        for name in SECURITY.gives:
            yield unknown(name, read.reason, source)
        return
    try:
        scan = read_sarif(read)
    except (ValueError, RecursionError) as problem:
        for name in SECURITY.gives:
            yield unknown(name, f"{report} cannot be read: {problem}", source)
        return
    yield from _facts(inputs, scan, source)


def _facts(inputs: Inputs, scan: Scan, source: str) -> Iterator[Fact]:
    measured = KnownBy.MEASURED
    tools = list(scan.tools)
    ok = not scan.problems
    detail: dict[str, object] = {"tools": tools, "problems": list(scan.problems)}
    yield known("security.scanner_ok", ok, source, measured, detail)
    if ok or scan.findings:
        shown = {"findings": list(scan.findings[:20]), "tools": tools}
        yield known("security.findings", len(scan.findings), source, measured, shown)
    else:
        yield unknown("security.findings", scan.problems[0], source)
    if scan.ended is None:
        yield unknown("security.age_days", "the report does not say when the scan ended", source)
    elif scan.ended > inputs.now:
        yield unknown("security.age_days", "the scan ended in the future", source)
    else:
        days = (inputs.now - scan.ended).total_seconds() / 86_400
        yield known("security.age_days", round(days, 6), source, measured)
    yield bound_fact("security.bound", inputs.release, source)


SECURITY = Provider(
    id="evidence.security",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("security.scanner_ok", "security.findings", "security.age_days", "security.bound"),
    run=_run,
)
