"""Which files of a repository are likely the model, the data, the reports: guesses by name."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from guiderail.manifest.repository import read_text
from guiderail.sandbox.model_summary import ModelSummary

InspectModel = Callable[[Path], ModelSummary | None]
"""Reads a model file without executing it; None where it is no model."""

_MODEL_ENDINGS = (".skops", ".onnx", ".ubj", ".joblib", ".pkl", ".pickle")
_DATA_ENDINGS = (".csv", ".parquet")
_EVALUATION_WORDS = frozenset(
    {"holdout", "evaluation", "eval", "test", "testing", "validation", "valid", "val"}
)
_TRAINING_WORDS = frozenset({"train", "training"})
_LABELS = ("label", "target", "y", "outcome", "class")
_PIPELINE_FILES = ("dbt_project.yml", "dvc.yaml", "snakefile", "pipeline.yaml", "pipeline.yml")
_PIPELINE_DIRECTORIES = frozenset({"dags", "pipelines"})
_IMAGE_ENDINGS = (".oci.tar", "image.tar", "image.tar.gz")
_JUNIT = re.compile(r"<testsuites?[\s>]")
_SAFETY = ("safe", "allow_listed", "unsafe")


def models(
    directory: Path, files: Iterable[str], inspect_model: InspectModel
) -> list[tuple[str, ModelSummary | None]]:
    """Model files and MLflow directories, the safest and shallowest first."""
    found: list[tuple[str, ModelSummary | None]] = []
    directories: list[str] = []
    for name in files:
        path = PurePosixPath(name)
        if path.name == "MLmodel" and path.parent != PurePosixPath("."):
            directories.append(path.parent.as_posix())
            found.append((directories[-1], inspect_model(directory / directories[-1])))
        elif path.suffix.lower() in _MODEL_ENDINGS:
            found.append((name, inspect_model(directory / name)))
        elif path.suffix.lower() in (".json", ".txt") and "model" in _words(path.stem):
            summary = inspect_model(directory / name)
            if summary is not None and summary.safety != "unsafe":
                found.append((name, summary))
    alone = [
        one for one in found if not any(one[0].startswith(f"{parent}/") for parent in directories)
    ]
    return sorted(alone, key=lambda one: _SAFETY.index(one[1].safety) if one[1] else 3)


def model_named_in(directory: Path, scripts: Iterable[str]) -> str | None:
    """The model file that a training script writes, when it names exactly one."""
    pattern = re.compile(r"""["']([\w./-]+\.(?:skops|onnx|ubj|joblib|pkl|pickle))["']""")
    names = {name for one in scripts for name in pattern.findall(read_text(directory / one))}
    inside = [name for name in names if not name.startswith("/") and ".." not in name]
    return inside[0] if len(inside) == 1 else None


def training_data(files: Iterable[str]) -> list[str]:
    return [
        name for name in data_files(files) if _words(PurePosixPath(name).stem) & _TRAINING_WORDS
    ]


def evaluation_data(files: Iterable[str]) -> list[str]:
    return [
        name for name in data_files(files) if _words(PurePosixPath(name).stem) & _EVALUATION_WORDS
    ]


def training_scripts(files: Iterable[str]) -> list[str]:
    """Python files and notebooks whose name says that they train, tests left out."""
    return [
        name
        for name in files
        if PurePosixPath(name).suffix in (".py", ".ipynb", ".R")
        and (words := _words(PurePosixPath(name).stem)) & _TRAINING_WORDS
        and not words & {"test", "tests"}
        and "tests" not in PurePosixPath(name).parts
    ]


def pipeline_files(files: Iterable[str]) -> list[str]:
    """Definitions of a data pipeline: dbt, DVC, Snakemake, Airflow folders."""
    return [
        name
        for name in files
        if PurePosixPath(name).name.lower() in _PIPELINE_FILES
        or (
            name.endswith(".py")
            and not PurePosixPath(name).name.startswith("__")
            and PurePosixPath(name).parts[0] in _PIPELINE_DIRECTORIES
        )
    ]


def contracts(files: Iterable[str]) -> list[str]:
    return [
        name
        for name in files
        if PurePosixPath(name).suffix in (".yaml", ".yml", ".json")
        and "contract" in _words(PurePosixPath(name).stem)
    ]


def feature_lists(files: Iterable[str]) -> list[str]:
    return [name for name in files if PurePosixPath(name).name in ("features.yaml", "features.yml")]


def dockerfiles(files: Iterable[str]) -> list[str]:
    return [name for name in files if PurePosixPath(name).name in ("Dockerfile", "Containerfile")]


def images(files: Iterable[str]) -> list[str]:
    return [name for name in files if name.endswith(_IMAGE_ENDINGS)]


def security_reports(files: Iterable[str]) -> list[str]:
    return [name for name in files if name.endswith((".sarif", ".sarif.json"))]


def test_reports(directory: Path, files: Iterable[str]) -> list[str]:
    """XML files that begin as JUnit reports do."""
    return [
        name
        for name in files
        if name.endswith(".xml") and _JUNIT.search(read_text(directory / name)[:2000])
    ]


def columns(file: Path) -> tuple[str, ...]:
    """The header of a CSV file; empty for other files and headers that are not one."""
    if file.suffix.lower() != ".csv":
        return ()
    line = read_text(file).partition("\n")[0].strip("\r\ufeff")
    delimiter = max(",;\t|", key=line.count)
    try:
        names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return ()
    return names if len(set(names)) == len(names) and all(names) else ()


def label_column(names: tuple[str, ...], inputs: tuple[str, ...] | None) -> str | None:
    """The label, only when it is obvious: one column with a usual name, or one no model input."""
    usual = [name for name in names if name.lower() in _LABELS]
    if len(usual) == 1 and usual[0] not in (inputs or ()):
        return usual[0]
    if not inputs or not set(inputs) <= set(names):
        return None
    left = [name for name in names if name not in inputs]
    return left[0] if len(left) == 1 else None


def data_files(files: Iterable[str]) -> list[str]:
    """Data files outside folders of tests, where `test` in a name means something else."""
    return [
        name
        for name in files
        if PurePosixPath(name).suffix.lower() in _DATA_ENDINGS
        and not {"tests", "fixtures"} & set(PurePosixPath(name).parts)
    ]


def _words(stem: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", re.sub(r"hold[-_]out", "holdout", stem.lower())))
