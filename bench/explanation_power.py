"""How often faults and honest retrainings alarm on German Credit, beyond the split of the tests.

Run `python bench/explanation_power.py [SPLITS]`. The splits had no part in choosing the measures or
their limits. Each has an evaluation set, an old model with sixteen trainings for its null, twelve
honest retrainings and the eight faults of the tests.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.facts.small_release import german
from tests.measure.explanation_faults import FAULTS, LABEL, LEAK, Study, explain, fit, leaked
from tests.measure.test_explanation_regression import INPUTS, Bench

from guiderail.measure.explanation_regression import Null, null_of


def main() -> None:
    warnings.simplefilter("ignore")
    splits = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    rows = german().rename(columns={"good": LABEL})
    study = Study(rows, INPUTS, "month", "credit_amount", "status", ("housing", "A152"))
    caught: Counter[str] = Counter()
    alarms = 0
    for seed in range(101, 101 + splits):
        draw = np.random.default_rng(seed)
        order = draw.permutation(len(rows))
        evaluation, pool = rows.iloc[order[:260]], rows.iloc[order[260:]]
        first = pool.iloc[:600]
        resampled = (first.iloc[draw.integers(0, 600, 600)] for _ in range(16))
        null = null_of([explain(fit(study, one), evaluation, 100) for one in resampled])
        assert isinstance(null, Null)
        bench = Bench(study, evaluation, pool, explain(fit(study, first), evaluation), null)
        for number in range(12):
            again = bench.retrained(number // 2, resampled=number % 2 == 0)
            alarms += bench.verdict(explain(fit(study, again), evaluation)).verdict == "fail"
        for name, fault in FAULTS.items():
            seen = evaluation
            if name == "leak":
                seen = evaluation.assign(**{LEAK: leaked(evaluation, draw)})
            bad = fault(study, bench.retrained(0, resampled=False), draw)
            caught[name] += bench.verdict(explain(fit(study, bad), seen)).verdict == "fail"
    print(f"honest retrainings that alarm: {alarms} of {12 * splits}")
    for name in FAULTS:
        print(f"{name:18} caught on {caught[name]} of {splits} splits")


if __name__ == "__main__":
    main()
