"""An MLflow server, asked over its REST interface with the standard library.

Redirects are refused: they would carry credentials to whomever they point. No message repeats an
address with credentials in it, or a header.
"""

from __future__ import annotations

import base64
import http.client
import json
import posixpath
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from guiderail.core.errors import InputError
from guiderail.fetch.store import Entry, LoggedModel, RegisteredVersion, Run, not_found, unusable

SECONDS = 60.0
LARGEST_ANSWER = 16 * 1024 * 1024
PIECE = 1 << 20
_API = "/api/2.0/mlflow"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
_UNKNOWN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows. Never printed: the representation holds neither part."""

    header: str = field(repr=False)

    @classmethod
    def bearer(cls, token: str) -> Credentials:
        return cls(f"Bearer {token}")

    @classmethod
    def basic(cls, user: str, password: str) -> Credentials:
        return cls("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Server:
    """base: scheme, host and path of the server, without anything else."""

    base: str
    credentials: Credentials | None = None
    certificates: str | None = None

    @property
    def address(self) -> str:
        return self.base

    def alias(self, name: str, alias: str) -> str:
        what = f"The alias {alias} of the model {name}"
        found = self._get("/registered-models/alias", {"name": name, "alias": alias}, what)
        return _text(_part(found, "model_version", what), "version", what)

    def version(self, name: str, version: str) -> RegisteredVersion:
        what = f"Version {version} of the model {name}"
        query = {"name": name, "version": version}
        row = _part(self._get("/model-versions/get", query, what), "model_version", what)
        place = self._get("/model-versions/get-download-uri", query, what)
        return RegisteredVersion(
            version=_text(row, "version", what),
            source=_text(row, "source", what),
            location=_text(place, "artifact_uri", what),
            run=row.get("run_id") or None,
            ready=row.get("status") == "READY",
        )

    def logged(self, model: str) -> LoggedModel:
        what = f"The logged model {model}"
        found = self._get(f"/logged-models/{quote(model, safe='')}", {}, what)
        row = _part(_part(found, "model", what), "info", what)
        return LoggedModel(
            id=_text(row, "model_id", what),
            name=_text(row, "name", what),
            location=_text(row, "artifact_uri", what),
            run=row.get("source_run_id") or None,
            ready=row.get("status") == "LOGGED_MODEL_READY",
        )

    def run(self, run: str) -> Run:
        what = f"The run {run}"
        found = self._get("/runs/get", {"run_id": run}, what)
        row = _part(found, "run", what)
        outputs = row.get("outputs")
        listed = outputs.get("model_outputs") if isinstance(outputs, dict) else []
        return Run(
            id=run,
            location=_text(_part(row, "info", what), "artifact_uri", what),
            models=tuple(_text(one, "model_id", what) for one in listed or ()),
            status=str(_part(row, "info", what).get("status", "")),
            record=_record(row),
        )

    def entries(self, location: str) -> Sequence[Entry]:
        what = "A directory of artefacts"
        path = self._path(location)
        url = f"{self.base}{_ARTIFACTS}?{urlencode({'path': path})}"
        listed = self._json(url, what).get("files") or []
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise _strange(what, self.base)
        return [
            Entry(_text(row, "path", what), row.get("is_dir") is True, _size(row.get("file_size")))
            for row in listed
        ]

    def content(self, location: str) -> Iterator[bytes]:
        what = f"The file {posixpath.basename(location)}"
        with self._open(f"{self.base}{_ARTIFACTS}/{quote(self._path(location))}", what) as answer:
            try:
                while piece := answer.read(PIECE):
                    yield piece
            except _BROKEN as error:
                raise _unreachable(self.base, error) from None

    def _path(self, location: str) -> str:
        """The path that the server's artefact service knows a location by."""
        parts = urlsplit(location)
        if parts.scheme == "mlflow-artifacts":
            if parts.netloc and parts.netloc != urlsplit(self.base).netloc:
                raise unusable(
                    f"{self.base} refers to files on another server.",
                    "Name that server in MLFLOW_TRACKING_URI.",
                )
            return unquote(parts.path.lstrip("/"))
        before, found, path = location.partition(f"{_ARTIFACTS}/")
        if found and before == self.base:
            return unquote(path)
        raise unusable(
            f"{self.base} keeps these files in a place of its own ({parts.scheme or 'a path'}) and "
            "does not hand them out.",
            "Start the server so that it serves artefacts (mlflow server --artifacts-destination), "
            "or download the directory and name it in guiderail.yaml.",
        )

    def _get(self, call: str, query: Mapping[str, str], what: str) -> dict[str, Any]:
        url = f"{self.base}{_API}{call}"
        return self._json(f"{url}?{urlencode(query)}" if query else url, what)

    def _json(self, url: str, what: str) -> dict[str, Any]:
        with self._open(url, what) as answer:
            try:
                data = answer.read(LARGEST_ANSWER + 1)
            except _BROKEN as error:
                raise _unreachable(self.base, error) from None
        try:
            found = json.loads(data) if len(data) <= LARGEST_ANSWER else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise _strange(what, self.base)
        return found

    def _open(self, url: str, what: str) -> IO[bytes]:
        request = urllib.request.Request(url)  # noqa: S310 - the scheme was checked at the start
        if self.credentials is not None:
            request.add_unredirected_header("Authorization", self.credentials.header)
        try:
            context = ssl.create_default_context(cafile=self.certificates)
            opener = urllib.request.build_opener(
                _NoRedirects, urllib.request.HTTPSHandler(context=context)
            )
            answer: IO[bytes] = opener.open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, what) from None
        except (*_BROKEN, ValueError) as error:
            raise _unreachable(self.base, error) from None
        return answer

    def _refusal(self, error: urllib.error.HTTPError, what: str) -> InputError:
        if error.code in (401, 403):
            return InputError(
                f"MLflow at {self.base} does not let you read this ({error.code}).",
                code="mlflow/not-allowed",
                advice="Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD, for the server that MLFLOW_TRACKING_URI names.",
            )
        if 300 <= error.code < 400:
            return unusable(
                f"{self.base} sends on to another address.",
                "Name the address at which MLflow itself answers.",
            )
        try:
            said = json.loads(error.read(LARGEST_ANSWER)).get("error_code")
        except (*_BROKEN, ValueError, AttributeError, RecursionError):
            said = None
        if error.code == 404 or (error.code == 400 and said in _UNKNOWN):
            return not_found(what, self.base)
        return _unreachable(self.base, f"it answers {error.code}")


