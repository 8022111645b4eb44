"""A local MLflow store: its SQLite database read as it is, and files below the paths it names.

Nothing is written or locked. Only plain files and directories are read: a link could lead anywhere.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from guiderail.core.errors import InputError
from guiderail.fetch.store import Entry, LoggedModel, RegisteredVersion, Run, not_found, unusable

PIECE = 1 << 20
_READY = 2  # LoggedModelStatus.READY of mlflow.entities


@dataclass(frozen=True, slots=True)
class LocalDatabase:
    """path: of the SQLite file."""

    path: Path

    @property
    def address(self) -> str:
        return f"sqlite:{self.path.name}"

    def alias(self, name: str, alias: str) -> str:
        rows = self._ask(
            "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?",
            (name, alias),
        )
        return str(self._one(rows, f"The alias {alias} of the model {name}")[0])

    def version(self, name: str, version: str) -> RegisteredVersion:
        rows = self._ask(
            "SELECT source, storage_location, run_id, status FROM model_versions "
            "WHERE name = ? AND version = ?",
            (name, int(version)),
        )
        source, location, run, status = self._one(rows, f"Version {version} of the model {name}")
        return RegisteredVersion(version, source, location or source, run, status == "READY")

    def logged(self, model: str) -> LoggedModel:
        rows = self._ask(
            "SELECT model_id, name, artifact_location, source_run_id, status FROM logged_models "
            "WHERE model_id = ? AND lifecycle_stage = 'active'",
            (model,),
        )
        found, name, location, run, status = self._one(rows, f"The logged model {model}")
        return LoggedModel(found, name, location, run, status == _READY)

    def run(self, run: str) -> Run:
        rows = self._ask(
            "SELECT artifact_uri, status FROM runs WHERE run_uuid = ? "
            "AND lifecycle_stage = 'active'",
            (run,),
        )
        location, status = self._one(rows, f"The run {run}")
        models = self._ask(
            "SELECT model_id FROM logged_models WHERE source_run_id = ? "
            "AND lifecycle_stage = 'active' ORDER BY creation_timestamp_ms, model_id",
            (run,),
        )
        return Run(run, location, tuple(str(row[0]) for row in models), str(status), None)

    def entries(self, location: str) -> Sequence[Entry]:
        found = []
        try:
            with os.scandir(_local(location)) as listed:
                for entry in listed:
                    if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
                        raise unusable(
                            f"{entry.name} in the model's directory is neither file nor directory.",
                            "Replace it with a copy of what it stands for.",
                        )
                    size = None if entry.is_dir() else entry.stat().st_size
                    found.append(Entry(entry.name, entry.is_dir(), size))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _unreadable(location, error) from None
        return found

    def content(self, location: str) -> Iterator[bytes]:
        try:
            handle = os.open(_local(location), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    raise unusable(
                        f"{Path(location).name} is no file.", "Name a file or a directory."
                    )
                while piece := stream.read(PIECE):
                    yield piece
        except OSError as error:
            raise _unreadable(location, error) from None

    def _ask(self, question: str, values: tuple[object, ...]) -> list[Any]:
        try:
            with closing(
                sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True)
            ) as database:
                return database.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise InputError(
                f"{self.path} cannot be read as a database of MLflow: {error}.",
                code="mlflow/unreachable",
                advice="Name the SQLite file of MLflow 3, as in sqlite:///mlflow.db.",
            ) from None

    def _one(self, rows: list[Any], what: str) -> Any:
        if len(rows) > 1:
            raise unusable(
                f"{what} is there {len(rows)} times, in several workspaces of MLflow.",
                "Ask the server of the workspace that is meant.",
            )
        if not rows:
            raise not_found(what, self.address)
        return rows[0]


def _local(location: str) -> Path:
    parts = urlsplit(location)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if parts.scheme == "":
        return Path(location)
    raise unusable(
        f"The files lie in {parts.scheme}, which a local database does not hand out.",
        "Set MLFLOW_TRACKING_URI to the server that serves them, or download the directory and "
        "name it in guiderail.yaml.",
    )


def _unreadable(location: str, error: OSError) -> InputError:
    return unusable(
        f"{Path(location).name} cannot be read: {error.strerror or error}.",
        "Check that the files of the MLflow store are there and yours to read.",
    )
