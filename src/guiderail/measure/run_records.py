"""Measured runs of a pipeline: one JSON object a line, as `guiderail measure run` appends them.

    {"code": "sha256:...", "inputs": "sha256:...", "cpu_seconds": 812.4, "peak_bytes": 1900000000,
     "read_bytes": null, "kernel_seconds": 0.0101, "kernel_version": 1}

`code` and `inputs` are the digests of the source files and of the data of the manifest in whose
directory the run was measured; they say which version ran, and on what. A scheduler or a warehouse
may write such lines, too; only `code` and `cpu_seconds` must be there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from guiderail.core.digest import Digest
from guiderail.core.errors import InputError, Place
from guiderail.measure.run_cost import Run

LARGEST = 16 * 1024 * 1024
_REQUIRED = {"code", "cpu_seconds"}
_KNOWN = {*_REQUIRED, "inputs", "peak_bytes", "read_bytes", "kernel_seconds", "kernel_version"}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """code: digest of the version that ran. inputs: of what it read; None where not recorded.

    kernel_version: of the calibration kernel; None where it was not timed.
    """

    code: Digest
    inputs: Digest | None
    run: Run
    kernel_version: int | None


def read_runs(path: Path) -> tuple[RunRecord, ...]:
    """Every run of a file, in its order. Raises InputError with the line that is not right."""
    try:
        if path.stat().st_size > LARGEST:
            raise _bad(path, None, f"the file is larger than {LARGEST >> 20} MB")
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(path, None, f"it cannot be read ({error})") from None
    return tuple(
        _record(path, number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    )


def runs_of(
    records: Sequence[RunRecord], code: Digest, *, kernel: int, inputs: Digest | None = None
) -> list[Run]:
    """The runs of one version; with `inputs` only those that read just these.

    kernel: version of the calibration kernel that counts; times of another one are left out.
    """
    return [
        record.run if record.kernel_version == kernel else replace(record.run, kernel_seconds=None)
        for record in records
        if record.code == code and (inputs is None or record.inputs == inputs)
    ]


def to_line(record: RunRecord) -> str:
    """The line that `read_runs` reads as this record."""
    run = record.run
    content = {
        "code": record.code,
        "inputs": record.inputs,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
        "read_bytes": run.read_bytes,
        "kernel_seconds": run.kernel_seconds,
        "kernel_version": record.kernel_version,
    }
    return json.dumps(content, allow_nan=False) + "\n"


def _record(path: Path, number: int, line: str) -> RunRecord:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise _bad(path, number, "it is no JSON") from None
    if not isinstance(row, dict) or not set(row) >= _REQUIRED or set(row) - _KNOWN:
        wanted = "code and cpu_seconds, and may have " + ", ".join(sorted(_KNOWN - _REQUIRED))
        raise _bad(path, number, f"a run has {wanted}")
    kernel, version = _number(path, number, row, "kernel_seconds"), row.get("kernel_version")
    if (kernel is None) != (version is None) or not isinstance(version, int | None):
        raise _bad(path, number, "kernel_seconds and kernel_version belong together")
    seconds = _number(path, number, row, "cpu_seconds")
    if seconds is None or seconds == 0 or kernel == 0:
        raise _bad(path, number, "a time is above 0")
    return RunRecord(
        code=_digest(path, number, row["code"]),
        inputs=None if row.get("inputs") is None else _digest(path, number, row["inputs"]),
        run=Run(
            seconds,
            _count(path, number, row, "peak_bytes"),
            _count(path, number, row, "read_bytes"),
            kernel,
        ),
        kernel_version=version,
    )


def _number(path: Path, line: int, row: Mapping[str, object], key: str) -> float | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(path, line, f"{key} is no number")
    if not math.isfinite(value) or not 0 <= value <= 1e15:
        raise _bad(path, line, f"{key} is not between 0 and 1e15")
    return float(value)


def _count(path: Path, line: int, row: Mapping[str, object], key: str) -> int | None:
    value = _number(path, line, row, key)
    return None if value is None else int(value)


def _digest(path: Path, line: int, value: object) -> Digest:
    if not isinstance(value, str) or not value.startswith("sha256:") or len(value) != 71:
        raise _bad(path, line, "code and inputs are digests, sha256: and 64 digits")
    return Digest(value)


def _bad(path: Path, line: int | None, why: str) -> InputError:
    return InputError(
        f"The measured runs cannot be used: {why}.",
        code="runs/invalid",
        advice="Let `guiderail measure run` append to the file.",
        place=Place(str(path), line),
    )
