"""Facts that compare a release with its baselines.

`change` is against production; `since_review` against the last release that a person reviewed;
`since_full_review` against the last fully reviewed one (or the first). Percentages of performance
are signed so that plus is better.
"""

from guiderail.facts.fact_type import FactType

_M = ("model",)
_BOTH = "both versions on the same frozen data"

CHANGE_FACTS = (
    FactType("baseline.exists", "bool", "", "the ledger", "a release of this workload is in "
             "production", "none", "no", "a version is in production"),
    FactType("change.performance", "interval", "%", _BOTH, "relative change of the primary metric "
             "with a paired 95 % interval", "none", "design",
             "the change of the primary metric against production", kinds=_M),
    FactType("since_review.performance", "interval", "%", _BOTH, "relative change of the primary "
             "metric with a paired 95 % interval", "none", "design",
             "the change of the primary metric since the last review", kinds=_M),
    FactType("since_full_review.performance", "interval", "%", _BOTH, "relative change of the "
             "primary metric with a paired 95 % interval", "none", "design",
             "the change of the primary metric since the last full review", kinds=_M),
    FactType("change.error_growth", "interval", "%", _BOTH, "growth of the metric's distance to "
             "perfect with a paired 95 % interval", "up", "design",
             "the growth of the error against production", kinds=_M),
    FactType("since_review.error_growth", "interval", "%", _BOTH, "growth of the metric's distance "
             "to perfect with a paired 95 % interval", "up", "design",
             "the growth of the error since the last review", kinds=_M),
    FactType("since_full_review.error_growth", "interval", "%", _BOTH, "growth of the metric's "
             "distance to perfect with a paired 95 % interval", "up", "design",
             "the growth of the error since the last full review", kinds=_M),
    FactType("change.flips", "interval", "%", _BOTH, "share of equal inputs decided differently, "
             "with an exact 95 % interval", "up", "design",
             "the share of decisions that flip against production", kinds=_M),
    FactType("since_review.flips", "interval", "%", _BOTH, "share of equal inputs decided "
             "differently, with an exact 95 % interval", "up", "design",
             "the share of decisions that flip since the last review", kinds=_M),
    FactType("since_full_review.flips", "interval", "%", _BOTH, "share of equal inputs decided "
             "differently, with an exact 95 % interval", "up", "design",
             "the share of decisions that flip since the last full review", kinds=_M),
    FactType("change.flips_null_exists", "bool", "", "recorded reseeds", "a null was calibrated by "
             "reseeding", "none", "evidence", "a null for flips was calibrated", kinds=_M),
    FactType("change.flips_null", "number", "%", "recorded reseeds", "upper bound of flips between "
             "reseeds of one recipe", "none", "evidence", "the flips that reseeding alone causes",
             kinds=_M),
    FactType("change.new_features", "integer", "", "inputs of both model files", "counted", "up",
             "design", "the number of new features", kinds=_M),
    FactType("change.unapproved_features", "integer", "", "inputs of both model files and the "
             "feature registry", "counted", "up", "evidence",
             "the number of new features that nobody has approved", kinds=_M,
             part_of="change.new_features"),
    FactType("change.removed_features", "integer", "", "inputs of both model files", "counted",
             "up", "design", "the number of removed features", kinds=_M),
    FactType("change.threshold", "enum", "", "both manifests", "compared with the envelope that the "
             "last full review approved", "up", "design", "the decision threshold",
             ("unchanged", "inside", "outside"), kinds=_M),
    FactType("change.architecture", "bool", "", "both model files", "class trees compared", "up",
             "design", "the architecture changed", kinds=_M),
    FactType("change.tuning", "bool", "", "both model files", "hyperparameters compared", "none",
             "design", "the tuning changed", kinds=_M),
    FactType("change.new_sources", "integer", "", "both manifests", "sources of data that "
             "the last full review did not contain", "up", "design",
             "the number of new data sources", kinds=("model", "pipeline")),
    FactType("change.vanished_sources", "integer", "", "both manifests", "sources of the last full "
             "review whose name and content are gone", "none", "design",
             "the number of vanished data sources", kinds=("model", "pipeline")),
    FactType("change.changed_sources", "integer", "", "training data", "fingerprints compared with "
             "those recorded at the last full review", "none", "design",
             "the number of data sources with another content", kinds=("model", "pipeline")),
    FactType("change.permissions", "integer", "", "both manifests", "permissions of sources "
             "compared with those at the last full review", "up", "design",
             "the number of data sources with another permission", kinds=("model", "pipeline")),
    FactType("change.worse_slices", "integer", "", _BOTH, "slices whose metric is clearly worse than "
             "with the version in production, counted", "none", "no",
             "slices in which the model got worse than production", kinds=_M),
    FactType("change.moved_columns", "integer", "", "training data of both versions", "inputs whose "
             "population stability index is clearly above 0.25, counted", "none", "no",
             "inputs that lie otherwise in training than for production", kinds=_M),
    FactType("change.recipe", "bool", "", "both manifests", "metric, evaluation recipe and "
             "protected groups compared with the last full review", "up", "design",
             "the way the model is judged changed", kinds=_M),
    FactType("change.purpose", "bool", "", "both manifests", "purpose, population, jurisdictions "
             "and influence compared with the last full review", "up", "design",
             "the purpose was widened"),
    FactType("change.traffic_share", "bool", "", "both manifests, rollout", "highest step compared "
             "with the one that the last full review permitted", "up", "design",
             "more traffic is asked for than was permitted", kinds=_M),
)  # fmt: skip
