"""What fetching asks of an MLflow store: a server over HTTP, or a local database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from guiderail.core.errors import InputError


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """source: the logged model (`models:/m-...`) or the location that was registered.

    location: where its files lie. run: the run it came from; None where none is recorded.
    """

    version: str
    source: str
    location: str
    run: str | None
    ready: bool


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model that a run logged."""

    id: str
    name: str
    location: str
    run: str | None
    ready: bool


@dataclass(frozen=True, slots=True)
class Run:
    """location: where its files lie. models: ids of the models that it logged.

    status: as MLflow says it, `FINISHED` where it ended well. record: what it read, in the form of
    the REST interface; None where the store cannot give that form.
    """

    id: str
    location: str
    models: tuple[str, ...]
    status: str
    record: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory of artefacts. size: in bytes; None where the store does not say."""

    name: str
    is_directory: bool
    size: int | None


class Store(Protocol):
    """Every method raises InputError where the store does not have, show or answer it.

    address: where it is, without user, password and query: fit to be shown and recorded.
    """

    @property
    def address(self) -> str: ...

    def alias(self, name: str, alias: str) -> str:
        """The version that an alias points to."""

    def version(self, name: str, version: str) -> RegisteredVersion: ...

    def logged(self, model: str) -> LoggedModel: ...

    def run(self, run: str) -> Run: ...

    def entries(self, location: str) -> Sequence[Entry]:
        """What lies in a directory; empty where there is none, or where a file lies there."""

    def content(self, location: str) -> Iterator[bytes]:
        """The bytes of one file, in pieces."""


def not_found(what: str, address: str) -> InputError:
    return InputError(
        f"{what} is not known to MLflow at {address}.",
        code="mlflow/not-found",
        advice="Check the name, and that MLFLOW_TRACKING_URI and MLFLOW_REGISTRY_URI (or mlflow in "
        "guiderail.yaml) name the right store.",
    )


def unusable(what: str, advice: str) -> InputError:
    """The store answered with something that must not or cannot be used."""
    return InputError(what, code="mlflow/unusable", advice=advice)
