"""What a child will import for a model file, told by how the file begins.

Only a guess for the sake of time: what is not imported beforehand is imported by the child.
"""

from __future__ import annotations

from pathlib import Path

from guiderail.sandbox.regular_file import NotRegularError, first_bytes

CHILDREN = ("guiderail.sandbox.score_child", "guiderail.sandbox.attribute_child")
"""Our own modules, with numpy and pandas."""

_SCIKIT_LEARN = ("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline")


def imports_of(model: Path) -> tuple[str, ...]:
    """Modules in the order of their import; ours alone for a file that is none or cannot be read.

    Models of libraries that are no scikit-learn get no more: these libraries start threads, and a
    process that has some is not copied.
    """
    try:
        start = first_bytes(_inside(model) if model.is_dir() else model, 2)
    except (OSError, NotRegularError):
        return CHILDREN
    if start == b"PK":
        return (*CHILDREN, *_SCIKIT_LEARN, "skops.io")
    if start[:1] in (b"\x80", b"\x1f", b"x", b"B"):  # a pickle, or one in gzip, zlib or bz2
        return (*CHILDREN, *_SCIKIT_LEARN, "joblib")
    return CHILDREN


def _inside(directory: Path) -> Path:
    """Where MLflow puts the model of a directory, by its habit."""
    skops = directory / "model.skops"
    return skops if skops.exists() else directory / "model.pkl"
