"""The first manifest of a repository: what can be read is filled in, what cannot is asked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from textwrap import wrap
from typing import get_args

from pydantic.fields import FieldInfo

from guiderail.core.digest import decimal_string
from guiderail.core.errors import InputError, Place
from guiderail.manifest import candidates
from guiderail.manifest.candidates import InspectModel
from guiderail.manifest.json_schema import SCHEMA_FILE
from guiderail.manifest.load import FILE_NAME
from guiderail.manifest.problems import choices
from guiderail.manifest.repository import Found, Repository, read_repository
from guiderail.manifest.schema import DataSource, Evaluation, Use
from guiderail.manifest.yaml_text import comment, yaml_text
from guiderail.sandbox.model_summary import ModelSummary

PLACEHOLDER_PURPOSE = "Not described yet."
PLACEHOLDER_OWNER = "nobody-named-yet"

_MOST_LISTED = 20
_LATER_HEAD = (
    "# To add when you know it: remove the number sign and one space of the lines you keep."
)
_LATER = (
    "rollback:",
    "  fallback: previous  # the version before; or switch-off, or manual (people decide by hand)",
    "  downstream: []  # teams that use the output and are told before it changes",
    "rollout:",
    "  steps: [10, 50, 100]  # percent of traffic at each step",
)
_LATER_MODEL = (
    "monitoring:",
    "  drift:",
    "    profile: profile.json  # stored profile of the training inputs",
    "    watched: []  # model inputs that are watched",
    "    limit_psi: 0.2  # population stability index that raises a signal",
    "    action: review  # what a signal does: note, review or freeze",
    "    owner: on-call@example.org  # who answers a signal",
    "  labels:",
    "    source: claims system  # where true outcomes come from",
    "    delay_days: 30  # days until the outcome of a decision is known",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A manifest to begin with. `unknown` lists the keys that could not be read, dotted."""

    text: str
    unknown: tuple[str, ...]


def propose(directory: Path, inspect_model: InspectModel) -> Proposal:
    """Read a repository and propose its manifest; nothing is written and nothing executed.

    inspect_model: reads a model file without executing it.
    Raises InputError when there is no directory, or a manifest already stands there.
    """
    if not directory.is_dir():
        raise InputError(
            f"{directory} is not a directory.",
            code="manifest/not-a-directory",
            advice="Name the directory of the workload.",
            place=Place(str(directory)),
        )
    _refuse_existing(directory)
    repository = read_repository(directory)
    draft = _Draft()
    draft.head()
    _identity(draft, directory, repository, inspect_model)
    _use(draft)
    _reports(draft, directory, repository)
    _later(draft)
    return Proposal("\n".join(draft.lines) + "\n", tuple(draft.unknown))


def write_proposal(directory: Path, proposal: Proposal) -> tuple[Path, ...]:
    """Write the manifest and the schema that its first line names; never over existing files."""
    manifest, schema = directory / FILE_NAME, directory / SCHEMA_FILE.name
    try:
        with manifest.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(proposal.text)
    except FileExistsError:
        _refuse_existing(directory)
        raise
    except OSError as error:
        raise InputError(
            f"{manifest} cannot be written: {error.strerror or error}.",
            code="manifest/not-writable",
            advice="Check the permissions of the directory.",
            place=Place(str(manifest)),
        ) from None
    if schema.exists():
        return (manifest,)
    schema.write_bytes(SCHEMA_FILE.read_bytes())
    return (manifest, schema)


def _refuse_existing(directory: Path) -> None:
    file = directory / FILE_NAME
    if file.exists() or file.is_symlink():
        raise InputError(
            f"There is already a manifest at {file}.",
            code="manifest/exists",
            advice="Edit it, or move it away first; `guiderail check` says what is missing.",
            place=Place(str(file)),
        )


