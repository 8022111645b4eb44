"""Drift against a stored profile: effect sizes that agree with scipy, or a reason."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from guiderail.core.errors import InputError, IntegrityError
from guiderail.measure.drift import ColumnDrift, drift
from guiderail.measure.profile import Profile, make_profile, read_profile


def table(folder: Path, file: str, **columns: object) -> Path:
    """A Parquet file with the given columns."""
    path = folder / f"{file}.parquet"
    connection = duckdb.connect()
    parts = []
    for i, (column, values) in enumerate(columns.items()):
        array = np.asarray(values)
        kind = {"f": "DOUBLE", "i": "BIGINT", "b": "BOOLEAN"}.get(array.dtype.kind, "VARCHAR")
        connection.execute(f"CREATE TABLE part{i} (v {kind})")
        cells = [None if cell is None else cell for cell in array.tolist()]
        connection.execute(f"INSERT INTO part{i} SELECT unnest($1::{kind}[])", [cells])
        parts.append((f"part{i}", column))
    joined = " POSITIONAL JOIN ".join(part for part, _ in parts)
    named = ", ".join(f'{part}.v AS "{column}"' for part, column in parts)
    connection.sql(f"FROM {joined} SELECT {named}").write_parquet(str(path))
    return path


def only(reference: Path | Profile, current: Path) -> ColumnDrift:
    (column,) = drift(reference, current).columns
    return column


def test_nothing_drifts_from_itself(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    path = table(tmp_path, "a", x=random.normal(size=3000), k=random.integers(0, 5, 3000),
                 c=random.choice(["a", "b"], 3000))  # fmt: skip
    for column in drift(path, path).columns:
        assert column.psi == column.js == 0
        assert column.chi2 is not None
        assert column.chi2.statistic == 0
        assert column.reason is None
        if column.type != "text":
            assert column.ks is not None
            assert column.ks.value == column.wasserstein == 0


def test_ks_lies_between_its_bounds(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    for shift in (0.0, 0.05, 0.4, 3.0):
        old, new = random.normal(size=5000), random.normal(shift, 1.2, size=4000)
        found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
        expected = stats.ks_2samp(old, new).statistic
        assert found.ks is not None
        assert found.ks.low - 1e-12 <= expected <= found.ks.high + 1e-12
        assert found.ks.value == found.ks.low
        assert found.ks.high - found.ks.low < 0.04


def test_few_distinct_values_are_exact(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    old, new = random.integers(0, 9, 2000), random.integers(2, 9, 1500)
    found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
    assert found.ks is not None
    assert found.ks.low == found.ks.high == pytest.approx(stats.ks_2samp(old, new).statistic)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, new))


def test_the_distance_that_values_moved_is_close_to_scipy(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    old, new = random.gamma(2, 100, 20_000), random.gamma(2, 120, 20_000)
    found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, new), rel=0.05)


def test_categories_agree_with_scipy(tmp_path: Path) -> None:
    old = ["a"] * 500 + ["b"] * 300 + ["c"] * 200
    new = ["a"] * 300 + ["b"] * 350 + ["d"] * 50
    found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
    counts = np.array([[500, 300, 200, 0], [300, 350, 0, 50]])
    expected = stats.chi2_contingency(counts, correction=False)
    assert found.chi2 is not None
    assert found.chi2.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.chi2.p == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.chi2.degrees == expected.dof
    distance = jensenshannon(counts[0] / 1000, counts[1] / 700, base=2)
    assert found.js == pytest.approx(distance**2, abs=1e-9)
    assert found.new_categories == ("d",)
    assert found.vanished_categories == ("c",)
    p, q = (counts[0] + 0.5) / 1002, (counts[1] + 0.5) / 702
    assert found.psi == pytest.approx(float(np.sum((q - p) * np.log(q / p))), abs=1e-12)


def test_psi_of_numbers_uses_tenths_of_the_reference(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    old, new = random.normal(size=100_000), random.normal(0.5, 1, size=100_000)
    found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
    edges = np.quantile(old, np.arange(1, 10) / 10)
    p, q = (np.bincount(np.searchsorted(edges, x), minlength=10) / 100_000 for x in (old, new))
    assert found.psi == pytest.approx(float(np.sum((q - p) * np.log(q / p))), rel=0.01)
    assert found.chi2 is not None
    assert found.chi2.degrees == 10  # ten tenths, and what lies above all of the reference


def test_missing_values_are_a_bin_and_infinities_are_not_values(tmp_path: Path) -> None:
    old = table(tmp_path, "a", x=np.array([1.0, 2.0, 3.0, 4.0] * 50))
    new = table(tmp_path, "b", x=np.array([1.0, 2.0, np.nan, np.inf] * 50))
    found = only(old, new)
    assert found.missing_reference == 0
    assert found.missing_current == 0.5
    assert found.psi is not None
    assert found.psi > 1


def test_a_column_that_lost_all_values_has_a_shift_and_a_reason(tmp_path: Path) -> None:
    old = table(tmp_path, "a", x=np.arange(200) / 3)
    new = table(tmp_path, "b", x=np.array([None] * 200, dtype=object))
    (tmp_path / "b.csv").write_text("x,y\n" + ",1\n" * 200)
    for current in (new, tmp_path / "b.csv"):
        empty = only(old, current)
        assert empty.verdict == "moved"
        assert empty.missing_current == 1
        assert empty.psi is not None
        assert empty.psi > 1
        assert empty.ks is None
        assert empty.reason is not None


def test_constant_columns_that_move_are_seen(tmp_path: Path) -> None:
    old, new = table(tmp_path, "a", x=[5] * 100), table(tmp_path, "b", x=[7] * 100)
    found = only(old, new)
    assert found.ks is not None
    assert found.ks.high == 1
    assert found.psi is not None
    assert found.psi > 1
    assert found.wasserstein == 2
    back = only(new, old)
    assert back.ks is not None
    assert back.ks.value == 1
    assert back.wasserstein == pytest.approx(2)
    assert back.psi is not None
    assert back.psi > 1


def test_values_outside_the_reference_are_seen(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    old = random.normal(size=5000)
    for shift in (-50.0, 50.0):
        new = np.where(np.arange(5000) % 5 == 0, old + shift, old)
        found = only(table(tmp_path, "a", x=old), table(tmp_path, "b", x=new))
        assert found.ks is not None
        expected = stats.ks_2samp(old, new).statistic
        assert found.ks.low - 1e-12 <= expected <= found.ks.high + 1e-12
        assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, new), rel=0.01)
        assert found.psi is not None
        assert found.psi > 0.25


def test_changes_of_the_schema_are_named(tmp_path: Path) -> None:
    old = table(tmp_path, "a", gone=[1, 2], turned=[1, 2], kept=[1, 2])
    new = table(tmp_path, "b", turned=["x", "y"], kept=[1, 2], added=[1, 2])
    found = drift(old, new)
    reasons = {column.name: column.reason for column in found.columns}
    assert reasons["gone"] == "the current data lack this column"
    assert reasons["turned"] == "the type was integer and is text"
    assert reasons["kept"] is None
    assert found.added == ("added",)
    unknown = drift(old, new, ["absent"]).columns[0]
    assert unknown.reason == "the profile does not hold this column"
    assert unknown.psi is None


def test_a_table_without_rows_has_no_drift_but_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    (tmp_path / "b.csv").write_text("x\n")
    found = only(tmp_path / "a.csv", tmp_path / "b.csv")
    assert (found.psi, found.reason) == (None, "the current data hold no rows")


def test_names_of_people_never_enter_a_profile(tmp_path: Path) -> None:
    names = [f"Person {i}" for i in range(500)]
    path = table(tmp_path, "a", name=names)
    profile = make_profile(path)
    assert profile.columns[0].categories is None
    assert "Person" not in profile.to_json()
    found = only(profile, path)
    assert found.psi == 0
    assert found.new_categories == found.vanished_categories == ()
    assert found.note is not None
    assert found.note.startswith("500 different values, compared in 64 buckets")


def test_ten_thousand_categories_are_compared_in_buckets(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    codes = np.array([f"shop{i}" for i in range(10_000)])
    old, same = random.choice(codes, 60_000), random.choice(codes, 60_000)
    moved = np.where(random.random(60_000) < 0.3, "shop17", same)
    profile = make_profile(table(tmp_path, "a", shop=old))
    quiet = only(profile, table(tmp_path, "b", shop=same))
    assert quiet.verdict == "steady"
    loud = only(profile, table(tmp_path, "c", shop=moved))
    assert loud.verdict == "moved"
    assert loud.distinct_reference is not None
    assert loud.distinct_reference > 9_900
    assert profile.columns[0].buckets
    assert "shop" not in profile.to_json().replace('"name": "shop"', "")


def test_keys_that_never_repeat_are_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "keys.csv"
    path.write_text("id\n" + "".join(f"k{i}\n" for i in range(120_000)))
    assert only(path, path).reason == "too many distinct values to compare as categories"


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e9])
@pytest.mark.parametrize("centre", [0.0, 1e6])
def test_bounds_of_ks_hold_and_are_narrow_wherever_the_values_lie(
    tmp_path: Path, centre: float, scale: float
) -> None:
    random = np.random.default_rng(10)
    old = centre + scale * random.standard_t(3, 8000)
    new = centre + scale * random.standard_t(3, 8000) + 0.2 * scale
    profile = make_profile(table(tmp_path, "a", x=old))
    found = only(profile, table(tmp_path, "b", x=new))
    expected = stats.ks_2samp(old, new).statistic
    assert found.ks is not None
    assert found.ks.low - 1e-12 <= expected <= found.ks.high + 1e-12
    assert found.ks.high - found.ks.low < 0.03
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, new), rel=0.05)


def test_a_profile_does_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    values = 5000 + random.gamma(2, 10, 30_000)
    one = make_profile(table(tmp_path, "a", x=values))
    assert one == make_profile(table(tmp_path, "b", x=np.sort(values)))
    assert one.columns[0].origin != 0  # counted from the median: from 0 on cells are too wide
    assert sum(one.columns[0].counts) == 30_000


def test_shares_of_the_profile_are_those_of_the_data(tmp_path: Path) -> None:
    values = np.random.default_rng(12).lognormal(3, 2, 20_000)
    (column,) = make_profile(table(tmp_path, "a", x=values)).columns
    for edge, reached in zip(column.edges, np.cumsum(column.counts), strict=False):
        assert reached == (values <= edge).sum()
    assert (column.low, column.high) == (values.min(), values.max())


def test_a_constant_that_becomes_fine_grained_is_seen(tmp_path: Path) -> None:
    new = np.random.default_rng(13).normal(5, 1, 20_000)
    found = only(table(tmp_path, "a", x=[5.0] * 100), table(tmp_path, "b", x=new))
    assert found.ks is not None
    assert found.ks.value == pytest.approx(stats.ks_2samp([5.0] * 100, new).statistic)
    assert found.wasserstein == pytest.approx(np.abs(new - 5).mean(), rel=0.01)
    assert found.verdict == "moved"


def test_values_that_lost_their_nulls_or_gained_some_are_changes_of_the_schema(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text("x,y,z,w\n" + "1,a,1,2\n2,b,2,\n" * 300)
    (tmp_path / "b.csv").write_text("x,y,z,v\n" + "1,,1.5,1\n2,b,2,1\n" * 300)
    found = drift(tmp_path / "a.csv", tmp_path / "b.csv")
    changes = {(one.column, one.kind): (one.before, one.after) for one in found.schema}
    assert changes == {
        ("y", "missing values"): ("0 of 600", "300 of 600"),
        ("z", "type"): ("integer", "number"),
        ("w", "removed"): ("integer", None),
        ("v", "added"): (None, "integer"),
    }


def test_decisions_rest_on_the_size_of_a_change_and_not_on_its_p_value(tmp_path: Path) -> None:
    random = np.random.default_rng(14)
    many = only(
        table(tmp_path, "a", x=random.normal(size=200_000)),
        table(tmp_path, "b", x=random.normal(0.05, 1, 200_000)),
    )
    assert many.chi2 is not None
    assert many.chi2.p < 1e-20
    assert many.verdict == "steady"
    few = only(
        table(tmp_path, "c", x=random.normal(size=60)),
        table(tmp_path, "d", x=random.normal(size=60)),
    )
    assert few.verdict == "insufficient"  # chance alone could make an index of a quarter
    moved = drift(tmp_path / "a.parquet", tmp_path / "b.parquet", limit=0.001)
    assert moved.columns[0].verdict == "moved"


def test_dates_as_text_and_a_column_called_select_are_ordinary(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("select,day\n" + "1,2024-01-01\n2,2024-01-02\n" * 200)
    (tmp_path / "b.csv").write_text("select,day\n" + "1,2025-01-01\n2,2024-01-02\n" * 200)
    found = {
        column.name: column for column in drift(tmp_path / "a.csv", tmp_path / "b.csv").columns
    }
    assert found["select"].ks is not None
    assert found["select"].ks.value == 0
    assert found["day"].new_categories == ("2025-01-01",)


def test_a_damaged_parquet_file_is_refused_by_name(tmp_path: Path) -> None:
    values = np.random.default_rng(15).normal(size=200_000)
    old, new = table(tmp_path, "a", x=values), table(tmp_path, "b", x=values)
    content = bytearray(new.read_bytes())
    content[4:400_000] = bytes(399_996)
    new.write_bytes(bytes(content))
    with pytest.raises(InputError) as refused:
        drift(make_profile(old), new)
    assert refused.value.code == "data/not-readable"
    assert str(new) in str(refused.value)


def test_a_stored_profile_reads_back_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    path = table(tmp_path, "a", x=random.lognormal(0, 20, 2000), k=random.integers(-3, 3, 2000),
                 c=random.choice(["ä", "b"], 2000), b=random.random(2000) < 0.5)  # fmt: skip
    profile = make_profile(path)
    stored = tmp_path / "profile.json"
    stored.write_text(profile.to_json(), encoding="utf-8")
    assert read_profile(stored) == profile
    assert drift(read_profile(stored), path) == drift(path, path)
    assert drift(profile, path).profile_digest == profile.digest


def test_profiles_hold_the_named_columns_in_order(tmp_path: Path) -> None:
    path = table(tmp_path, "a", x=[1, 2], y=[1, 2], z=[1, 2])
    profile = make_profile(path, ("z", "x"))
    assert [column.name for column in profile.columns] == ["z", "x"]
    with pytest.raises(InputError, match="no column"):
        make_profile(path, ("w",))


def test_a_changed_profile_is_refused(tmp_path: Path) -> None:
    stored = tmp_path / "profile.json"
    plain = json.loads(make_profile(table(tmp_path, "a", x=[1, 2])).to_json())
    plain["columns"][0]["counts"][0] += 1
    stored.write_text(json.dumps(plain))
    with pytest.raises(IntegrityError) as refused:
        read_profile(stored)
    assert refused.value.code == "integrity/profile"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "not json",
        '{"profile_version": 1}',
        '{"profile_version": 2}',
        '{"profile_version": 2, "rows": -1, "columns": []}',
        '{"profile_version": 2, "rows": 1, "columns": [1]}',
        '{"profile_version": 2, "rows": 1, "columns": [{"name": "x", "type": "number", "nulls": 0,'
        ' "not_finite": 0, "edges": ["2", "1"], "counts": [1, 1, 1], "exact": true, "low": null,'
        ' "high": null, "origin": null}]}',
        '{"profile_version": 2, "rows": 3, "columns": [{"name": "x", "type": "number", "nulls": 0,'
        ' "not_finite": 0, "edges": ["1.5"], "counts": [1, 2], "exact": false, "low": "1",'
        ' "high": "3", "origin": "0"}]}',  # an edge in the middle of a cell
        '{"profile_version": 2, "rows": 1, "columns": [{"name": "x", "type": "odd", "nulls": 0}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, content: str) -> None:
    stored = tmp_path / "profile.json"
    stored.write_text(content)
    with pytest.raises(InputError) as refused:
        read_profile(stored)
    assert refused.value.code == "data/profile"
    assert str(stored) in str(refused.value)


def test_a_missing_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_profile(tmp_path / "absent.json")
