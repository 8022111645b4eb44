"""Releases and standing in the store: what was decided, what runs, what people confirmed."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from sqlalchemy import RowMapping, insert, select, update

from guiderail.core.digest import Digest, canonical_json
from guiderail.core.errors import ConflictError, IntegrityError
from guiderail.core.time import from_text, to_text
from guiderail.facts.fact import FactSet
from guiderail.facts.standing import Baseline, DataApproval, Standing
from guiderail.manifest.load import FILE_NAME, load_release
from guiderail.manifest.mlflow_uri import place_of
from guiderail.manifest.release import Release
from guiderail.policy.pack import Pack
from guiderail.review.dossier import Dossier
from guiderail.service.answer_rows import carried_answers
from guiderail.service.policy_in_force import write_in_force
from guiderail.service.snapshot import (
    Recorded,
    facts_from_json,
    load_baseline,
    release_folder,
    write_snapshot,
)
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


def keep_release(workspace: Workspace, release: Release) -> None:
    """Lay out a read-only copy of the manifest and every artefact.

    Safe to repeat and to interrupt: the copy appears under its digest in one step, complete.
    """
    folder = release_folder(workspace.releases, release.digest)
    if folder.is_dir():
        return
    building = folder.with_name(f"{folder.name}.{os.getpid()}.building")
    shutil.rmtree(building, ignore_errors=True)
    for name in (FILE_NAME, *release.artefacts):
        source = release.path(name)
        target = building / place_of(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    if load_release(building).digest != release.digest:
        shutil.rmtree(building)
        raise ConflictError(
            "a file of the release changed while it was being copied",
            code="release/changed",
            advice="Let the build finish, then submit again.",
        )
    _make_read_only(building)
    try:
        os.replace(building, folder)
    except OSError:
        # Somebody else laid out the same release in between: the copies are equal.
        shutil.rmtree(building, ignore_errors=True)


def _make_read_only(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)


def record_release(tx: Transaction, release: Release, now: datetime) -> None:
    """Enter the workload and the release, where they are new."""
    manifest = release.manifest
    name = manifest.served_as
    found = tx.execute(select(tables.workload.c.name).where(tables.workload.c.name == name))
    if found.first() is None:
        tx.execute(
            insert(tables.workload).values(name=name, kind=manifest.kind, created_at=to_text(now))
        )
    digest = release.digest
    found = tx.execute(
        select(tables.release_record.c.digest).where(tables.release_record.c.digest == digest)
    )
    if found.first() is None:
        tx.execute(
            insert(tables.release_record).values(
                digest=digest,
                workload=name,
                kind=manifest.kind,
                version=manifest.version,
                manifest=canonical_json(dict(release.canonical)),
                artefacts=canonical_json(dict(release.artefacts)),
                created_at=to_text(now),
            )
        )


def version_of(tx: Snapshot, digest: str) -> str:
    """The version that people call a release by; its short digest when it is not recorded."""
    row = tx.execute(
        select(tables.release_record.c.version).where(tables.release_record.c.digest == digest)
    ).first()
    return str(row[0]) if row else digest[7:19]


def workload_row(tx: Snapshot, name: str) -> RowMapping | None:
    """The workload with the digests of its production, previous, reviewed and first release."""
    return (
        tx.execute(select(tables.workload).where(tables.workload.c.name == name)).mappings().first()
    )


def set_workload(tx: Transaction, name: str, **values: str | None) -> None:
    tx.execute(update(tables.workload).where(tables.workload.c.name == name).values(**values))


def recorded_facts(tx: Snapshot, digest: str) -> FactSet:
    """Facts of the newest dossier of a release; empty when it never had one.

    Newest by the number of its case: the clock may have gone back between two dossiers.
    """
    dossier, case = tables.dossier, tables.case_record
    row = (
        tx.execute(
            select(dossier)
            .join(case, case.c.id == dossier.c.case_id)
            .where(dossier.c.release_digest == digest)
            .order_by(
                case.c.number.desc(),
                (dossier.c.digest == case.c.dossier_digest).desc(),
                dossier.c.created_at.desc(),
            )
        )
        .mappings()
        .first()
    )
    return facts_from_json(Dossier.from_columns(row).facts) if row else {}


def standing(tx: Snapshot, workspace: Workspace, name: str, now: datetime) -> Standing:
    """Everything that the store says about a workload, for its next release."""
    row = workload_row(tx, name)
    rehearsed = tx.execute(
        select(tables.rehearsal.c.at)
        .where(tables.rehearsal.c.workload == name)
        .where(tables.rehearsal.c.outcome == "passed")
        .order_by(tables.rehearsal.c.at.desc())
    ).first()
    return Standing(
        production=_baseline(tx, workspace, row, "production_digest"),
        reviewed=_baseline(tx, workspace, row, "reviewed_digest", "first_digest"),
        full_review=_baseline(tx, workspace, row, "full_review_digest", "first_digest"),
        features=workspace.features,
        confirmed_profiles=frozenset(
            Digest(found[0])
            for found in tx.execute(
                select(tables.confirmed_profile.c.digest).where(
                    tables.confirmed_profile.c.workload == name
                )
            )
        ),
        data_approvals=_data_approvals(tx, now),
        last_rehearsal=from_text(rehearsed[0]) if rehearsed else None,
        open_signals=_open_signals(tx, name),
        ceiling=workspace.ceilings.get(name),
        columns=workspace.columns,
    )


def refresh_snapshot(workspace: Workspace, name: str) -> None:
    """Write the workload's baseline snapshot again from the store."""
    with workspace.store.read() as tx:
        now = workspace.clock()
        current = Recorded(standing(tx, workspace, name, now), carried_answers(tx, name, now))
        write_in_force(tx, workspace)
    write_snapshot(workspace.snapshots, name, current)