@dataclass(slots=True)
class _Draft:
    """The lines written so far, and the keys that could not be read."""

    kind: str = "app"
    lines: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def head(self) -> None:
        self.lines += [
            f"# yaml-language-server: $schema=./{SCHEMA_FILE.name}",
            "# Written by `guiderail init`. A comment says where a value was read; correct what is",
            "# wrong. An empty key is an open question, counted as the worst it could be.",
            "guiderail: 1",
        ]

    def write(self, key: str, value: str, source: str, indent: int = 0) -> None:
        """A text value with the comment that says where it comes from."""
        self.lines.append(f"{' ' * indent}{key}: {yaml_text(value)}  # {comment(source)}")

    def ask(self, dotted: str, placeholder: str, question: str) -> None:
        """A required key nobody could read: a placeholder and what to write instead."""
        self.unknown.append(dotted)
        indent = "  " * dotted.count(".")
        key = dotted.rpartition(".")[2]
        self.lines += [
            f"{indent}# {comment(question)}",
            f"{indent}{key}: {yaml_text(placeholder)}",
        ]


def _identity(
    draft: _Draft, directory: Path, repository: Repository, inspect_model: InspectModel
) -> None:
    files = repository.files
    scripts = candidates.training_scripts(files)
    found = candidates.models(directory, files, inspect_model)
    pipelines = candidates.pipeline_files(files)
    recipes = candidates.dockerfiles(files)
    if found or scripts:
        draft.kind = "model"
        why = f"{found[0][0]} is a model" if found else f"{scripts[0]} trains a model"
        draft.write("kind", "model", why)
    elif pipelines:
        draft.kind = "pipeline"
        draft.write("kind", "pipeline", f"{pipelines[0]} defines a pipeline")
    elif recipes:
        draft.write("kind", "app", f"{recipes[0]} builds an image")
    else:
        draft.ask("kind", "app", "Nothing here says what is deployed: app, model or pipeline?")
    _names(draft, repository)
    if draft.kind == "model":
        _code(draft, scripts, "name says that it trains")
        _model(draft, directory, repository, found, scripts)
    elif draft.kind == "pipeline":
        _code(draft, pipelines, "defines the pipeline")
        _pipeline(draft, repository)
    else:
        _code(draft, recipes, "builds the image")
        for name in candidates.images(files)[:1]:
            draft.write("image", name, "found by its name")


def _names(draft: _Draft, repository: Repository) -> None:
    name = repository.name or Found("workload", "nothing names it")
    draft.write("name", _slug(name.value) or "workload", name.source)
    version = repository.version or Found("1", "the first; the digest is what counts")
    draft.write("version", version.value[:100], version.source)
    if repository.owner is not None:
        draft.write("owner", repository.owner.value[:200], repository.owner.source)
    else:
        draft.ask("owner", PLACEHOLDER_OWNER, "Which person or team answers for it?")
    if repository.purpose is not None:
        draft.write("purpose", _cut(repository.purpose.value, 300), repository.purpose.source)
    else:
        draft.ask("purpose", PLACEHOLDER_PURPOSE, "What is it for, in one or two sentences?")


def _code(draft: _Draft, files: list[str], why: str) -> None:
    if files:
        draft.lines.append("code:")
        draft.lines += [f"  - {yaml_text(name)}  # {why}" for name in files[:_MOST_LISTED]]


def _model(
    draft: _Draft,
    directory: Path,
    repository: Repository,
    found: list[tuple[str, ModelSummary | None]],
    scripts: list[str],
) -> None:
    draft.lines += ["", "model:"]
    inputs = None
    if found:
        name, summary = found[0]
        draft.write("file", name, _model_source(summary), indent=2)
        if summary is not None:
            inputs = summary.names
            _threshold(draft, summary)
        if len(found) > 1:
            others = ", ".join(other for other, _ in found[1 : 1 + _MOST_LISTED])
            draft.lines.append(f"  # also found: {comment(others)}")
    elif (named := candidates.model_named_in(directory, scripts)) is not None:
        draft.write("file", named, "named in the training script; not built yet", indent=2)
    else:
        draft.ask("model.file", "model.skops", "Which file holds the model? None was found.")
    _training(draft, repository)
    _evaluation(draft, directory, repository, inputs)
    _serving(draft, repository)


def _model_source(summary: ModelSummary | None) -> str:
    if summary is None:
        return "found by its name; it could not be read"
    if summary.safety == "unsafe":
        reason = summary.reasons[0] if summary.reasons else "it is not safe to load"
        return f"format {summary.format}; would be refused: {reason}"
    return f"found by its name; format {summary.format}"


