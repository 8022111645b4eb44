"""What is asked, of whom, and at which sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from beside.data import decided_rows, features, proxy_rows
from beside.processes import SECONDS

ROWS = (100_000, 1_000_000, 10_000_000)
FEATURES = (10, 50, 200)
Make = Callable[[Path], None]


@dataclass(frozen=True)
class Asked:
    """library: as people call it. package: its environment, None for our own."""

    library: str
    package: str | None
    worker: str
    question: str
    computes: str


@dataclass(frozen=True)
class Size:
    """data: names the files, which several questions share. amount: rows or features."""

    label: str
    amount: int
    data: str
    make: Make


@dataclass(frozen=True)
class Compared:
    """asked: ours first; figures of the others are compared with those of the first.

    limit: processor seconds.
    """

    name: str
    sizes: tuple[Size, ...]
    asked: tuple[Asked, ...]
    limit: int = SECONDS


def _decided() -> tuple[Size, ...]:
    return tuple(
        Size(f"{n:,} rows", n, f"decided-{n}", partial(decided_rows, rows=n)) for n in ROWS
    )


def _longer() -> tuple[Size, ...]:
    make = partial(features, count=10)
    return tuple(Size(f"{n:,} rows", n, f"features-{n}-10", partial(make, rows=n)) for n in ROWS)


def _wider() -> tuple[Size, ...]:
    make = partial(features, rows=100_000)
    return tuple(
        Size(f"{n} features", n, f"features-100000-{n}", partial(make, count=n)) for n in FEATURES
    )


def _ours(library: str, question: str, computes: str) -> Asked:
    return Asked(library, None, "with_guiderail", question, computes)


def _theirs(library: str, package: str, question: str, computes: str) -> Asked:
    return Asked(library, package, f"with_{package.replace('-', '_')}", question, computes)


_RATES = "selection rate, TPR, FPR, FNR and accuracy of each group"
_OUR_RATES = (
    f"{_RATES}, PPV and NPV too, with intervals; all comparisons of groups with intervals and "
    "corrected verdicts"
)
_OUR_DRIFT = (
    "PSI with interval and verdict, bounds of KS, Wasserstein over fine cells, Jensen-Shannon, "
    "chi-square, new and vanished values"
)


def _of_groups(question: str) -> tuple[Asked, ...]:
    one_each = "one `ClassificationMetric` for each group"
    return (
        _ours("Guiderail", question, _OUR_RATES),
        _theirs("Fairlearn", "fairlearn", question, f"{_RATES}: `MetricFrame`, no intervals"),
        _theirs("Aequitas", "aequitas", question, f"{_RATES} and 7 more: crosstabs, no intervals"),
        _theirs("AIF360", "aif360", question, f"{_RATES}: {one_each}, no intervals"),
    )


_DRIFT = (
    _ours("Guiderail", "drift", f"{_OUR_DRIFT}; profile of the reference made anew"),
    _ours("Guiderail, stored profile", "drift-stored", "the same, without reading the reference"),
    _theirs("scipy", "scipy", "drift", "KS with p, Wasserstein; chi-square with p, Jensen-Shannon"),
    _theirs(
        "Evidently", "evidently", "drift",
        "p of KS and Wasserstein; p of chi-square and Jensen-Shannon; a report with data to plot",
    ),
    _theirs(
        "NannyML", "nannyml", "drift",
        "KS and Wasserstein estimated in 10,000 equally wide bins of the reference, chi-square, "
        "Jensen-Shannon; thresholds from the reference",
    ),
)  # fmt: skip

COMPARED = (
    Compared("rates of 15 groups of 4 attributes", _decided(), _of_groups("groups")),
    Compared("rates of 419 groups and intersections", _decided(), _of_groups("intersections")),
    Compared("drift of features, 10 of them", _longer(), _DRIFT),
    Compared(
        "area under the ROC curve",
        _decided(),
        (
            _ours("Guiderail", "area", "the area with DeLong's interval"),
            _ours("Guiderail, histograms", "area-binned", "the same in bounded memory"),
            _theirs("scipy", "scipy", "area", "Mann-Whitney's U with p: no interval of the area"),
        ),
    ),
)
"""By rows."""

WIDER = (
    Compared("drift of features, 100,000 rows", _wider(), _DRIFT),
    Compared(
        "proxies of 2 attributes, 10,000 rows",
        tuple(
            Size(f"{n} features", n, f"proxies-{n}", partial(proxy_rows, rows=10_000, count=n))
            for n in FEATURES
        ),
        (
            _ours(
                "Guiderail", "proxies",
                "cross-validated AUC of each feature and of all together, with 99 permutations",
            ),
            _theirs(
                "bdp-model-gate", "bdp-model-gate", "proxies",
                "share of variance (eta squared) of each feature, with 1,000 permutations up to "
                "25 features, and none above",
            ),
        ),
    ),
)  # fmt: skip
"""By features."""


def _credit(folder: Path) -> None:
    from beside.credit import credit_rows  # scikit-learn is loaded for this one only

    credit_rows(folder)


SUITE = Compared(
    "suite of a model, 10,000 rows, 13 features, 2 protected attributes, an older model",
    (Size("German Credit", 10_000, "credit", _credit),),
    (
        _ours("Guiderail", "suite", "what the gates of a model measure"),
        _theirs("bdp-model-gate", "bdp-model-gate", "suite", "its default checks"),
    ),
    limit=900,
)
"""It has one size, and its budget is a ratio, so the rival may take as long as it takes."""