def _baseline(
    tx: Snapshot, workspace: Workspace, row: RowMapping | None, *columns: str
) -> Baseline | None:
    if row is None or row["production_digest"] is None:
        return None
    digest = next((row[column] for column in columns if row[column]), None)
    if digest is None:
        raise IntegrityError(
            f"{row['name']} is in production and its {columns[0]} is not recorded",
            code="integrity/baseline",
            advice="Run `guiderail ledger verify`, then restore the workspace from a backup.",
        )
    return load_baseline(workspace.releases, Digest(digest), recorded_facts(tx, digest), None)


def _data_approvals(tx: Snapshot, now: datetime) -> tuple[DataApproval, ...]:
    rows = tx.execute(select(tables.data_approval).order_by(tables.data_approval.c.id)).mappings()
    return tuple(
        DataApproval(row["source"], row["purpose"], row["granted"], from_text(row["until"]))
        for row in rows
        if row["until"] and from_text(row["until"]) >= now
    )


def _open_signals(tx: Snapshot, name: str) -> tuple[datetime, ...]:
    rows = tx.execute(
        select(tables.watch_signal.c.opened_at, tables.watch_signal.c.deadline)
        .where(tables.watch_signal.c.workload == name)
        .where(tables.watch_signal.c.closed_at.is_(None))
    )
    # A signal without a deadline counts as lapsed from the moment it was opened.
    return tuple(from_text(deadline or opened) for opened, deadline in rows)


def store_pack(tx: Transaction, pack: Pack) -> None:
    """Keep the compiled pack that decided, so that the decision can be made again later."""
    found = tx.execute(select(tables.pack.c.digest).where(tables.pack.c.digest == pack.digest))
    if found.first() is None:
        tx.execute(
            insert(tables.pack).values(
                digest=pack.digest,
                name=pack.id,
                version=pack.version,
                texts_digest=pack.texts_digest,
                compiled=canonical_json(dict(pack.tree)),
            )
        )
