"""What others compute from the same rows: libraries that the tests compare with, and rows for both.

`make test` installs the libraries, so that the absence of one is a failure there and no skip.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from tests.facts.small_release import NUMBERS, TEXTS, german, train


def oracle(name: str) -> Any:
    """A library to compare with, or a loud skip; a failure where GUIDERAIL_NO_SKIP is set."""
    logging.getLogger().setLevel(logging.ERROR)  # AIF360 warns of every optional part it lacks
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        reason = f"NOTHING IS COMPARED WITH {name.upper()} in this run: {problem}"
        if os.environ.get("GUIDERAIL_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def quietly() -> Iterator[None]:
    """Others warn where a rate is undefined; the tests look at what they return."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions and labels, 0 or 1, beside the protected attributes of each row."""

    label: np.ndarray
    decision: np.ndarray
    groups: dict[str, np.ndarray]


@cache
def german_credit() -> tuple[Decided, np.ndarray]:
    """All rows of German Credit decided by a model that was trained on 700; and its scores."""
    frame = german()
    inputs = (*TEXTS, *NUMBERS)
    score = train(frame.iloc[:700], inputs).predict_proba(frame[list(inputs)])[:, 1]
    age = np.where(frame["age"].to_numpy() < 25, "under 25", "25 and over")
    groups = {"sex": frame["sex"].to_numpy(dtype=object), "age": age.astype(object)}
    label = frame["good"].to_numpy()
    return Decided(label, (score >= 0.6).astype(int), groups), score


def _decided(rows: list[tuple[str, str, int, int]]) -> Decided:
    sex, region, label, decision = (list(column) for column in zip(*rows, strict=True))
    groups = {"sex": np.array(sex, dtype=object), "region": np.array(region, dtype=object)}
    return Decided(np.array(label), np.array(decision), groups)


DECIDED = (
    st.lists(
        st.tuples(
            st.sampled_from(["f", "m"]),
            st.sampled_from(["east", "north", "west"]),
            st.integers(0, 1),
            st.integers(0, 1),
        ),
        min_size=8,
        max_size=120,
    )
    .map(_decided)
    .filter(lambda rows: rows.decision.any() or rows.label.any())
)
"""Small tables with two attributes, in which some cells are empty and some rates undefined."""


def as_frame(rows: Decided) -> pd.DataFrame:
    """The attributes as a table, for libraries that ask for one."""
    return pd.DataFrame(rows.groups)
