"""Results of providers, stored as JSON under the digest of everything they depend on.

A cached entry is read without importing anything that computes. An entry that is missing, broken
or of another form is recomputed; the cache is a shortcut and never a source of truth.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from guiderail import __version__
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, from_json, to_json

LIBRARIES = (
    *("duckdb", "Faker", "joblib", "lightgbm", "numpy", "onnxruntime", "pandas", "phonenumbers"),
    *("python-stdnum", "scikit-learn", "scipy", "skops", "xgboost", "xgboost-cpu"),
)


@dataclass(frozen=True, slots=True)
class FactCache:
    """A directory of results, or None for no cache at all (trusted runners use none)."""

    directory: Path | None

    def read(self, key: str) -> object | None:
        """The stored JSON value; None where there is none that can be trusted to be whole."""
        if self.directory is None:
            return None
        try:
            digest, _, text = (self.directory / f"{key}.json").read_text("utf-8").partition("\n")
            if hashlib.sha256(text.encode()).hexdigest() != digest:
                return None
            value: object = json.loads(text)
        except (OSError, ValueError, RecursionError):
            return None
        return value

    def write(self, key: str, value: object) -> None:
        """Store in one step. A cache that cannot be written (full disk, no right) is no failure."""
        if self.directory is None:
            return
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.directory, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(f"{digest}\n{text}")
            os.replace(name, self.directory / f"{key}.json")

    @property
    def scores(self) -> Path | None:
        """Where scores of models are kept."""
        return None if self.directory is None else self.directory / "scores"


def cache_key(name: str, version: int, parameters: Mapping[str, object]) -> str:
    """Digest over who computes, from what, with which libraries."""
    whole = {
        "name": name,
        "version": version,
        "parameters": parameters,
        "libraries": library_versions(),
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def library_versions() -> tuple[str, ...]:
    """Installed versions of what computes, read from metadata: nothing is imported."""
    found = [f"python {sys.version_info[0]}.{sys.version_info[1]}", f"guiderail {__version__}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return tuple(found)


def facts_to_json(facts: Sequence[Fact]) -> list[object]:
    return [
        {
            "name": fact.name,
            "value": to_json(fact.value),
            "source": fact.source,
            "known_by": fact.known_by.value,
            "detail": json.loads(json.dumps(dict(fact.detail), allow_nan=False, default=_plain)),
        }
        for fact in facts
    ]


def facts_from_json(data: object) -> tuple[Fact, ...]:
    """The inverse of `facts_to_json`. Raises ValueError for anything else."""
    if not isinstance(data, list):
        raise ValueError("not a list of facts")
    try:
        return tuple(
            Fact(
                name=str(item["name"]),
                value=from_json(item["value"]),
                source=str(item["source"]),
                known_by=KnownBy(item["known_by"]),
                detail=dict(item["detail"]),
            )
            for item in data
        )
    except (KeyError, TypeError) as problem:
        raise ValueError("not a stored fact") from problem


def _plain(value: object) -> object:
    """Tuples and sets are lists in JSON; everything else that is no JSON is a mistake of ours."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")
