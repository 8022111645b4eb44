"""Copy a file or directory of artefacts, never past its limits and never outside of its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.fetch.store import Entry, Store, unusable
from guiderail.manifest.mlflow_uri import is_plain


@dataclass(frozen=True, slots=True)
class Budget:
    """Most bytes and files of one copy, and how deep directories may lie in one another."""

    bytes: int = 4 * 1024**3
    files: int = 1_000
    depth: int = 20


def download(store: Store, location: str, target: Path, budget: Budget | None = None) -> None:
    """Copy what lies at a location of the store to `target`, which must not be there yet.

    Raises InputError for a name that leads elsewhere, for more than the budget, and as the store
    does. What was copied until then is left to the caller, who removes it.
    """
    left = _Left(budget or Budget())
    entries = store.entries(location)
    if entries:
        target.mkdir(parents=True)
        _directory(store, location, target, entries, left, depth=1)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        _file(store, location, target, None, left)


class _Left:
    """What of the budget is left. Raises InputError when it is used up."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.bytes = budget.bytes
        self.files = budget.files

    def take_file(self, size: int | None) -> None:
        self.files -= 1
        if self.files < 0:
            raise _too_much(f"more than {self.budget.files} files")
        if size is not None and size > self.bytes:
            raise self.too_large()

    def take_bytes(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise self.too_large()

    def too_large(self) -> InputError:
        return _too_much(f"more than {self.budget.bytes / 1e9:.3g} GB")


def _directory(
    store: Store, location: str, target: Path, entries: Sequence[Entry], left: _Left, depth: int
) -> None:
    if depth > left.budget.depth:
        raise _too_much(f"directories more than {left.budget.depth} deep")
    for entry in _plain(entries):
        inside = f"{location.rstrip('/')}/{entry.name}"
        if entry.is_directory:
            (target / entry.name).mkdir()
            below = store.entries(inside)
            _directory(store, inside, target / entry.name, below, left, depth + 1)
        else:
            _file(store, inside, target / entry.name, entry.size, left)


def _plain(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Entries whose names are single, plain and told once."""
    seen: set[str] = set()
    for entry in entries:
        if "/" in entry.name or not is_plain(entry.name) or entry.name in seen:
            raise unusable(
                f"MLflow names {entry.name[:100]!r} as a file of the model.",
                "A file of a model has a plain name of its own; look at how it was logged.",
            )
        seen.add(entry.name)
        yield entry


def _file(store: Store, location: str, target: Path, size: int | None, left: _Left) -> None:
    left.take_file(size)
    with target.open("xb") as stream:
        for piece in store.content(location):
            left.take_bytes(len(piece))
            stream.write(piece)


def _too_much(what: str) -> InputError:
    return InputError(
        f"MLflow would send {what}.",
        code="mlflow/too-large",
        advice="Log the model alone, without training data and caches.",
    )
