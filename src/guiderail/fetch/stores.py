"""Which MLflow is asked: what the manifest names, else what the environment says, as MLflow does.

Credentials come from the environment only, and go only to the servers that the environment names:
a manifest that somebody else wrote must not be able to have them sent elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from guiderail.core.errors import InputError
from guiderail.fetch.local_database import LocalDatabase
from guiderail.fetch.resolve import Stores
from guiderail.fetch.server import Credentials, Server, without_credentials
from guiderail.fetch.store import Store
from guiderail.manifest.schema import Mlflow

TRACKING, REGISTRY = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"


def open_stores(named: Mlflow | None, environment: Mapping[str, str]) -> Stores:
    """Raises InputError where no store is named or it is of a kind that is not read."""
    own = {key: environment.get(key, "") for key in (TRACKING, REGISTRY)}
    tracking = named.tracking if named is not None else own[TRACKING]
    registry = (named.registry if named is not None else own[REGISTRY]) or tracking
    if not tracking:
        raise InputError(
            "No MLflow store is named.",
            code="mlflow/no-store",
            advice=f"Set {TRACKING} to a server (https://...) or to sqlite:///mlflow.db, or "
            "write `mlflow: {tracking: https://...}` in guiderail.yaml.",
        )
    opened = _open(tracking, own, environment)
    return Stores(opened if registry == tracking else _open(registry, own, environment), opened)


def _open(address: str, own: Mapping[str, str], environment: Mapping[str, str]) -> Store:
    parts = _parts(address)
    if parts.scheme in ("http", "https") and parts.netloc:
        base = without_credentials(address)
        trusted = {_origin(known) for known in own.values() if known}
        credentials = _credentials(environment, own) if _origin(address) in trusted else None
        return Server(
            base, credentials, environment.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None
        )
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:]))
        if path.is_file():
            return LocalDatabase(path)
        raise _not_read(f"There is no database {path.name}", "Check the path after sqlite:///.")
    if parts.scheme in ("", "file"):
        raise _not_read(
            "MLflow's store of files is not read",
            "MLflow has retired it; `mlflow migrate-filestore` makes a database of it.",
        )
    raise _not_read(
        f"A store of the kind {parts.scheme} is not read",
        "Name an MLflow server (https://...) or its SQLite database (sqlite:///mlflow.db).",
    )


def _credentials(environment: Mapping[str, str], own: Mapping[str, str]) -> Credentials | None:
    """As MLflow takes them: user and password before a token, else those of the address."""
    user = environment.get("MLFLOW_TRACKING_USERNAME")
    password = environment.get("MLFLOW_TRACKING_PASSWORD")
    if user and password:
        return Credentials.basic(user, password)
    token = environment.get("MLFLOW_TRACKING_TOKEN")
    if token:
        return Credentials.bearer(token)
    for address in own.values():
        parts = urlsplit(address)
        if parts.username and parts.password:
            return Credentials.basic(unquote(parts.username), unquote(parts.password))
    return None


def _origin(address: str) -> tuple[str, str]:
    parts = _parts(address)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise _not_read("The address of MLflow is no address", "Check it.") from None


def _not_read(what: str, advice: str) -> InputError:
    return InputError(f"{what}.", code="mlflow/store", advice=advice)