def _record(run: dict[str, Any]) -> bytes:
    """What of a run stays as it is once it has ended: tags and names of people may change later."""
    info = run.get("info")
    kept = ("run_id", "experiment_id", "status", "start_time", "end_time", "artifact_uri")
    ended = {key: info[key] for key in kept if isinstance(info, dict) and key in info}
    record = {"info": ended, "data": {}, "inputs": run.get("inputs") or {}}
    return (json.dumps({"run": record}, sort_keys=True, indent=1) + "\n").encode()


def _part(row: Mapping[str, Any], key: str, what: str) -> dict[str, Any]:
    part = row.get(key)
    if not isinstance(part, dict):
        raise _strange(what, "the server")
    return part


def _text(row: object, key: str, what: str) -> str:
    text = row.get(key) if isinstance(row, dict) else None
    if not isinstance(text, str) or not text:
        raise _strange(what, "the server")
    return text


def _size(size: object) -> int | None:
    """The REST interface writes 64-bit numbers as texts in some versions."""
    if isinstance(size, str) and size.isascii() and size.isdigit():
        size = int(size)
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def _strange(what: str, address: str) -> InputError:
    return unusable(
        f"{what}: {address} gives an answer that is not MLflow's.",
        "Check that the address is that of an MLflow server.",
    )


def _unreachable(address: str, error: object) -> InputError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return InputError(
        f"MLflow at {address} does not answer: {str(reason)[:200]}.",
        code="mlflow/unreachable",
        advice="Start it or check MLFLOW_TRACKING_URI. What was fetched before is still usable.",
    )


def without_credentials(address: str) -> str:
    """Scheme, host, port and path of an address: no user, password, query or fragment."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
