"""Rehearse going back from a release, on a gateway of its own; production is not touched."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from guiderail.core.digest import Digest, decimal_string
from guiderail.core.errors import InputError, RefusedError
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail.facts.data.data_files import open_data
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest
from guiderail.rollout.desired import Arm, release_document
from guiderail.rollout.rehearse import Rehearsal
from guiderail.rollout.rehearse import rehearse as run
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.service.journal import record
from guiderail.service.permits import ENVIRONMENT
from guiderail.service.records import keep_release, record_release, refresh_snapshot, workload_row
from guiderail.service.registers import transaction
from guiderail.service.snapshot import load_baseline
from guiderail.service.workspace import Workspace
from guiderail.store import tables


def rehearse(workspace: Workspace, workload: str, directory: Path) -> dict[str, Any]:
    """Switch a scratch gateway from the release in a directory to what runs now, and record it.

    Where nothing runs, switching off is rehearsed. Raises RefusedError when the rehearsal fails;
    the failure is recorded too.
    """
    release = load_release(directory)
    if release.manifest.served_as != workload:
        raise InputError(
            f"{directory} is a release of {release.manifest.served_as}, not of {workload}",
            code="rehearse/workload",
            advice=f"Write `guiderail rollback {release.manifest.served_as} --rehearse DIR`.",
        )
    keep_release(workspace, release)
    with workspace.store.read() as snapshot:
        row = workload_row(snapshot, workload)
    running = row["production_digest"] if row else None
    old = load_baseline(workspace.releases, Digest(running), {}, None).release if running else None
    now = workspace.clock()
    with tempfile.TemporaryDirectory(prefix="guiderail-rehearsal-files-") as name:
        found = run(
            workspace.home,
            workload,
            new=_arm(release, Path(name) / "new"),
            old=_arm(old, Path(name) / "old") if old else None,
            sample=_sample(release, old),
            now=now,
        )
    _keep(workspace, release, workload, found)
    if not found.succeeded:
        raise RefusedError(
            found.sentence,
            code="rehearse/failed",
            advice="Mend what stands in the way; a release that cannot go back does not start.",
        )
    return {
        "workload": workload,
        "from": found.from_digest,
        "to": found.to_digest,
        "seconds": found.seconds,
        "sentence": found.sentence,
    }


def _keep(workspace: Workspace, release: Release, workload: str, found: Rehearsal) -> None:
    now = workspace.clock()
    outcome = "passed" if found.succeeded else "failed"
    with transaction(workspace) as tx:
        record_release(tx, release, now)
        tx.execute(
            insert(tables.rehearsal).values(
                workload=workload,
                at=to_text(now),
                seconds=found.seconds or 0.0,
                from_digest=found.from_digest,
                to_digest=found.to_digest,
                outcome=outcome,
            )
        )
        record(
            tx,
            "rollback.rehearsed",
            Subject(release.manifest.kind, workload, release.digest),
            workspace.actor,
            now,
            {
                "outcome": outcome,
                "from_digest": found.from_digest,
                "to_digest": found.to_digest,
                "seconds": decimal_string(round(found.seconds, 3)) if found.seconds else "unknown",
            },
            outcome=outcome,
        )
    refresh_snapshot(workspace, workload)


def _arm(release: Release, folder: Path) -> Arm:
    manifest = release.manifest
    if not isinstance(manifest, ModelManifest):
        raise InputError(
            f"the local target serves models; this is a {manifest.kind}",
            code="rehearse/kind",
            advice="Rehearse on the target that runs it.",
        )
    folder.mkdir(parents=True)
    document = folder / "release.json"
    document.write_bytes(release_document(release))
    return Arm(
        digest=release.digest,
        weight=100,
        environment=ENVIRONMENT,
        release_file=document,
        model_file=release.path(manifest.model.file),
        permit_file=folder / "permit.dsse.json",
        proof_file=folder / "permit.tlog-proof",
    )


def _sample(release: Release, old: Release | None) -> bytes:
    """The first evaluation row as a request: every input that either version asks for."""
    manifest = release.manifest
    if not isinstance(manifest, ModelManifest) or manifest.evaluation is None:
        raise InputError(
            "the release names no evaluation data to ask a question from",
            code="rehearse/sample",
            advice="Name evaluation.data in guiderail.yaml.",
        )
    names: dict[str, None] = {}
    for version in (release, old):
        if version is not None and isinstance(version.manifest, ModelManifest):
            summary = inspect_model(version.path(version.manifest.model.file))
            names.update(dict.fromkeys(summary.names or ()))
    with open_data(release, manifest.evaluation.data) as table:
        offered = [name for name in names if name in table.names]
        row = {name: values[0] for name, values in table.frame(offered).items()}
    plain = {name: item.item() if hasattr(item, "item") else item for name, item in row.items()}
    return json.dumps({"inputs": plain}).encode()
