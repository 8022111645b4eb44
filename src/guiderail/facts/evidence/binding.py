"""Bind a report to a release: an in-toto statement beside the report that names both digests.

On the author's machine the statement is not signed: it says what belongs together and notices a
report or a release that changed since. A trusted runner signs the same statement; whose signature
counts is known where the report is attached to a case, not here.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from guiderail.core.digest import canonical_json, file_digest
from guiderail.core.errors import InputError
from guiderail.core.time import from_text, to_text
from guiderail.manifest.release import Release

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:guiderail:report:v1"
LARGEST_STATEMENT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Bound:
    """What a statement says about a report. value None: there is no usable statement.

    reason: why the value is not True, in one clause for people.
    """

    value: bool | None
    reason: str
    at: datetime | None = None


def statement_path(report: Path) -> Path:
    """Where the statement about a report lies."""
    return report.with_name(f"{report.name}.intoto.json")


Sign = Callable[[bytes], bytes]
"""Puts a statement into a signed envelope."""


def bind(report: Path, release: Release, now: datetime, sign: Sign | None = None) -> Path:
    """Write the statement that `report` is about `release`; returns its path.

    sign: with the key of a runner; None: not signed.
    Raises InputError where the report cannot be read or the statement cannot be written.
    """
    target = statement_path(report)
    try:
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {
                    "name": release.manifest.served_as,
                    "digest": {"sha256": release.digest.removeprefix("sha256:")},
                }
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "report": {
                    "name": report.name,
                    "digest": {"sha256": file_digest(report).removeprefix("sha256:")},
                },
                "boundAt": to_text(now),
            },
        }
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            content = canonical_json(statement)
            stream.write((content if sign is None else sign(content)) + b"\n")
        os.replace(name, target)
    except OSError as problem:
        raise InputError(
            f"{report} cannot be bound to the release: {problem.strerror or problem}",
            advice="Check that the report exists and that its directory can be written.",
            code="evidence/not-bound",
        ) from problem
    return target


def bound(report: Path, release: Release) -> Bound:
    """Whether the statement beside a report names this very report and this very release."""
    path = statement_path(report)
    try:
        if path.stat().st_size > LARGEST_STATEMENT:
            return Bound(None, f"{path.name} is too large to be a statement")
        data = _opened(json.loads(path.read_bytes()))
        subjects = [one["digest"]["sha256"] for one in data["subject"]]
        said = data["predicate"]["report"]["digest"]["sha256"]
        at = from_text(data["predicate"]["boundAt"])
        kind = (data["_type"], data["predicateType"])
    except FileNotFoundError:
        return Bound(None, f"no statement {path.name} says which release the report is about")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Bound(None, f"{path.name} is no readable statement about a report")
    if kind != (STATEMENT_TYPE, PREDICATE_TYPE):
        return Bound(None, f"{path.name} is a statement of another kind")
    if f"sha256:{said}" != file_digest(report):
        return Bound(False, "the report changed after it was bound to a release", at)
    if release.digest.removeprefix("sha256:") not in subjects:
        return Bound(False, "the report is about another release", at)
    return Bound(True, "", at)


def _opened(data: Any) -> Any:
    """The statement itself, out of its envelope where it is signed."""
    if isinstance(data, dict) and "payloadType" in data:
        return json.loads(base64.b64decode(data["payload"], validate=True))
    return data
