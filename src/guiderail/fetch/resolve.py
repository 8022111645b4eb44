"""From a name of MLflow to a version that does not move, and the place of its files."""

from __future__ import annotations

from dataclasses import dataclass

from guiderail.core.errors import InputError
from guiderail.fetch.store import LoggedModel, Store, not_found, unusable
from guiderail.manifest.mlflow_uri import MlflowUri, parse_uri

_MODEL = "models:/"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where registered models are looked up, and where runs and logged models are.

    They are the same store unless a registry of its own is named.
    """

    registry: Store
    tracking: Store


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name stands for now.

    pinned: the name that does not move: a version, a logged model, or a run with its path.
    location: of a file or directory in `store`. record: the bytes themselves, where the name is the
    record of a run; there is nothing to download then.
    """

    pinned: str
    model: str | None
    run: str | None
    location: str
    store: Store
    record: bytes | None = None


def resolve(uri: MlflowUri, stores: Stores) -> Resolved:
    """Raises InputError where MLflow does not know the name or it is not ready."""
    match uri.kind:
        case "alias":
            version = stores.registry.alias(uri.name, uri.alias)
            return _version(uri.name, version, stores)
        case "version":
            return _version(uri.name, uri.version, stores)
        case "logged":
            return _of_logged(stores.tracking.logged(uri.model), stores.tracking)
        case "record":
            found = stores.tracking.run(uri.run)
            if found.record is None:
                raise unusable(
                    "A local database keeps no record of a run as a file.",
                    "Name the database itself under lineage, with the run beside it.",
                )
            if found.status != "FINISHED":
                said = found.status or "its status is unknown"
                raise unusable(
                    f"The run {uri.run} did not end well ({said}).",
                    "Name the finished run that trained this release.",
                )
            return Resolved(uri.text, None, uri.run, "", stores.tracking, found.record)
        case _:
            return _of_run(uri, stores.tracking)


def _version(name: str, version: str, stores: Stores) -> Resolved:
    found = stores.registry.version(name, version)
    pinned = f"{_MODEL}{name}/{found.version}"
    if not found.ready:
        raise _not_ready(pinned)
    if found.source.startswith(_MODEL):
        source = _logged_id(found.source, pinned)
        logged = _of_logged(stores.tracking.logged(source), stores.tracking)
        return Resolved(pinned, logged.model, found.run or logged.run, logged.location,
                        stores.tracking)  # fmt: skip
    return Resolved(pinned, None, found.run, found.location, stores.registry)


def _logged_id(source: str, pinned: str) -> str:
    """A version may be registered from a logged model, never from another version in turn."""
    try:
        uri = parse_uri(source)
    except ValueError:
        uri = None
    if uri is None or uri.kind != "logged":
        raise unusable(f"{pinned} was registered from {source}.", "Register it from its own files.")
    return uri.model


def _of_logged(found: LoggedModel, store: Store) -> Resolved:
    if not found.ready:
        raise _not_ready(f"{_MODEL}{found.id}")
    return Resolved(f"{_MODEL}{found.id}", found.id, found.run, found.location, store)


def _of_run(uri: MlflowUri, store: Store) -> Resolved:
    """A file or directory of the run, else the model that the run logged under this name.

    Since MLflow 3 models lie beside their run and not below it; `runs:/RUN/NAME` means them too.
    """
    run = store.run(uri.run)
    above, _, last = f"{run.location.rstrip('/')}/{uri.path}".rpartition("/")
    if any(entry.name == last for entry in store.entries(above)):
        return Resolved(uri.text, None, uri.run, f"{above}/{last}", store)
    named = [one for one in map(store.logged, run.models) if one.name == uri.path]
    if len(named) > 1:
        ids = ", ".join(f"{_MODEL}{one.id}" for one in named)
        raise unusable(
            f"The run {uri.run} logged several models as {uri.path}.", f"Name one: {ids}"
        )
    if not named:
        raise not_found(f"{uri.path} in the run {uri.run}", store.address)
    return _of_logged(named[0], store)


def _not_ready(pinned: str) -> InputError:
    return unusable(f"{pinned} is not ready.", "Wait until MLflow has all of its files.")
