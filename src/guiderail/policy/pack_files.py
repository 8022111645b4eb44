"""What may stand in the YAML files of a policy pack: one class per kind of file.

A pack is a directory with `pack.yaml` and the folders `tiers`, `tracks`, `gates`, `advice`,
`questions`, `controls` and `facts`, one file for each of them. Files hold data only.

`{limit.NAME}` in any text, and `limit.NAME` in an expression, stand for a number of `limits` in
`pack.yaml`, so that a limit is written once and an extending pack changes it in one line.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _in_calendar(day: str) -> str:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    return day


Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Role = Id
Prose = Annotated[str, Field(min_length=1, max_length=4000)]
Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    AfterValidator(_in_calendar),
]
"""`2026-11-23`. Compared as text, so digits of other scripts are refused."""
Formula = Annotated[str, Field(min_length=1, max_length=4000)]
Kind = Literal["app", "model", "pipeline"]
TierName = Literal["low", "medium", "high", "prohibited"]
TrackName = Literal["green", "yellow", "red"]
KnownByName = Literal["declared", "measured", "verified", "attested"]
VerdictName = Literal["pass", "fail", "insufficient", "not_applicable"]
ControlId = Annotated[str, Field(pattern=r"^[A-Z]{2,8}-[0-9]{1,3}$")]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)]
FactPrefix = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=80)]
PartId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]*$", max_length=80)]
"""The id of a part of any kind."""
Member = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 _./+-]*[A-Za-z0-9+])?$", max_length=60)
]
"""A value of an enum, as expressions write it."""
ManifestKey = Annotated[
    str, Field(pattern=r"^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*)?$", max_length=80)
]
"""A key of guiderail.yaml with dots, such as `evaluation.data`; empty points at the file."""
LimitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
LimitValue = (
    Annotated[int, Field(ge=-(10**15), le=10**15)] | Annotated[float, Field(ge=-1e15, le=1e15)]
)
Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
CanLighten = Literal["evidence", "design", "no"]


class Part(BaseModel):
    """Base of every section: unknown keys are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Reference(Part):
    """A clause for which a control gives evidence. Never a claim of compliance.

    status: `planned` until the clause applies, `ended` when it does not any more. verified: a
        person has read the source; verified_on says when.
    """

    clause: Prose
    about: Prose
    jurisdiction: Prose
    valid_from: Day
    valid_to: Day | None = None
    source: Prose
    status: Literal["in-force", "planned", "ended"] = "in-force"
    verified: bool
    verified_on: Day | None = None


class Case(Part):
    """One wording and the condition under which it is the right one."""

    when: Formula | None = None
    says: Prose


Wording = Prose | tuple[Case, ...]


class Page(Part):
    """What `guiderail explain` shows. `good` is what good enough looks like."""

    what: Prose
    why: Prose
    matters_to: Prose | None = None
    good: Prose
    fix: Prose
    tools: tuple[Prose, ...]
    evidence: Prose | None = None
    waiver: Prose | None = None
    controls: tuple[ControlId, ...] = ()
    refs: tuple[Reference, ...] = ()


class Level(Part):
    """One condition of a rule and what it raises the tier or track to."""

    raises_to: TierName | TrackName
    when: Formula
    sentence: Wording
    worst: Prose | None = None
    adds_reviewers: tuple[Role, ...] = ()


class RuleFile(Part):
    """A tier or track rule. One condition stands at the top; several stand under `levels`.

    counts: `either` lets an unknown count as true; `certain` and `unknown` are for pairs of rules
        that treat the two differently. blocks: nothing may start while the rule counts.
    adds_on: reviewers of a tier rule join when people review anyway, or on every track.
    because: the second half of "This release requires ... review because ...".
    by: what could stop the rule from counting. where: the manifest key to point at.
    overrides: the pack whose rule of this id it takes the place of.
    """

    id: Id
    title: Prose
    owner: Role
    since: Day
    until: Day | None = None
    overrides: Id | None = None
    kinds: tuple[Kind, ...] = ()
    raises_to: TierName | TrackName | None = None
    when: Formula | None = None
    sentence: Wording | None = None
    worst: Prose | None = None
    adds_reviewers: tuple[Role, ...] = ()
    levels: tuple[Level, ...] = ()
    counts: Literal["either", "certain", "unknown"] = "either"
    blocks: bool = False
    adds_on: Literal["reviewed-tracks", "every-track"] = "reviewed-tracks"
    because: Prose | None = None
    by: CanLighten
    to_lighten: Prose
    where: ManifestKey = ""
    page: Page


class GateSentences(Part):
    """What the gate says for each verdict."""

    passes: Wording = Field(alias="pass")
    fails: Wording | None = Field(None, alias="fail")
    insufficient: Wording
    not_applicable: Wording | None = None


class ToDo(Part):
    """The next step for the submitter, in the imperative."""

    fails: Wording | None = Field(None, alias="fail")
    insufficient: Wording


Scalar = bool | int | float | str


class Example(Part):
    """Facts and the verdict they must give. Every example runs as a test."""

    name: Prose
    verdict: VerdictName
    facts: dict[str, Scalar | tuple[str, ...] | dict[str, int | float]]


