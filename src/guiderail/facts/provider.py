"""What a fact provider is: a named, versioned function from a release to facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guiderail.core.scales import KnownBy
from guiderail.facts.cache import FactCache
from guiderail.facts.fact import Fact, FactSet, Unknown
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest

TRANSIENT = "may be known at the next try"
"""Key in the detail of an unknown fact that must not be cached."""


def failed(name: str, reason: str, source: str) -> Fact:
    """An unknown fact after a failure (a crash, a timeout) that another try may not repeat."""
    return Fact(name, Unknown(reason), source, KnownBy.DECLARED, {TRANSIENT: True})


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a provider may look at.

    now: the moment on which ages and validity are judged. facts: what earlier providers found;
    empty for the first ones. cache: results by content, see `FactCache`.
    """

    release: Release
    standing: Standing
    now: datetime
    cache: FactCache
    facts: FactSet = field(default_factory=dict)

    @property
    def model(self) -> ModelManifest:
        """The manifest of a model. Raises TypeError for another kind: a provider's `kinds` lies."""
        manifest = self.release.manifest
        if not isinstance(manifest, ModelManifest):
            raise TypeError(f"{manifest.kind} has no model manifest")
        return manifest


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    id: stable name, for example `model.file`. version: raise it when results would differ.
    kinds: workload kinds it works for. gives: names of the facts it gives, all of them, always.
    run: computes the facts; may raise GuiderailError, OSError, ValueError or ArithmeticError, and
        all its facts are unknown with that reason then.
    key: everything the result depends on, as JSON; None where the run is cheaper than the cache.
    """

    id: str
    version: int
    kinds: tuple[str, ...]
    gives: tuple[str, ...]
    run: Callable[[Inputs], Iterable[Fact]]
    key: Callable[[Inputs], Mapping[str, object]] | None = None
