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
    "key.rotated",
    "key.retired",
    "key.compromised",
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
    "erasure.requested",
    "person.erased",
    "records.pruned",
    "hold.placed",
    "hold.released",
    "vault.rekeyed",
    "witness.added",
    "witness.removed",
    "witness.required",
    "signer.added",
    "signer.removed",
    "evidence.added",
]

IMPERSONATED_BY = "impersonated_by"
"""Payload field that `append` adds where a demo workspace lets one person act as another."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event.

    sentence: a format string over `actor`, `subject` and the required fields of the payload.
    personal: fields that hold what somebody wrote or who somebody is. They are encrypted under the
    key of the actor and have a commitment of their own, so that they can be erased and the rest
    stays readable and proven. Everything else must hold nothing personal.
    """

    name: EventName
    sentence: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document kept in the blob store, named by the digest of its bytes.

    known_by, signer and about are for finding it again and no part of the entry. known_by: how
    well what it says is known; the platform's own statements are attested. signer: the registered
    name of whoever signed it. about: digests that it is about, where not the event's subject.
    """

    name: str
    predicate_type: str
    digest: Digest
    known_by: str = "attested"
    signer: str | None = None
    about: tuple[str, ...] = ()


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
        "key.rotated",
        "{actor} added new keys ({roles}) to the log {subject}: version {version} of its keys.",
        ("version", "roles", "new"),
    ),
    EventType(
        "key.retired",
        "{actor} retired the old keys ({roles}) of the log {subject}: version {version} of its "
        "keys. They count for the first {until} entries.",
        ("version", "roles", "old", "until"),
    ),
    EventType(
        "key.compromised",
        "{actor} declared keys ({roles}) of the log {subject} compromised since {since}: {reason}",
        ("version", "roles", "old", "new", "since", "reason", "until"),
        personal=("reason",),
    ),
    EventType(
        "policy.proposed",
        "{actor} proposed the policy {pack} {version} as {change}.",
        ("change", "pack", "version", "digest", "replaces", "effective_on"),
        ("texts_digest", "kinds", "reason", "needs"),
        personal=("reason",),
    ),
    EventType(
        "policy.reviewed",
        "{actor} decided about {change} as {role}: {verdict}.",
        ("change", "role", "verdict"),
        ("reason", "digest"),
        personal=("reason",),
    ),
    EventType(
        "policy.withdrawn",
        "{actor} withdrew the policy change {change}.",
        ("change",),
        ("reason", "digest"),
        personal=("reason",),
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
        personal=("owner",),
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
        personal=("reason", "conditions"),
    ),
    EventType(
        "case.void",
        "Case {case} is void: {reason}",
        ("case", "reason"),
        ("dossier", "old_digest", "new_digest"),
        personal=("reason",),
    ),
    EventType(
        "case.withdrawn",
        "{actor} withdrew case {case}.",
        ("case",),
        ("reason", "dossier"),
        personal=("reason",),
    ),
    EventType(
        "permit.issued",
        "Permit {permit} lets {subject} start in {environment} until {start_until}.",
        ("case", "permit", "environment", "dossier", "start_until"),
        ("highest_share", "conditions", "replaces"),
    ),
    EventType(
        "permit.revoked",
        "{actor} took permit {permit} back: {reason}",
        ("permit", "reason"),
        ("case", "environment"),
        personal=("reason",),
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
        personal=("reason",),
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
        personal=("reason",),
    ),
    EventType(
        "rollback.started",
        "{actor} started going back with {subject} ({rollout}).",
        ("rollout", *_RELEASES),
        ("case", "permit", "environment", "reason", "contract", "flips", "teams"),
        personal=("reason",),
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
        personal=("reason",),
    ),
    EventType(
        "profile.confirmed",
        "{actor} confirmed what {subject} is used for.",
        ("profile",),
        ("case", "note"),
        personal=("note",),
    ),
    EventType(
        "data.approved",
        "{actor} approved {source} for {purpose}.",
        ("source", "purpose"),
        ("until", "reason", "case"),
        personal=("reason",),
    ),
    EventType(
        "data.refused",
        "{actor} refused {source} for {purpose}.",
        ("source", "purpose"),
        ("reason", "case"),
        personal=("reason",),
    ),
    EventType(
        "team.acknowledged",
        "{actor} acknowledged the change of {subject} for the team {team}.",
        ("team",),
        ("rollout", "case", "note"),
        personal=("note",),
    ),
    EventType(
        "erasure.requested",
        "{actor} asked to erase {subject}: {reason}",
        ("reason",),
        (),
        personal=("reason",),
    ),
    EventType(
        "person.erased",
        "{actor} erased {subject}: the words in {entries} entries, and the name in {rows} rows.",
        ("entries", "rows", "restated", "dossiers"),
        ("replayed",),
    ),
    EventType(
        "records.pruned",
        "{actor} removed {entries} entries whose time was over.",
        ("entries", "runs", "classes"),
        ("cases",),
    ),
    EventType(
        "hold.placed",
        "{actor} placed the legal hold {hold} on {covers}: {reason}",
        ("hold", "covers", "reason"),
        (),
        personal=("reason",),
    ),
    EventType(
        "hold.released",
        "{actor} released the legal hold {hold}: {reason}",
        ("hold", "reason"),
        (),
        personal=("reason",),
    ),
    EventType(
        "vault.rekeyed",
        "{actor} began a new master key of the vault; what was written in {entries} entries under "
        "the lost one is lost.",
        ("entries",),
    ),
    EventType(
        "witness.added",
        "{actor} lets the witness {subject} at {url} cosign checkpoints.",
        ("url", "verifier_key"),
    ),
    EventType(
        "witness.removed",
        "{actor} no longer asks the witness {subject}.",
        ("url", "verifier_key"),
    ),
    EventType(
        "witness.required",
        "{actor} requires cosignatures of {quorum} witnesses within {within_hours} hours.",
        ("quorum", "within_hours"),
    ),
    EventType(
        "signer.added",
        "{actor} registered {name}: what it signs counts as {known_by}.",
        ("name", "trust", "known_by", "method", "material"),
        ("until",),
    ),
    EventType(
        "signer.removed",
        "{actor} removed {name}: what it signs from now on counts as signed by nobody known.",
        ("name",),
        ("reason",),
        personal=("reason",),
    ),
    EventType(
        "evidence.added",
        "{actor} added {kind} {file} to case {case}; it is {known_by}.",
        ("case", "kind", "file", "digest", "known_by"),
        ("signer", "subjects", "predicate_type", "facts"),
        personal=("file",),
    ),
)

ERASED_WORDS = "(erased)"
"""What people read where somebody wrote something that is gone."""

ALWAYS_PERSONAL = (IMPERSONATED_BY,)
"""Fields that are personal in every event."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_BY_NAME = {kind.name: kind for kind in EVENT_TYPES}
_PERSONAL: Mapping[str, frozenset[str]] = {
    kind.name: frozenset((*kind.personal, *ALWAYS_PERSONAL)) for kind in EVENT_TYPES
}


def event_type(name: str) -> EventType:
    """Raises ValueError for a name that is not in the list."""
    for kind in get_args(EventName):
        if kind == name:
            return _BY_NAME[kind]
    raise ValueError(f"there is no event {name!r}")


def personal_fields(name: str) -> frozenset[str]:
    """The personal fields in the payload of an event. Raises KeyError where there is none."""
    return _PERSONAL[name]


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
    values = dict.fromkeys(kind.required, ERASED_WORDS)
    values |= {field_: _in_words(value) for field_, value in payload.items()}
    return kind.sentence.format_map({**values, "actor": actor, "subject": subject})


def _in_words(value: object) -> str:
    """A payload value for people; a time is cut to the minute."""
    text = str(value)
    return f"{text[:10]} {text[11:16]} UTC" if _TIME.fullmatch(text) else text
