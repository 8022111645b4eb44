"""The security scan: a SARIF 2.1.0 report that a scanner wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.report_file import bound_fact, read_report
from guiderail.facts.evidence.sarif_rules import Rules
from guiderail.facts.evidence.sarif_rules import as_list as _list
from guiderail.facts.evidence.sarif_rules import as_mapping as _mapping
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider

HIGH_SEVERITY = 7.0
"""CVSS-style `security-severity` from which a finding counts as high."""

LOWER_LEVELS = ("none", "note", "warning")
"""The levels of SARIF 3.27.10 below `error`."""


@dataclass(frozen=True, slots=True)
class Scan:
    """findings: critical or high ones, as `rule: message`. problems: why the scanner is not ok.

    unclear: results, as `rule: message`, whose severity neither they nor a rule of the report say.
    ended: when the last run ended; None where a run does not say it.
    """

    tools: tuple[str, ...]
    findings: tuple[str, ...]
    unclear: tuple[str, ...]
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
        unclear=tuple(one for scan in scans for one in scan.unclear),
        problems=tuple(one for scan in scans for one in scan.problems),
        ended=min(ends) if len(ends) == len(scans) else None,
    )


def _run_of(run: object) -> Scan:
    if not isinstance(run, Mapping):
        raise ValueError("a run is not an object")
    rules = Rules.of(run)
    driver = rules.components[0]
    tool = str(driver.get("name") or "unnamed scanner")
    results = run.get("results")
    if not isinstance(results, list):
        raise ValueError(f"the run of {tool} has no results: it did not scan")
    findings, unclear = [], []
    for found in map(_mapping, results):
        if _is_suppressed(found) or _is_no_finding(found):
            continue
        its_rules = rules.of_result(found)
        if any(_is_high(part) for part in (found, *its_rules)):
            findings.append(_title(found, its_rules))
        elif not its_rules and not _says_severity(found):
            unclear.append(_title(found, its_rules))
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
    return Scan((tool,), tuple(findings), tuple(unclear), tuple(problems), ended)


def _is_high(part: Mapping[str, object]) -> bool:
    """Whether a result, or a rule by itself, says critical or high.

    Level error, or a security-severity from 7, or bandit's issue_severity HIGH; a level or a
    security-severity that nobody can read counts as high too.
    """
    properties = _mapping(part.get("properties"))
    if str(properties.get("issue_severity", "")).upper() == "HIGH":
        return True
    configured = _mapping(part.get("defaultConfiguration")).get("level")
    if any(level not in (*LOWER_LEVELS, None) for level in (part.get("level"), configured)):
        return True
    severity = properties.get("security-severity")
    if severity is None:
        return False
    try:
        return not float(str(severity)) < HIGH_SEVERITY  # NaN counts as high
    except ValueError:
        return True


def _says_severity(result: Mapping[str, object]) -> bool:
    properties = _mapping(result.get("properties"))
    own = (
        result.get("level"),
        properties.get("security-severity"),
        properties.get("issue_severity"),
    )
    return any(value is not None for value in own)


def _is_no_finding(result: Mapping[str, object]) -> bool:
    """A result that reports that a rule holds or does not apply, as SARIF 3.27.9 says."""
    kinds = ("pass", "notApplicable", "informational")
    return result.get("kind") in kinds and result.get("level") in (None, "none")


def _is_suppressed(result: Mapping[str, object]) -> bool:
    """A finding whose every suppression was accepted, as SARIF 3.35 says."""
    suppressions = [_mapping(one) for one in _list(result.get("suppressions"))]
    return bool(suppressions) and all(
        one.get("status", "accepted") == "accepted" for one in suppressions
    )


def _title(found: Mapping[str, object], rules: tuple[Mapping[str, object], ...]) -> str:
    named = (found.get("ruleId"), _mapping(found.get("rule")).get("id"), *(r["id"] for r in rules))
    return f"{next((name for name in named if name), 'unnamed rule')}: {_message(found)}"


def _message(part: Mapping[str, object]) -> str:
    return str(_mapping(part.get("message")).get("text") or "no message")[:200]


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


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
    if scan.findings or (ok and not scan.unclear):
        shown: dict[str, object] = {"findings": list(scan.findings[:20]), "tools": tools}
        yield known("security.findings", len(scan.findings), source, measured, shown)
    else:
        unclear = [f"the report does not say how severe this is: {one}" for one in scan.unclear]
        yield unknown("security.findings", (*scan.problems, *unclear)[0], source)
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
