"""An approval dies with the digest it was given for."""

from __future__ import annotations

from pathlib import Path

from guiderail.core.digest import short
from guiderail.core.errors import InputError, RefusedError
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.states import BEFORE_TRAFFIC, State
from guiderail.service.journal import PLATFORM, case_subject, record
from guiderail.service.records import refresh_snapshot
from guiderail.service.registers import transaction
from guiderail.service.snapshot import release_folder
from guiderail.service.take_back import push_revocations, take_back_permits
from guiderail.service.workspace import Workspace


def void_if_changed(workspace: Workspace, case_id: str) -> None:
    """Make the case void and raise RefusedError when its files differ from what was submitted.

    The directory it came from is read again. A directory that is gone changes nothing: the
    submitted bytes are kept under their digest, and only those are ever deployed.
    """
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
    if case.state not in BEFORE_TRAFFIC or not Path(case.source_dir).is_dir():
        return
    try:
        now_there: Release | None = load_release(Path(case.source_dir))
    except InputError:
        now_there = None
    if now_there is not None and now_there.digest == case.release_digest:
        return
    difference = _difference(workspace, case, now_there)
    now = workspace.clock()
    with transaction(workspace) as tx:
        case = cases.move(tx, cases.load(tx, case_id), State.VOID, "case.void", now)
        take_back_permits(tx, case, PLATFORM, "the release changed after it was submitted", now)
        record(
            tx,
            "case.void",
            case_subject(case),
            workspace.actor,
            now,
            {"case": case.id, "reason": difference},
            outcome=State.VOID.value,
            notify=[case.submitter],
        )
    push_revocations(workspace)
    refresh_snapshot(workspace, case.workload)
    raise RefusedError(
        f"{case.id} is void: {difference} Approvals were for {short(case.release_digest)} and "
        "do not carry over.",
        code="case/void",
        advice="Submit the changed release again, or restore the files and submit them.",
    )


def _difference(workspace: Workspace, case: Case, now_there: Release | None) -> str:
    if now_there is None:
        return f"the manifest in {case.source_dir} can no longer be read."
    before = load_release(release_folder(workspace.releases, case.release_digest))
    names = sorted(set(before.artefacts) | set(now_there.artefacts))
    changed = [n for n in names if before.artefacts.get(n) != now_there.artefacts.get(n)]
    if dict(before.canonical) != dict(now_there.canonical):
        changed.insert(0, "guiderail.yaml")
    what = ", ".join(changed)
    return f"{what} changed after the release was submitted."
