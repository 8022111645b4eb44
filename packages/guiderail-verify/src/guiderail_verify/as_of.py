"""How things stood at a moment, by the ledger alone: what ran, which policy held, who had a role.

A replay of the entries dated until then, in the order of the log. Nothing else is read, so whoever
has the entries with their details gets the same answer as the platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from guiderail_verify.audit_entries import Entry
from guiderail_verify.registers import is_register

OFF: Final = "off"
"""What a rollback names to serve nothing."""
_RAN: Final = ("live", "retired", "rolled-back", "rolling", "paused")


class CaseThen(NamedTuple):
    """A case at the moment. owner: as the manifest said; submitter: a pseudonym."""

    id: str
    workload: str
    kind: str
    release: str
    version: str
    owner: str
    submitter: str
    dossier: str
    tier: str
    track: str
    policy: str
    state: str
    needed: tuple[str, ...] | None
    given: tuple[str, ...]


class RolloutThen(NamedTuple):
    """A move of traffic under way. percent: that the new version gets."""

    id: str
    kind: str
    case: str
    from_digest: str | None
    to_digest: str
    percent: int


class PolicyThen(NamedTuple):
    """A pack that was put into force for a kind, from a moment on."""

    kind: str
    pack: str
    version: str
    digest: str
    effective_at: str
    change: str
    entry: int


class Served(NamedTuple):
    """One release that answered at the moment. share: percent of traffic. since: RFC 3339."""

    workload: str
    kind: str
    release: str
    version: str
    share: int
    case: str
    tier: str
    track: str
    state: str
    permit: str
    owner: str
    since: str
    policy: str


@dataclass
class Standing:
    """What the ledger said until a moment.

    production, previous: workload -> release digest, None for nothing. since: when production came
    to be. permits: id -> case and whether it was taken back. registers: name -> entry and digest.
    of_release: workload and digest -> its cases, oldest first. of_case: case -> its permits.
    untold: entries that were removed, or whose details are gone: what they changed is not known.
    """

    cases: dict[str, CaseThen] = field(default_factory=dict)
    production: dict[str, str | None] = field(default_factory=dict)
    previous: dict[str, str | None] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)
    rollouts: dict[str, RolloutThen] = field(default_factory=dict)
    permits: dict[str, tuple[str, bool]] = field(default_factory=dict)
    policies: list[PolicyThen] = field(default_factory=list)
    registers: dict[str, tuple[int, str]] = field(default_factory=dict)
    untold: list[int] = field(default_factory=list)
    of_release: dict[tuple[str, str | None], list[str]] = field(default_factory=dict)
    of_case: dict[str, list[str]] = field(default_factory=dict)
    entries: int = 0

    def policy_in_force(self, at: str) -> list[PolicyThen]:
        """One for each kind: the last that had begun; before the first begins, that one."""
        ordered = sorted(self.policies, key=lambda one: one.effective_at)
        found: dict[str, PolicyThen] = {}
        for one in ordered:
            if one.kind not in found or one.effective_at <= at:
                found[one.kind] = one
        return [found[kind] for kind in sorted(found)]

    def inventory(self) -> list[Served]:
        """Every release that had traffic, by workload; the one in production first."""
        return [row for name in sorted(self.production) for row in self._served(name)]

    def _served(self, workload: str) -> Iterator[Served]:
        production, rollout = self.production[workload], self.rollouts.get(workload)
        shares: list[tuple[str, int]] = []
        if rollout is None:
            shares = [(production, 100)] if production else []
        elif rollout.kind == "rollback":
            shares = [] if rollout.to_digest == OFF else [(rollout.to_digest, 100)]
        elif production is None or rollout.percent == 100:
            shares = [(rollout.to_digest, 100 if production is None else rollout.percent)]
        else:
            shares = [(production, 100 - rollout.percent), (rollout.to_digest, rollout.percent)]
        for release, share in shares:
            case = self.case_of(workload, release)
            if case is not None and share:
                yield Served(
                    workload, case.kind, release, case.version, share, case.id, case.tier,
                    case.track, case.state, self._permit(case.id), case.owner,
                    self.since.get(workload, "") if release == production else "", case.policy,
                )  # fmt: skip

    def case_of(self, workload: str, release: str | None) -> CaseThen | None:
        """The newest case that put this release into production, or once did."""
        for case in reversed(self.of_release.get((workload, release), [])):
            if self.cases[case].state in _RAN:
                return self.cases[case]
        return None

    def _permit(self, case: str) -> str:
        held = [name for name in self.of_case.get(case, ()) if not self.permits[name][1]]
        return held[-1] if held else ""


def standing_at(entries: Iterable[Entry], at: str | None = None) -> Standing:
    """Replay. at: RFC 3339 with microseconds in UTC, the last moment that counts; None: all."""
    standing = Standing()
    for entry in entries:
        if at is not None and entry.at > at:
            continue
        standing.entries += 1
        _see(standing, entry)
    return standing


def _see(standing: Standing, entry: Entry) -> None:
    if entry.removed is not None:
        standing.untold.append(entry.seq)
        return
    if is_register(entry):
        standing.registers[entry.name] = entry.seq, entry.digest or ""
        return
    step = _STEPS.get(entry.type)
    if step is None:
        return
    if entry.payload is None:
        standing.untold.append(entry.seq)
        return
    step(standing, entry, entry.payload)


Payload = Mapping[str, Any]


def _submitted(standing: Standing, entry: Entry, told: Payload) -> None:
    case = told["case"]
    standing.production.setdefault(entry.name, None)
    standing.of_release.setdefault((entry.name, entry.digest), []).append(case)
    standing.cases[case] = CaseThen(
        id=case, workload=entry.name, kind=entry.kind, release=entry.digest or "",
        version=str(told.get("version", "")), owner=str(told.get("owner", "")),
        submitter=entry.actor, dossier=str(told.get("dossier", "")),
        tier=str(told.get("tier", "")), track=str(told.get("track", "")),
        policy=entry.policy or "", state=entry.outcome, needed=_roles(told), given=(),
    )  # fmt: skip


def _decided(standing: Standing, entry: Entry, told: Payload) -> None:
    before = standing.cases[told["case"]]
    same = before.dossier == told["dossier"]
    standing.cases[before.id] = before._replace(
        dossier=told["dossier"], tier=told["tier"], track=told["track"],
        policy=entry.policy or "", state=entry.outcome, needed=_roles(told),
        given=before.given if same else (),
    )  # fmt: skip


def _answered(standing: Standing, entry: Entry, told: Payload) -> None:
    _move(standing, told["case"], entry.outcome)


def _reviewed(standing: Standing, entry: Entry, told: Payload) -> None:
    before = standing.cases[told["case"]]
    if told["verdict"] == "approve":
        given = (*before.given, told["role"])
        after = before._replace(given=given)
        if before.needed is not None and set(before.needed) <= set(given):
            after = after._replace(state="approved")
        standing.cases[before.id] = after
    else:
        words = {"reject": "rejected", "request-changes": "changes-requested"}
        _move(standing, before.id, words[told["verdict"]])


def _ended(standing: Standing, entry: Entry, told: Payload) -> None:
    _move(standing, told["case"], entry.outcome)


def _permitted(standing: Standing, entry: Entry, told: Payload) -> None:
    standing.permits[told["permit"]] = told["case"], False
    standing.of_case.setdefault(told["case"], []).append(told["permit"])
    if not told.get("replaces"):
        _move(standing, told["case"], entry.outcome)


def _revoked(standing: Standing, entry: Entry, told: Payload) -> None:
    case, _ = standing.permits[told["permit"]]
    standing.permits[told["permit"]] = case, True


def _rolling(standing: Standing, entry: Entry, told: Payload) -> None:
    standing.rollouts[entry.name] = RolloutThen(
        told["rollout"], "deploy", told["case"], told["from_digest"], told["to_digest"],
        int(told["steps"][0]),
    )  # fmt: skip
    _move(standing, told["case"], "rolling")


def _stepped(standing: Standing, entry: Entry, told: Payload) -> None:
    under_way = standing.rollouts[entry.name]
    standing.rollouts[entry.name] = under_way._replace(percent=int(told["share"]))
    _move(standing, told["case"], entry.outcome)


def _live(standing: Standing, entry: Entry, told: Payload) -> None:
    before = standing.case_of(entry.name, told["from_digest"])
    if before is not None and before.state == "live" and before.id != told["case"]:
        _move(standing, before.id, "retired")
    _serve(standing, entry, told["to_digest"], told["from_digest"])
    _move(standing, told["case"], "live")


def _aborted(standing: Standing, entry: Entry, told: Payload) -> None:
    under_way = standing.rollouts.pop(entry.name)
    if under_way.kind == "deploy":
        _move(standing, told["case"], "aborted")


def _going_back(standing: Standing, entry: Entry, told: Payload) -> None:
    standing.rollouts[entry.name] = RolloutThen(
        told["rollout"], "rollback", told["case"], told["from_digest"], told["to_digest"], 100
    )


def _went_back(standing: Standing, entry: Entry, told: Payload) -> None:
    left = standing.case_of(entry.name, told["from_digest"])
    if left is not None:
        _move(standing, left.id, "rolled-back")
    to = None if told["to_digest"] == OFF else told["to_digest"]
    restored = standing.case_of(entry.name, to)
    if restored is not None:
        _move(standing, restored.id, "live")
    _serve(standing, entry, to, told["from_digest"])


def _activated(standing: Standing, entry: Entry, told: Payload) -> None:
    for kind in told["kinds"]:
        standing.policies.append(
            PolicyThen(
                kind,
                told["pack"],
                told["version"],
                told["digest"],
                told["effective_at"],
                told["change"],
                entry.seq,
            )
        )


def _withdrawn_policy(standing: Standing, entry: Entry, told: Payload) -> None:
    standing.policies = [one for one in standing.policies if one.change != told["change"]]


def _serve(standing: Standing, entry: Entry, to: str | None, before: str | None) -> None:
    standing.rollouts.pop(entry.name, None)
    standing.production[entry.name] = to
    standing.previous[entry.name] = before
    standing.since[entry.name] = entry.at


def _move(standing: Standing, case: str, state: str) -> None:
    standing.cases[case] = standing.cases[case]._replace(state=state)


def _roles(told: Payload) -> tuple[str, ...] | None:
    found = told.get("reviewers")
    return None if found is None else tuple(found)


_STEPS: Final = {
    "case.submitted": _submitted,
    "case.decided": _decided,
    "case.answered": _answered,
    "review.given": _reviewed,
    "case.void": _ended,
    "case.withdrawn": _ended,
    "permit.issued": _permitted,
    "permit.revoked": _revoked,
    "rollout.started": _rolling,
    "rollout.step": _stepped,
    "rollout.paused": _stepped,
    "rollout.finished": _live,
    "rollout.aborted": _aborted,
    "rollback.started": _going_back,
    "rollback.finished": _went_back,
    "policy.activated": _activated,
    "policy.withdrawn": _withdrawn_policy,
}
