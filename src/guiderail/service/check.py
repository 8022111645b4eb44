"""Pre-flight check: what would happen if this directory were submitted now.

No database is opened and nothing is written but the caches of the workspace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from guiderail.change.measure_release import release_facts
from guiderail.core.digest import Digest
from guiderail.core.errors import InputError
from guiderail.core.time import Clock, system_clock
from guiderail.facts.fact import FactSet
from guiderail.facts.standing import Baseline, Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.pack import Pack
from guiderail.service.answers import still_hold, with_answers
from guiderail.service.own_facts import with_own_facts
from guiderail.service.policy_in_force import pack_for
from guiderail.service.snapshot import Recorded, load_baseline, read_snapshot, release_folder
from guiderail.service.workspace import Workspace

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found. `compared_with` is the digest of the release in production.

    vouched: names of the facts that a statement from outside vouches for.
    """

    release: Release
    facts: FactSet
    decision: Decision
    compared_with: Digest | None
    at: datetime
    standing: Standing
    vouched: tuple[str, ...] = ()


def check(
    directory: Path,
    workspace: Workspace | None,
    *,
    baseline: str = "production",
    at: datetime | None = None,
    progress: Progress | None = None,
    clock: Clock = system_clock,
    fresh: bool = False,
    statement: Path | None = None,
    token: Path | None = None,
) -> Checked:
    """Facts, change, tier, track, gates and findings of the release in a directory.

    workspace: None outside any workspace; then nothing is in production and nothing is cached.
    baseline: `production`, the digest of a release that the workspace knows, or a directory.
    at: the day whose policy and registers apply; default now.
    fresh: measure everything again and believe no cache, as a trusted runner has to.
    statement, token: facts that somebody registered vouches for; only these need the database.
    Raises InputError for a manifest or baseline that cannot be used, RefusedError for a statement
    that nobody registered vouches for.
    """
    now = at or clock()
    stat_cache = workspace.cache / "digests.json" if workspace and not fresh else None
    release = load_release(directory, stat_cache=stat_cache)
    recorded = _recorded(release, workspace, baseline, stat_cache)
    standing = recorded.standing
    measured = release_facts(
        release,
        standing,
        now,
        cache=workspace.cache / "facts" if workspace and not fresh else None,
        progress=progress,
    )
    vouched: tuple[str, ...] = ()
    if statement is not None:
        measured, vouched = _with_statement(
            workspace, release, measured, standing, statement, token, now
        )
    pack = pack_for(workspace, release.manifest.kind, now)
    own = with_own_facts(measured, release, pack)
    facts = with_answers(own, still_hold(recorded.answers, now), release, standing)
    decision = evaluate(release, facts, now, pack)
    compared = standing.production.digest if standing.production else None
    return Checked(release, facts, decision, compared, now, standing, vouched)


def _with_statement(
    workspace: Workspace | None,
    release: Release,
    facts: FactSet,
    standing: Standing,
    statement: Path,
    token: Path | None,
    now: datetime,
) -> tuple[FactSet, tuple[str, ...]]:
    from guiderail.service.facts_statement import with_vouched
    from guiderail.service.signers import counting
    from guiderail.service.vouching import open_given

    if workspace is None:
        raise InputError(
            "outside a workspace nobody is registered, so no statement counts",
            code="facts/no-workspace",
            advice="Run the command in the workspace in which the runner is registered.",
        )
    with workspace.store.read() as snapshot:
        registered = counting(snapshot, now)
    vouched, _ = open_given(statement, token, registered, release.digest, now)
    merged = with_vouched(facts, vouched, standing, now)
    return merged.facts, merged.taken


def evaluate(release: Release, facts: FactSet, at: datetime, pack: Pack) -> Decision:
    """Decide on the facts of a release under a pack."""
    return decide(pack, facts, kind=release.manifest.kind, at=at, place=release.place)


def _recorded(
    release: Release, workspace: Workspace | None, baseline: str, stat_cache: Path | None
) -> Recorded:
    if workspace is None:
        recorded = Recorded(Standing())
    else:
        recorded = read_snapshot(
            workspace.snapshots,
            release.manifest.served_as,
            workspace.releases,
            workspace.features,
            stat_cache,
        )
        ceiling = workspace.ceilings.get(release.manifest.served_as)
        standing = replace(recorded.standing, ceiling=ceiling, columns=workspace.columns)
        recorded = replace(recorded, standing=standing)
    if baseline == "production":
        return recorded
    chosen = _chosen_baseline(baseline, workspace, stat_cache)
    standing = replace(recorded.standing, production=chosen, reviewed=chosen, full_review=chosen)
    return replace(recorded, standing=standing)


def _chosen_baseline(
    baseline: str, workspace: Workspace | None, stat_cache: Path | None
) -> Baseline:
    if baseline.startswith("sha256:"):
        folder = release_folder(workspace.releases, baseline) if workspace else None
        if workspace is None or folder is None or not folder.is_dir():
            raise InputError(
                f"no release {baseline} is known here",
                code="baseline/unknown",
                advice="`guiderail status` lists what was released here, with digests.",
            )
        return load_baseline(workspace.releases, Digest(baseline), {}, stat_cache)
    other = load_release(Path(baseline), stat_cache=stat_cache)
    return Baseline(other, other.digest, {})


def parse_day(text: str) -> datetime:
    """A day (its last moment, UTC) or an RFC 3339 time. Raises InputError for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a date",
            code="input/date",
            advice="Write it as 2026-11-23, or with a time and zone as 2026-11-23T09:00:00Z.",
        ) from error
    if len(text) == len("2026-11-23"):
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999999)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
