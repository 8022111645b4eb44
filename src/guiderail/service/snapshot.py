"""The baseline snapshot: what the system of record says about a workload, as one JSON file.

The pre-flight check reads it instead of the database, so it is quick and works in an editor. It is
advice: a submission reads the store again and never trusts the file.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from guiderail.core.digest import Digest, decimal_string
from guiderail.core.errors import GuiderailError, InputError, IntegrityError
from guiderail.core.scales import KnownBy
from guiderail.core.time import from_text, to_text
from guiderail.facts.fact import Fact, FactSet, from_json, to_json
from guiderail.facts.standing import ApprovedFeature, Baseline, DataApproval, Standing
from guiderail.manifest.load import load_release
from guiderail.service.answers import Answer, answers_from_snapshot, answers_to_snapshot

FORMAT = 1

_NO_SNAPSHOT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading raises for a file that is not UTF-8, no JSON, too deep, or of another shape."""

_T = TypeVar("_T")


def facts_to_json(facts: FactSet) -> dict[str, Any]:
    """Facts with source and provenance, as they stand in a dossier (canonical, no floats)."""
    return {
        name: {
            "value": to_json(fact.value),
            "source": fact.source,
            "known_by": fact.known_by.value,
            "detail": _exact(dict(fact.detail)),
        }
        for name, fact in facts.items()
    }


def facts_from_json(data: Mapping[str, Any]) -> dict[str, Fact]:
    """The inverse of `facts_to_json`; raises one of `_NO_SNAPSHOT` for anything else."""
    return {
        name: Fact(
            name,
            from_json(row["value"]),
            _a(row["source"], str),
            KnownBy(row["known_by"]),
            _inexact(_a(row["detail"], dict)),
        )
        for name, row in data.items()
    }


def _exact(value: Any) -> Any:
    """Floats as `{"number": text}`, so that the detail has a canonical form too."""
    if isinstance(value, float):
        return {"number": decimal_string(value)} if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _exact(item) for key, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else value


def _inexact(value: Any) -> Any:
    """The inverse of `_exact`."""
    if isinstance(value, dict):
        if set(value) == {"number"}:
            return float(value["number"])
        return {key: _inexact(item) for key, item in value.items()}
    return [_inexact(item) for item in value] if isinstance(value, list) else value


def snapshot_path(snapshots: Path, workload: str) -> Path:
    return snapshots / f"{workload}.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a snapshot holds: the standing, and the answers that still hold."""

    standing: Standing
    answers: Mapping[str, Answer] = field(default_factory=dict)


def standing_to_json(standing: Standing) -> dict[str, Any]:
    """Everything but the feature registry, which stays in its own file."""
    baselines = {
        "production": standing.production,
        "reviewed": standing.reviewed,
        "full_review": standing.full_review,
    }
    return {
        "format": FORMAT,
        "baselines": {
            name: {"digest": baseline.digest, "facts": facts_to_json(baseline.facts)}
            for name, baseline in baselines.items()
            if baseline is not None
        },
        "confirmed_profiles": sorted(standing.confirmed_profiles),
        "data_approvals": [
            {
                "source": approval.source,
                "purpose": approval.purpose,
                "granted": approval.granted,
                "until": to_text(approval.until),
            }
            for approval in standing.data_approvals
        ],
        "last_rehearsal": to_text(standing.last_rehearsal) if standing.last_rehearsal else None,
        "open_signals": [to_text(deadline) for deadline in standing.open_signals],
    }


def standing_from_json(
    data: Mapping[str, Any],
    releases: Path,
    features: Mapping[str, ApprovedFeature],
    stat_cache: Path | None,
) -> Standing:
    """Read a snapshot. Raises one of `_NO_SNAPSHOT` when it is not one."""
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r} is not {FORMAT}")
    baselines = {
        name: load_baseline(
            releases, Digest(row["digest"]), facts_from_json(row["facts"]), stat_cache
        )
        for name, row in data["baselines"].items()
    }
    return Standing(
        production=baselines.get("production"),
        reviewed=baselines.get("reviewed"),
        full_review=baselines.get("full_review"),
        features=features,
        confirmed_profiles=frozenset(
            Digest(_a(text, str)) for text in _a(data["confirmed_profiles"], list)
        ),
        data_approvals=tuple(
            DataApproval(
                _a(row["source"], str),
                _a(row["purpose"], str),
                _a(row["granted"], bool),
                from_text(row["until"]),
            )
            for row in _a(data["data_approvals"], list)
        ),
        last_rehearsal=_moment(data["last_rehearsal"]),
        open_signals=tuple(from_text(text) for text in _a(data["open_signals"], list)),
    )


def load_baseline(
    releases: Path, digest: Digest, facts: FactSet, stat_cache: Path | None
) -> Baseline:
    """The materialised release, with its bytes checked against the digest.

    Raises IntegrityError when a file of it was changed or is missing.
    """
    try:
        release = load_release(release_folder(releases, digest), stat_cache=stat_cache)
    except InputError as error:
        raise IntegrityError(
            f"the stored copy of release {digest} cannot be read ({error.what})",
            code="integrity/release",
            advice="Restore the workspace from a backup; no comparison with it can be trusted.",
        ) from error
    if release.digest != digest:
        raise IntegrityError(
            f"the stored copy of release {digest} has changed",
            code="integrity/release",
            advice="Restore the workspace from a backup; no comparison with it can be trusted.",
        )
    return Baseline(release, digest, facts)


def release_folder(releases: Path, digest: str) -> Path:
    return releases / digest.removeprefix("sha256:")


def read_snapshot(
    snapshots: Path,
    workload: str,
    releases: Path,
    features: Mapping[str, ApprovedFeature],
    stat_cache: Path | None,
) -> Recorded:
    """What is recorded about a workload; an empty standing when nothing was ever recorded.

    Raises IntegrityError when the snapshot or a baseline cannot be read: a check that went on
    without its baseline would look like a harmless first release.
    """
    path = snapshot_path(snapshots, workload)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Recorded(Standing(features=features))
    try:
        data = json.loads(content.decode("utf-8"))
        standing = standing_from_json(data, releases, features, stat_cache)
        return Recorded(standing, answers_from_snapshot(_a(data["answers"], list)))
    except IntegrityError:
        raise
    except (*_NO_SNAPSHOT, GuiderailError) as error:
        raise IntegrityError(
            f"{path} cannot be read ({error})",
            code="integrity/snapshot",
            advice="Delete it and run `guiderail status`, which writes it again from the store.",
        ) from error


def write_snapshot(snapshots: Path, workload: str, recorded: Recorded) -> None:
    """Replace the snapshot in one step."""
    snapshots.mkdir(parents=True, exist_ok=True)
    path = snapshot_path(snapshots, workload)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    document = {
        **standing_to_json(recorded.standing),
        "answers": answers_to_snapshot(recorded.answers),
    }
    temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
    os.replace(temporary, path)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)


def _a(value: Any, kind: type[_T]) -> _T:
    """The value, which must be one of that kind."""
    if not isinstance(value, kind):
        raise TypeError(f"{str(value)[:60]!r} stands where a {kind.__name__} belongs")
    return value
