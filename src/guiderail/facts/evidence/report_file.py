"""Reading a report that the manifest names under `evidence`."""

from __future__ import annotations

from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.binding import bound, statement_path
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.manifest.release import Release

LARGEST_REPORT = 64 * 1024 * 1024


def read_report(release: Release, name: str | None, key: str, what: str) -> bytes | Unknown:
    """The bytes of a report, or why there are none."""
    if name is None:
        return Unknown(f"guiderail.yaml names no evidence.{key}, {what}")
    path = release.path(name)
    try:
        if path.stat().st_size > LARGEST_REPORT:
            return Unknown(f"{name} is larger than {LARGEST_REPORT} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        return Unknown(f"there is no report {name} yet")
    except OSError as problem:
        return Unknown(f"{name} cannot be read: {problem.strerror or problem}")


def bound_fact(fact: str, release: Release, name: str) -> Fact:
    """Whether the report speaks of this very release."""
    report = release.path(name)
    found = bound(report, release)
    source = f"{name} and {statement_path(report).name}"
    if found.value is None:
        return unknown(fact, found.reason, source)
    detail = {"reason": found.reason} if found.reason else {}
    return known(fact, found.value, source, KnownBy.MEASURED, detail)
