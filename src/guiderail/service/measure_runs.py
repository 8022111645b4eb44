"""`measure run` runs a pipeline and writes down what it took; `measure runs` prices such runs.

The command is the author's own and runs as the author would run it, outside of the sandbox: its
processor time, that of the programs it starts, and its memory are what the system counts.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from guiderail.core.digest import Digest
from guiderail.core.errors import InputError, RefusedError
from guiderail.facts.operation.run_cost import NO_CODE, code_digest, inputs_digest
from guiderail.manifest.artefacts import artefact_digests
from guiderail.manifest.load import load_manifest
from guiderail.manifest.release import Release
from guiderail.manifest.schema import PipelineManifest
from guiderail.manifest.stat_cache import StatCache
from guiderail.measure.run_cost import Run, change_percent_of_month, month_of_runs
from guiderail.measure.run_plan import read_run_plan
from guiderail.measure.run_records import RunRecord, read_runs, runs_of, to_line
from guiderail.measure.unmeasurable import NotMeasurable

Document = dict[str, Any]
MOST_TIMES = 1_000


def record_runs(
    directory: Path,
    command: Sequence[str],
    *,
    times: int,
    record: Path | None = None,
    told: Callable[[int, RunRecord], None] = lambda *_: None,
) -> Document:
    """Run the command in the directory so many times, and append a line for each run.

    record: the file; by default the one that the manifest names under `running.runs`. Raises
    InputError where the manifest is no pipeline's or names no source files, RefusedError where the
    command fails: a run that failed says nothing of what one takes.
    """
    from guiderail.sandbox.calibration_kernel import VERSION, kernel_seconds

    release, target = _measured(directory, record)
    code, read = code_digest(release), inputs_digest(release)
    if code is None:
        raise InputError(
            f"{NO_CODE}.", code="runs/no-code", advice="Name them under `code` in guiderail.yaml."
        )
    if not 1 <= times <= MOST_TIMES:
        raise InputError(
            f"{times} times is not between 1 and {MOST_TIMES}.",
            code="runs/times",
            advice="Six runs give a monthly range, seven on each side a comparison.",
        )
    records = []
    kernel_seconds()  # the first run of anything is slower than what follows
    for number in range(times):
        before = kernel_seconds()
        seconds, peak = _once(command, release.root)
        kernel = (before + kernel_seconds()) / 2
        records.append(RunRecord(code, read, Run(seconds, peak, None, kernel), VERSION))
        with target.open("a", encoding="utf-8") as stream:
            stream.write(to_line(records[-1]))
        told(number + 1, records[-1])
    return {
        "record": str(target),
        "code": code,
        "inputs": read,
        "runs": [asdict(one.run) for one in records],
    }


def price_runs(
    runs: Path, *, plan: Path, baseline: Path | None, baseline_plan: Path | None
) -> Document:
    """What a month of these runs costs; with a baseline, how much more than a month of its runs.

    Every file is taken to hold the runs of one version; of several, the last one's count. What
    cannot be measured is `{"unknown": reason}`.
    """
    read = read_run_plan(plan)
    code, found = _last_version(runs)
    costs = month_of_runs(read.running, found)
    document: Document = {"code": code, "runs": len(found), "currency": read.currency}
    if isinstance(costs, NotMeasurable):
        document["monthly"] = {"unknown": costs.reason}
    else:
        document["monthly"] = {
            "low": round(costs.low, 2),
            "expected": round(costs.expected, 2),
            "high": round(costs.high, 2),
        }
        document["one_run"] = asdict(costs.run)
        document["assumptions"] = list(costs.assumptions)
    document["runs_per_month"] = asdict(read.running.runs)
    if baseline is not None:
        old_plan = read_run_plan(baseline_plan) if baseline_plan is not None else read
        _, old = _last_version(baseline)
        change = change_percent_of_month(read.running, found, old_plan.running, old)
        document["change"] = (
            {"unknown": change.reason}
            if isinstance(change, NotMeasurable)
            else {"value": change.value, "low": change.low, "high": change.high}
        )
    return document


def _last_version(path: Path) -> tuple[Digest | None, list[Run]]:
    from guiderail.sandbox.calibration_kernel import VERSION

    records = read_runs(path)
    if not records:
        return None, []
    code = records[-1].code
    return code, runs_of(records, code, kernel=VERSION)


def _measured(directory: Path, record: Path | None) -> tuple[Release, Path]:
    """The pipeline in the directory, and the file of its runs, which need not be there yet."""
    loaded = load_manifest(directory)
    manifest = loaded.manifest
    root = (directory if directory.is_dir() else directory.parent).resolve()
    if not isinstance(manifest, PipelineManifest):
        raise InputError(
            f"{manifest.name} is {'an' if manifest.kind == 'app' else 'a'} {manifest.kind}, and "
            "runs are measured of pipelines.",
            code="runs/kind",
            advice="`guiderail measure cost` times a model.",
        )
    if record is None and manifest.running is None:
        raise InputError(
            "Nothing says where the runs are written down.",
            code="runs/no-record",
            advice="Name the file with --record, or under running.runs in guiderail.yaml.",
        )
    target = record if record is not None else root / manifest.running.runs  # type: ignore[union-attr]  # refused above
    bare = manifest.model_copy(update={"running": None})
    digests = artefact_digests(bare, root, loaded.places, StatCache.read(None))
    return Release(manifest, loaded.canonical, digests, root, loaded.places), target


def _once(command: Sequence[str], place: Path) -> tuple[float, int]:
    """Processor seconds and the most memory of any one process of a run that ended well."""
    try:
        child = subprocess.Popen(list(command), cwd=place)
    except OSError as error:
        raise InputError(
            f"{command[0]} cannot be started: {error.strerror or error}.",
            code="runs/command",
            advice="Write the command after two dashes, as you would write it in this directory.",
        ) from None
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RefusedError(
            f"The command ended with code {child.returncode}, so its run is not written down.",
            code="runs/failed",
            advice="Mend it and measure again; runs before this one are kept.",
        )
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
