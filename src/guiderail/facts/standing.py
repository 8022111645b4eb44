"""What the system of record says about a workload, handed in so that facts need no database.

The pre-flight check reads it from a snapshot file; a submission reads it from the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from guiderail.core.digest import Digest
from guiderail.facts.fact import FactSet
from guiderail.manifest.release import Release

if TYPE_CHECKING:
    from guiderail.measure.column_dictionary import ColumnDictionary


@dataclass(frozen=True, slots=True)
class Baseline:
    """A release that once was decided on, with the facts recorded then."""

    release: Release
    digest: Digest
    facts: FactSet


@dataclass(frozen=True, slots=True)
class DataApproval:
    """A data steward's decision on one data source for one purpose. `until` ends its validity."""

    source: str
    purpose: str
    granted: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class ApprovedFeature:
    """A row of the feature registry (`features.yaml`). `until` ends the approval."""

    name: str
    type: str
    approved_by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class ApprovedCeiling:
    """What a workload may cost in a month. `until` ends the approval."""

    per_month: float
    currency: str
    approved_by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything recorded that facts about the next release rest on.

    production: what runs now; None for a first release.
    reviewed: the last release that a person reviewed; full_review: the last fully reviewed one.
        Both fall back to the first release, and are None only when production is.
    confirmed_profiles: digests of use profiles that a risk officer has confirmed.
    last_rehearsal: when going back was last rehearsed or done.
    open_signals: deadline of each open monitor signal.
    ceiling: what the finance owner approved for this workload; None where nothing was.
    columns: what the organisation says about its column names; None where it says nothing.
    """

    production: Baseline | None = None
    reviewed: Baseline | None = None
    full_review: Baseline | None = None
    features: Mapping[str, ApprovedFeature] = field(default_factory=dict)
    confirmed_profiles: frozenset[Digest] = frozenset()
    data_approvals: tuple[DataApproval, ...] = ()
    last_rehearsal: datetime | None = None
    open_signals: tuple[datetime, ...] = ()
    ceiling: ApprovedCeiling | None = None
    columns: ColumnDictionary | None = None
