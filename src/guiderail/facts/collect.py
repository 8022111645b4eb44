"""Run providers over a release. A failing provider makes its facts unknown, with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from guiderail.core.errors import GuiderailError
from guiderail.facts.cache import FactCache, cache_key, facts_from_json, facts_to_json
from guiderail.facts.catalogue import CATALOGUE
from guiderail.facts.fact import Fact, FactSet, unknown
from guiderail.facts.provider import TRANSIENT, Inputs, Provider
from guiderail.facts.registry import PROVIDERS
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done so far, 0 to 1."""

NOT_MEASURED = "not measured yet"
"""Why a fact without a provider is unknown; the check says once what that means."""


def collect(
    release: Release,
    standing: Standing,
    now: datetime,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FactSet:
    """Facts about the release itself, without comparison to its baselines."""
    inputs = Inputs(release, standing, now, FactCache(cache))
    return run_providers(PROVIDERS, inputs, progress)


def run_providers(
    providers: Sequence[Provider], inputs: Inputs, progress: Progress | None = None
) -> FactSet:
    """Run every provider for the release's kind, in order; later ones see what earlier ones found.

    A provider that does not give what it promised gives unknown facts, with that as the reason.
    """
    kind = inputs.release.manifest.kind
    chosen = [provider for provider in providers if kind in provider.kinds]
    found: dict[str, Fact] = dict(inputs.facts)
    for place, provider in enumerate(chosen):
        if progress is not None:
            progress(provider.id, place / len(chosen))
        given = {fact.name: fact for fact in run_one(provider, replace(inputs, facts=found))}
        for name in provider.gives:
            found[name] = given.get(name) or unknown(
                name, f"the provider {provider.id} did not give it", provider.id
            )
    if progress is not None:
        progress("done", 1.0)
    return found


def run_one(provider: Provider, inputs: Inputs) -> tuple[Fact, ...]:
    """One provider, from the cache where that holds its result.

    What failed is not cached and tried again; what the data do not support is cached.
    """
    try:
        key = None
        if provider.key is not None:
            key = cache_key(provider.id, provider.version, provider.key(inputs))
            stored = _stored(inputs.cache, key)
            if stored is not None:
                return stored
        given = [fact for fact in provider.run(inputs) if fact.name in provider.gives]
        facts = facts_to_json(given)
    except GuiderailError as problem:
        return _all_unknown(provider, problem.what)
    except OSError as problem:
        reason = f"{problem.filename or 'a file'} cannot be read: {problem.strerror or problem}"
        return _all_unknown(provider, reason)
    except (ValueError, ArithmeticError) as problem:
        return _all_unknown(provider, f"{provider.id} could not be computed: {problem}")
    except Exception as problem:  # noqa: BLE001 - a provider must never take the check down
        reason = f"{provider.id} failed unexpectedly ({type(problem).__name__}: {problem})"
        return _all_unknown(provider, reason)
    result = facts_from_json(facts)
    if key is not None and not any(TRANSIENT in fact.detail for fact in result):
        inputs.cache.write(key, facts)
    return result


def fill_unknown(facts: FactSet, kind: str) -> FactSet:
    """The facts, with every other fact of the kind's catalogue unknown."""
    missing = {
        entry.name: unknown(entry.name, NOT_MEASURED, entry.source)
        for entry in CATALOGUE
        if kind in entry.kinds and entry.name not in facts
    }
    return {**facts, **missing}


def _stored(cache: FactCache, key: str) -> tuple[Fact, ...] | None:
    data = cache.read(key)
    if data is None:
        return None
    try:
        return facts_from_json(data)
    except ValueError:
        return None


def _all_unknown(provider: Provider, reason: str) -> tuple[Fact, ...]:
    return tuple(unknown(name, reason, provider.id) for name in provider.gives)