class GateFile(Part):
    """One gate. from_tier_for overrides from_tier for single kinds of workload.

    minimum_known_by: how the facts that the gate reads must at least be known for green to rest on
        them; it adds to what `pack.yaml` asks for by their names.
    """

    id: Id
    title: Prose
    owner: Role
    since: Day
    until: Day | None = None
    overrides: Id | None = None
    kinds: dict[Kind, Literal["enforced", "warns"]]
    from_tier: TierName
    from_tier_for: dict[Kind, TierName] = {}
    applies_when: Formula | None = None
    pass_when: Formula
    fail_when: Formula | None = None
    may_be_absent: tuple[FactName, ...] = ()
    minimum_known_by: KnownByName | None = None
    waivable_by: tuple[Role, ...] = ()
    where: ManifestKey = ""
    sentences: GateSentences
    do: ToDo
    page: Page
    examples: tuple[Example, ...]


class AdviceFile(Part):
    """Advice is shown when its condition is true. It never blocks and never asks for a person."""

    id: Id
    title: Prose
    owner: Role
    since: Day
    until: Day | None = None
    overrides: Id | None = None
    kinds: tuple[Kind, ...] = ()
    when: Formula
    sentence: Wording
    fix: Prose
    where: ManifestKey = ""
    page: Page


class Choice(Part):
    value: bool | str
    label: Prose


class QuestionFile(Part):
    """A question of the interview for one fact that no artefact tells.

    number: the place in the interview, 1 to 26; several facts may share it. fact: left out where
        the platform computes the answer and nobody is asked. shows: facts that are told with the
        question, a draft of the answer. ask: the role that can know where the owner does not.
    skip_when: the condition under which nobody is asked.
    Whether the answer decides, or only tells reviewers more, is computed from who reads the fact.
    """

    id: Id
    number: Annotated[int, Field(ge=1, le=26)]
    owner: Role
    since: Day
    until: Day | None = None
    overrides: Id | None = None
    kinds: tuple[Kind, ...] = ()
    fact: FactName | None = None
    shows: tuple[FactName, ...] = ()
    ask: Role | None = None
    question: Prose
    why: Prose
    good: Prose
    help: Prose | None = None
    choices: tuple[Choice, ...] = ()
    skip_when: Formula | None = None


class ControlFile(Part):
    """A control of the catalogue: what it asks, which evidence shows it, and where it comes from.

    kinds and from_tier say where it holds. Gates and rules name the controls that they are evidence
    for. recorded: what this version records as evidence beside gates and rules, and what it does
        not. note: what a reader must know about the mappings. mappings: none where no law asks.
    """

    id: ControlId
    title: Prose
    owner: Role
    since: Day
    until: Day | None = None
    overrides: Id | None = None
    kinds: tuple[Kind, ...]
    from_tier: TierName
    statement: Prose
    evidence: Prose
    recorded: Prose | None = None
    note: Prose | None = None
    mappings: tuple[Reference, ...] = ()


class FactFile(Part):
    """A fact of the organisation's own, beside the catalogue of `guiderail facts`.

    Its value is declared in guiderail.yaml under `facts` or answered by a question of the pack.
    values: members of an enum, the safest first where risk_direction is not `none`.
    """

    id: FactName
    type: Literal["bool", "integer", "number", "enum", "set", "text"]
    values: Annotated[tuple[Member, ...], Field(max_length=50)] = ()
    unit: Annotated[str, Field(max_length=20)] = ""
    says: Prose
    source: Prose
    how: Prose
    owner: Role
    risk_direction: Literal["up", "down", "none"]
    can_change: Literal["evidence", "design", "no"]
    kinds: tuple[Kind, ...]


class Invariant(Part):
    """What must hold whatever the rules become; `guiderail policy prove` tries to break it.

    never_lighter_than: the least track or tier where `when` holds or is unknown.
    """

    id: Id
    says: Prose
    when: Formula
    never_lighter_than: Literal["yellow", "red", "medium", "high"]
    kinds: tuple[Kind, ...] = ()


ExceptedProperty = Literal["monotone", "rules-decide", "no-shadow"]
"""Properties from which a pack may except a fact or rule, with a reason that is always shown."""


class PackFile(Part):
    """`pack.yaml`. What an extending pack leaves out it takes from the pack it extends.

    extends_digest: the digest of the extended pack, so that another version of it does not change
        this policy unseen. drops: id of a part of an extended pack -> why it does not hold here.
    limits: names for the numbers that rules compare with.
    invariants and proof_exceptions add to those of the extended pack and never replace them.

    minimum_known_by: prefix of a fact's name -> how it must at least be known for green to rest
        on it; the longest prefix decides. targets_hours: working hours until a decision.
    review_hours: hours of work that one reviewer spends on a release of the track. It decides
        nothing; replays count with it.
    """

    id: Id
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_-]*$", max_length=40)]
    title: Prose
    effective_from: Day
    owner: Role
    extends: Id | None = None
    extends_digest: Sha256 | None = None
    drops: dict[PartId, Prose] = {}
    limits: dict[LimitName, LimitValue] = {}
    invariants: tuple[Invariant, ...] = ()
    proof_exceptions: dict[ExceptedProperty, dict[str, Prose]] = {}
    kinds: tuple[Kind, ...]
    reverify_after_days: Annotated[int, Field(gt=0)] = 180
    minimum_known_by: dict[FactPrefix, KnownByName] = {}
    reviewers: dict[TrackName, tuple[Role, ...]] = {}
    targets_hours: dict[TrackName, Annotated[int, Field(ge=0)]] = {}
    review_hours: dict[TrackName, Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0)]] = {}
    expected_wait: dict[TrackName, Prose] = {}
    roles: dict[Role, Prose] = {}
