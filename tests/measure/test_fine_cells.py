"""Cells count exactly what lies between their limits, whatever the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.measure.test_drift import table

from guiderail.measure.fine_cells import CELLS, cell_of, count_cells, upper_limits
from guiderail.measure.table import open_table

FINITE = st.floats(allow_nan=False, allow_infinity=False)
LARGEST = float(np.finfo(np.float64).max)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, st.integers(2, 50), elements=FINITE), st.floats(-1e12, 1e12))
def test_the_cell_never_falls_when_the_value_rises(values: np.ndarray, origin: float) -> None:
    cells = cell_of(np.sort(values), origin)
    assert (np.diff(cells) >= 0).all()
    assert cells.min() >= 0
    assert cells.max() < CELLS


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, 20, elements=FINITE), st.sampled_from([0.0, 1.5, -1e9, 273.15]))
def test_the_upper_limit_is_the_last_number_of_its_cell(values: np.ndarray, origin: float) -> None:
    cells = cell_of(values, origin)
    limits = upper_limits(cells, origin)
    assert (cell_of(limits, origin) == cells).all()
    assert (values <= limits).all()
    inner = limits < LARGEST
    assert (cell_of(np.nextafter(limits[inner], np.inf), origin) > cells[inner]).all()


BEYOND_32_BITS = [3.4028235e38, 1e39, -1e300, LARGEST]
VALUES = np.array(
    [
        *(0.0, -0.0, 1.0, 1.0000001, -1.0, 1e-300, -1e-300, 5e-46, 1e30, -1e30, 273.15, np.inf),
        *(-np.inf, np.nan),
        *BEYOND_32_BITS,
    ]
)


@pytest.mark.parametrize("origin", [0.0, 1.0, 273.15, -5e7])
@pytest.mark.parametrize("kept", [len(VALUES), 10])
def test_the_table_counts_the_same_cells(tmp_path: Path, origin: float, kept: int) -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([np.repeat(VALUES[:kept], 3), random.normal(270, 20, 2000)])
    cells = np.array([None, *values], dtype=object)
    path = table(tmp_path, "a", x=values)
    with open_table(path) as opened:
        found = count_cells(opened, "x", origin)
    finite = values[np.isfinite(values)]
    expected = np.bincount(cell_of(finite, origin), minlength=CELLS)
    assert (found.counts == expected).all()
    assert found.finite == len(finite)
    assert found.filled == len(cells) - 1


def test_nulls_and_whole_numbers_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "1,0.5\n2,\n3,\n" * 70_000)
    with open_table(path) as opened:
        whole, gaps = count_cells(opened, "x", 2.0), count_cells(opened, "y")
    assert whole.counts[cell_of(np.array([1.0, 2.0, 3.0]), 2.0)].tolist() == [70_000] * 3
    assert (gaps.filled, gaps.finite, gaps.counts[cell_of(np.array([0.5]), 0.0)[0]]) == (
        70_000,
        70_000,
        70_000,
    )
