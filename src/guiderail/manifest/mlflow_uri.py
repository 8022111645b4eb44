"""Names that MLflow gives to models and files of runs, as they may stand where a path may.

    models:/credit/7            version 7 of the registered model credit
    models:/credit@champion     the version that an alias points to
    models:/m-1f4d0b53507e      a logged model
    runs:/2c5eb2e97560/model    a file, a directory or a logged model of a run
    runs:/2c5eb2e97560          the record of the run itself

Stages and `latest` are refused: they name no version that anybody chose.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

SCHEMES = ("models:", "runs:")
FETCHED = ".guiderail/fetched"
"""Where copies lie, below the directory of the manifest."""

_NAME = re.compile(r"(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f/\\:@]{1,256}")
_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MODEL = re.compile(r"m-[A-Za-z0-9]{1,40}")
_FORMS = "models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or runs:/RUN_ID/PATH"

Kind = Literal["version", "alias", "logged", "run", "record"]


@dataclass(frozen=True, slots=True)
class MlflowUri:
    """A name of MLflow in its parts; those that its kind does not have are empty.

    kind: `version` (name, version), `alias` (name, alias), `logged` (model), `run` (run, path: a
    file or directory of it), `record` (run: what MLflow recorded of it).
    """

    text: str
    kind: Kind
    name: str = ""
    version: str = ""
    alias: str = ""
    model: str = ""
    run: str = ""
    path: str = ""

    @property
    def is_model(self) -> bool:
        """Whether it names a model; what a run holds under a path may be one."""
        return self.kind not in ("run", "record")


def is_uri(text: str) -> bool:
    """Whether a text is meant as a name of MLflow and not as a path."""
    return text.startswith(SCHEMES)


def parse_uri(text: str) -> MlflowUri:
    """Raises ValueError in words that follow "the name", for example "names a stage, ..."."""
    scheme, _, rest = text.partition(":/")
    if not is_uri(text) or not rest or rest.startswith("/"):
        raise ValueError(f"is not of the form {_FORMS}")
    return _model(text, rest) if scheme == "models" else _run(text, rest)


def _model(text: str, rest: str) -> MlflowUri:
    first, slash, last = rest.partition("/")
    if slash:
        if not _NAME.fullmatch(first) or not last or "/" in last:
            raise ValueError(f"is not of the form {_FORMS}")
        if not last.isascii() or not last.isdigit():
            raise ValueError(
                f"says {last} where a version belongs: stages and `latest` name no version that "
                "anybody chose"
            )
        return MlflowUri(text, "version", name=first, version=str(int(last)))
    if _MODEL.fullmatch(first):
        return MlflowUri(text, "logged", model=first)
    name, at, alias = first.rpartition("@")
    if not at or not _NAME.fullmatch(name) or not _NAME.fullmatch(alias):
        raise ValueError(f"is not of the form {_FORMS}")
    return MlflowUri(text, "alias", name=name, alias=alias)


def _run(text: str, rest: str) -> MlflowUri:
    run, slash, path = rest.partition("/")
    if not _RUN.fullmatch(run):
        raise ValueError(f"is not of the form {_FORMS}")
    if not slash:
        return MlflowUri(text, "record", run=run)
    if not is_plain(path):
        raise ValueError("names a path that is not plainly below the run")
    return MlflowUri(text, "run", run=run, path=path)


def is_plain(path: str) -> bool:
    """Whether a path of names between slashes stays below where it starts, on every system."""
    parts = path.split("/")
    return all(part not in ("", ".", "..") and _is_plain_name(part) for part in parts)


def _is_plain_name(part: str) -> bool:
    return re.fullmatch(r"[^\x00-\x1f\x7f-\x9f/\\:]{1,255}", part) is not None


def place_of(name: str) -> str:
    """The path below the manifest's directory at which an artefact of this name lies.

    A path is its own place. The copy of what MLflow names has one that the name decides alone, so
    that a kept release finds it without asking anybody; the ending of a file stays.
    """
    if not is_uri(name):
        return name
    try:
        uri = parse_uri(name)
    except ValueError:
        return name
    key = hashlib.sha256(name.encode()).hexdigest()[:20]
    last = {"run": PurePosixPath(uri.path).name, "record": "run.json"}.get(uri.kind, "model")
    return f"{FETCHED}/{key}/{last}"