def _threshold(draft: _Draft, summary: ModelSummary) -> None:
    if summary.threshold is None or not math.isfinite(summary.threshold):
        return
    number = decimal_string(summary.threshold)
    draft.lines.append(f"  threshold: {number}  # stored in the model file")


def _training(draft: _Draft, repository: Repository) -> None:
    data = candidates.training_data(repository.files)[:_MOST_LISTED]
    if not data:
        draft.unknown.append("training")
        return
    draft.lines += ["", "training:"]
    _sources(draft, "training", data)


def _pipeline(draft: _Draft, repository: Repository) -> None:
    data = candidates.data_files(repository.files)[:_MOST_LISTED]
    if data:
        draft.lines += ["", "sources:"]
        _sources(draft, "sources", data)
    else:
        draft.unknown.append("sources")
    found = candidates.contracts(repository.files)
    if found:
        draft.write("contract", found[0], "found by its name")
    else:
        draft.unknown.append("contract")


def _sources(draft: _Draft, key: str, files: list[str]) -> None:
    taken: set[str] = set()
    for number, file in enumerate(files):
        base = _slug(PurePosixPath(file).stem) or "source"
        name = base if base not in taken else f"{base[:55]}-{number + 1}"
        taken.add(name)
        draft.lines += [
            f"  - name: {name}",
            f"    data: {yaml_text(file)}  # found by its name",
            f"    # {DataSource.model_fields['permission'].description}",
            "    permission:",
        ]
        draft.unknown.append(f"{key}.{number}.permission")


def _evaluation(
    draft: _Draft, directory: Path, repository: Repository, inputs: tuple[str, ...] | None
) -> None:
    data = candidates.evaluation_data(repository.files)
    if not data:
        draft.unknown.append("evaluation")
        return
    draft.lines += ["", "evaluation:"]
    draft.write("data", data[0], "found by its name", indent=2)
    label = candidates.label_column(candidates.columns(directory / data[0]), inputs)
    if label is not None:
        draft.write("label", label, f"column of {data[0]}", indent=2)
    for name in ("label", "metric"):
        if name != "label" or label is None:
            _question(draft, "evaluation", name, Evaluation.model_fields[name])


def _serving(draft: _Draft, repository: Repository) -> None:
    found = candidates.feature_lists(repository.files)
    if not found:
        draft.unknown.append("serving.features")
        return
    draft.lines += ["", "serving:"]
    draft.write("features", found[0], "found by its name", indent=2)


def _use(draft: _Draft) -> None:
    draft.lines += ["", "# What the output is used for. Nobody can read this from files.", "use:"]
    for name, info in Use.model_fields.items():
        _question(draft, "use", name, info)


def _question(draft: _Draft, section: str, name: str, info: FieldInfo) -> None:
    """An empty key with its one-line explanation and its choices."""
    allowed = [str(choice) for choice in choices(info.annotation)]
    if bool in get_args(info.annotation):
        allowed = ["true", "false"]
    listed = f" ({', '.join(allowed)})" if allowed else ""
    explanation = wrap(comment(f"{info.description}{listed}"), 94)
    is_list = isinstance(info.default, tuple)
    draft.lines += [f"  # {line}" for line in explanation]
    draft.lines.append(f"  {name}: []" if is_list else f"  {name}:")
    draft.unknown.append(f"{section}.{name}")


def _reports(draft: _Draft, directory: Path, repository: Repository) -> None:
    found = {
        "security": candidates.security_reports(repository.files),
        "tests": candidates.test_reports(directory, repository.files),
    }
    if any(found.values()):
        draft.lines += ["", "evidence:"]
    for key, reports in found.items():
        if reports:
            draft.write(key, reports[0], "found by its content or name", indent=2)
        else:
            draft.unknown.append(f"evidence.{key}")


def _later(draft: _Draft) -> None:
    """What nobody can read and may wait, as comments that are valid once they are opened."""
    parts = (*_LATER, *_LATER_MODEL) if draft.kind == "model" else _LATER
    draft.lines += ["", _LATER_HEAD, *(f"# {line}" for line in parts)]
    draft.unknown += ["rollback", "monitoring"] if draft.kind == "model" else ["rollback"]


def _slug(text: str) -> str:
    """Text as a name: lower-case letters, digits and single hyphens, a letter first."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789")
    return words[:63].strip("-")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].rstrip(" ,;:") + " ..."
