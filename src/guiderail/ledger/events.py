"""The closed list of events, with the fields of their payload and the sentence for people.

Every state change appends one of these. The payload stays beside the ledger, in the vault; the
ledger's own bytes hold only a commitment to it, so nothing personal and no free text is in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from guiderail.core.digest import Digest
from guiderail.core.subject import Actor, Subject

EventName = Literal[
    "workspace.created",
    "key.created",
    "register.changed",
    "policy.proposed",
    "policy.reviewed",
    "policy.withdrawn",
    "policy.activated",
    "case.submitted",
    "case.answered",
    "case.decided",
    "review.given",
    "case.void",
    "case.withdrawn",
    "permit.issued",
    "permit.revoked",
    "rollout.started",
    "rollout.step",
    "rollout.paused",
    "rollout.finished",
    "rollout.aborted",
    "rollback.started",
    "rollback.finished",
    "rollback.rehearsed",
    "profile.confirmed",
    "data.approved",
    "data.refused",
    "team.acknowledged",
]

IMPERSONATED_BY = "impersonated_by"
"""Payload field that `append` adds where a demo workspace lets one person act as another."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event.

    sentence: a format string over `actor`, `subject` and the required fields of the payload.
    """

    name: EventName
    sentence: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A signed statement kept in the blob store, named by the digest of its bytes."""

    name: str
    predicate_type: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Event:
    """One state change, as the caller knows it.

    at: the caller's clock. It is recorded, never used for order: a clock may go backwards.
    outcome: what came of it in a word, for example `done`, `refused` or the decision's outcome.
    payload: JSON values without floats; its fields are those of the event type.
    policy: digest of the pack that was in force, where one decided.
    """

    type: EventName
    subject: Subject
    actor: Actor
    at: datetime
    payload: Mapping[str, object] = field(default_factory=dict)
    outcome: str = "done"
    policy: Digest | None = None
    evidence: tuple[Evidence, ...] = ()


_RELEASES = ("from_digest", "to_digest")

