"""The metrics of a model by name: what each is called, fed, and when it is perfect.

How they are computed is in `guiderail.measure.metrics`; names alone are needed on the warm path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Fed = Literal["scores", "probabilities", "decisions", "matches", "numbers"]
"""What a metric is computed from, one entry per row.

scores: any numbers, larger = more likely positive. probabilities: scores from 0 to 1. decisions:
one of two labels. matches: one of any number of labels. numbers: predicted amounts.
"""


@dataclass(frozen=True, slots=True)
class MetricKind:
    """words: how a sentence calls it. low, high: what it can be at least and at most.

    perfect: the best value, 1 or 0; where it is 0, smaller is better.
    """

    words: str
    fed: Fed
    perfect: float = 1.0
    low: float = 0.0
    high: float = 1.0

    @property
    def smaller_is_better(self) -> bool:
        return self.perfect == 0.0


def _error(words: str, fed: Fed, high: float = float("inf")) -> MetricKind:
    return MetricKind(words, fed, perfect=0.0, high=high)


METRIC_KINDS: Final[dict[str, MetricKind]] = {
    "roc_auc": MetricKind("AUC", "scores"),
    "pr_auc": MetricKind("area under the precision-recall curve", "scores"),
    "log_loss": _error("log loss", "probabilities"),
    "brier": _error("Brier score", "probabilities", high=1.0),
    "accuracy": MetricKind("accuracy", "matches"),
    "balanced_accuracy": MetricKind("balanced accuracy", "decisions"),
    "precision": MetricKind("precision", "decisions"),
    "recall": MetricKind("recall", "decisions"),
    "specificity": MetricKind("specificity", "decisions"),
    "f1": MetricKind("F1", "decisions"),
    "mcc": MetricKind("Matthews correlation", "decisions", low=-1.0),
    "rmse": _error("RMSE", "numbers"),
    "mae": _error("MAE", "numbers"),
    "mape": _error("mean absolute percentage error", "numbers"),
    "r2": MetricKind("R squared", "numbers", low=float("-inf")),
}
