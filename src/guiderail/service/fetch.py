"""Fetch what a manifest, or a command, names of MLflow: pinned, copied, digested, never loaded."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiderail.core.digest import Digest, path_digest
from guiderail.core.errors import InputError
from guiderail.fetch.keep import keep
from guiderail.fetch.resolve import Stores
from guiderail.fetch.server import Server
from guiderail.fetch.stores import open_stores
from guiderail.manifest.load import load_manifest
from guiderail.manifest.mlflow_uri import FETCHED, is_uri, parse_uri, place_of
from guiderail.manifest.named_paths import named_paths
from guiderail.manifest.pins import Pin, read_pins, write_pins

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A copy of what MLflow names. digest: of the copy."""

    name: str
    pinned: str
    path: Path
    digest: Digest


def fetch(directory: Path, *, update: bool = False) -> Document:
    """Fetch everything that a manifest names of MLflow, as its lock pins it.

    update: ask again what each name stands for now, and pin that. Without it only names that have
    no pin yet are asked about, so that an alias that moved changes nothing. Raises InputError
    where MLflow cannot be asked or does not know a name, IntegrityError where what was pinned has
    other bytes now.
    """
    loaded = load_manifest(directory)
    root = (directory if directory.is_dir() else directory.parent).resolve()
    names = tuple(dict.fromkeys(
        path.name for path in named_paths(loaded.manifest) if is_uri(path.name)
    ))  # fmt: skip
    before = read_pins(root) if names else {}
    pins: dict[str, Pin] = {}
    rows: list[Document] = []
    stores: Stores | None = None
    for name in names:
        target = root / place_of(name)
        known = None if update else before.get(name)
        if known is not None and _holds(target, known):
            pins[name] = known
            rows.append(_row(name, known, "kept"))
            continue
        stores = stores or open_stores(loaded.manifest.mlflow, os.environ)
        _prepare(root)
        pins[name] = keep(name, target, stores, known)
        rows.append(_row(name, pins[name], "fetched"))
    if names and pins != before:
        write_pins(root, pins)
    return {"fetched": rows, "moved": _moved(before, pins)}


def fetched(name: str, cache: Path | None) -> Fetched:
    """A copy for one command, from where the environment says. Raises InputError.

    cache: where copies from a server of what does not move (versions and logged models) are kept;
    None keeps none, and the copy is gone when the process ends.
    """
    try:
        uri = parse_uri(name)
    except ValueError as error:
        raise InputError(
            f"{name} {error}.", code="mlflow/name", advice="Name a file, or a model as MLflow does."
        ) from None
    stores = open_stores(None, os.environ)
    still = uri.kind in ("version", "logged") and isinstance(stores.tracking, Server)
    kept = cache / "mlflow" if cache is not None and still else None
    if kept is not None and (pin := read_pins(kept).get(name) if kept.is_dir() else None):
        path = kept / place_of(name)
        if pin.source == stores.tracking.address and _holds(path, pin):
            return Fetched(name, pin.pinned, path, pin.digest)
    folder = kept or Path(tempfile.mkdtemp(prefix="guiderail-mlflow-"))
    if kept is None:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / place_of(name)
    pin = keep(name, path, stores)
    if kept is not None:
        write_pins(kept, {**read_pins(kept), name: pin})
    return Fetched(name, pin.pinned, path, pin.digest)


def _holds(path: Path, pin: Pin) -> bool:
    """Whether the copy that is pinned lies there."""
    try:
        return path.exists() and path_digest(path) == pin.digest
    except (OSError, ValueError):
        return False


def _prepare(root: Path) -> None:
    """The folder of copies, which version control leaves alone: the lock says what was in it."""
    folder = root / FETCHED
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _moved(before: dict[str, Pin], now: dict[str, Pin]) -> list[Document]:
    """Names that stand for something else than before."""
    return [
        {"name": name, "from": before[name].pinned, "to": pin.pinned}
        for name, pin in now.items()
        if name in before and before[name].digest != pin.digest
    ]


def _row(name: str, pin: Pin, how: str) -> Document:
    return {
        "name": name,
        "pinned": pin.pinned,
        "model": pin.model,
        "run": pin.run,
        "from": pin.source,
        "digest": pin.digest,
        "how": how,
    }