EVENT_TYPES: tuple[EventType, ...] = (
    EventType("workspace.created", "{actor} created the workspace {subject}.", (), ("demo",)),
    EventType(
        "key.created",
        "{actor} created the keys of the log {origin}.",
        ("origin", "checkpoint_key", "permit_key"),
    ),
    EventType(
        "register.changed",
        "The register {register} was recorded as {actor} found it.",
        ("register", "digest"),
        ("before",),
    ),
    EventType(
        "policy.proposed",
        "{actor} proposed the policy {pack} {version} as {change}.",
        ("change", "pack", "version", "digest", "replaces", "effective_on"),
        ("texts_digest", "kinds", "reason", "needs"),
    ),
    EventType(
        "policy.reviewed",
        "{actor} decided about {change} as {role}: {verdict}.",
        ("change", "role", "verdict"),
        ("reason", "digest"),
    ),
    EventType(
        "policy.withdrawn",
        "{actor} withdrew the policy change {change}.",
        ("change",),
        ("reason", "digest"),
    ),
    EventType(
        "policy.activated",
        "{actor} put the policy {pack} {version} into force.",
        ("pack", "version", "digest"),
        ("texts_digest", "kinds", "replaces", "effective_at", "change"),
    ),
    EventType(
        "case.submitted",
        "{actor} submitted {subject} as case {case}.",
        ("case",),
        ("dossier", "version", "track", "tier", "outcome", "owner", "reviewers"),
    ),
    EventType(
        "case.answered",
        "{actor} answered questions of case {case}.",
        ("case", "answers"),
        ("dossier",),
    ),
    EventType(
        "case.decided",
        "The policy puts case {case} on the track {track} (tier {tier}).",
        ("case", "dossier", "track", "tier", "outcome"),
        ("reviewers", "expected_wait", "gates"),
    ),
    EventType(
        "review.given",
        "{actor} reviewed case {case} as {role}: {verdict}.",
        ("case", "dossier", "role", "verdict"),
        ("reason", "conditions", "accepted_gates", "findings"),
    ),
    EventType(
        "case.void",
        "Case {case} is void: {reason}",
        ("case", "reason"),
        ("dossier", "old_digest", "new_digest"),
    ),
    EventType("case.withdrawn", "{actor} withdrew case {case}.", ("case",), ("reason", "dossier")),
    EventType(
        "permit.issued",
        "Permit {permit} lets {subject} start in {environment} until {start_until}.",
        ("case", "permit", "environment", "dossier", "start_until"),
        ("highest_share", "conditions"),
    ),
    EventType(
        "permit.revoked",
        "{actor} took permit {permit} back: {reason}",
        ("permit", "reason"),
        ("case", "environment"),
    ),
    EventType(
        "rollout.started",
        "{actor} started the rollout {rollout} of {subject}.",
        ("rollout", "to_digest"),
        ("case", "permit", "environment", "from_digest", "steps"),
    ),
    EventType(
        "rollout.step",
        "Rollout {rollout} of {subject} moved to step {step}.",
        ("rollout", "step"),
        ("case", "share", "weights", "isolation", *_RELEASES),
    ),
    EventType(
        "rollout.paused",
        "Rollout {rollout} of {subject} is paused: {reason}",
        ("rollout", "reason"),
        ("case", "step", "share", "isolation", *_RELEASES),
    ),
    EventType(
        "rollout.finished",
        "Rollout {rollout} of {subject} is complete.",
        ("rollout",),
        ("case", "seconds", "isolation", *_RELEASES),
    ),
    EventType(
        "rollout.aborted",
        "Rollout {rollout} of {subject} is aborted: {reason}",
        ("rollout", "reason"),
        ("case", "step", *_RELEASES),
    ),
    EventType(
        "rollback.started",
        "{actor} started going back with {subject} ({rollout}).",
        ("rollout", *_RELEASES),
        ("case", "permit", "environment", "reason", "contract", "flips", "teams"),
    ),
    EventType(
        "rollback.finished",
        "{subject} is back on the earlier release ({rollout}).",
        ("rollout", "to_digest"),
        ("case", "seconds", "isolation", "from_digest"),
    ),
    EventType(
        "rollback.rehearsed",
        "{actor} rehearsed going back with {subject}: {outcome}.",
        ("outcome", *_RELEASES),
        ("case", "seconds", "reason"),
    ),
    EventType(
        "profile.confirmed",
        "{actor} confirmed what {subject} is used for.",
        ("profile",),
        ("case", "note"),
    ),
    EventType(
        "data.approved",
        "{actor} approved {source} for {purpose}.",
        ("source", "purpose"),
        ("until", "reason", "case"),
    ),
    EventType(
        "data.refused",
        "{actor} refused {source} for {purpose}.",
        ("source", "purpose"),
        ("reason", "case"),
    ),
    EventType(
        "team.acknowledged",
        "{actor} acknowledged the change of {subject} for the team {team}.",
        ("team",),
        ("rollout", "case", "note"),
    ),
)

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_BY_NAME = {kind.name: kind for kind in EVENT_TYPES}


def event_type(name: str) -> EventType:
    """Raises ValueError for a name that is not in the list."""
    for kind in get_args(EventName):
        if kind == name:
            return _BY_NAME[kind]
    raise ValueError(f"there is no event {name!r}")


def check_event(event: Event) -> None:
    """Raises ValueError where the payload is not the one of the event's type."""
    kind = event_type(event.type)
    given = set(event.payload)
    missing = set(kind.required) - given
    unknown = given - set(kind.required) - set(kind.optional)
    if missing or unknown:
        raise ValueError(
            f"the payload of {event.type} lacks {sorted(missing)} "
            f"and has the unknown fields {sorted(unknown)}"
        )
    if not event.subject.kind or not event.subject.name or not event.actor.person:
        raise ValueError("an event needs a subject and an actor")


def sentence(name: str, actor: str, subject: str, payload: Mapping[str, object]) -> str:
    """The event in words, for `ledger log`. A field that is gone is shown as such."""
    kind = event_type(name)
    values = dict.fromkeys(kind.required, "(erased)")
    values |= {field_: _in_words(value) for field_, value in payload.items()}
    return kind.sentence.format_map({**values, "actor": actor, "subject": subject})


def _in_words(value: object) -> str:
    """A payload value for people; a time is cut to the minute."""
    text = str(value)
    return f"{text[:10]} {text[11:16]} UTC" if _TIME.fullmatch(text) else text
