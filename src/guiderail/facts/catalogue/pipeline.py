"""Facts about a data pipeline: who reads its output, its contract, its data and what they cost."""

from guiderail.facts.fact_type import FactType

_P = ("pipeline",)
_BOTH = "both versions on the same inputs"
_CHECKS = "the report of the contract checks"

PIPELINE_FACTS = (
    FactType("consumers.tier", "enum", "", "the data catalogue and the consumers' own tiers",
             "the highest one counts", "up", "no", "the highest tier among the consumers",
             ("low", "medium", "high"), kinds=_P),
    FactType("consumers.only_feeds", "bool", "", "guiderail.yaml and the data catalogue", "nothing "
             "acts on the output before a consumer has worked on it", "down", "design",
             "the pipeline only feeds its consumers", kinds=_P),
    FactType("change.contract", "enum", "", "data contracts of both versions", "columns, types and "
             "meanings compared", "up", "design", "the change of the data contract",
             ("none", "additive", "breaking"), kinds=_P),
    FactType("change.personal_data", "bool", "", "input data of both versions", "personal columns "
             "compared with the last full review", "up", "design",
             "personal data came in that the last full review did not contain", kinds=_P),
    FactType("change.quality_rules", "bool", "", "data contracts of both versions", "quality rules "
             "compared", "up", "design", "a quality rule was relaxed", kinds=_P),
    FactType("change.output", "interval", "%", _BOTH, "share of rows that differ, with a 95 % "
             "interval where only a sample was compared", "up", "design",
             "the share of rows that differ on the same inputs", kinds=_P),
    FactType("quality.checks", "integer", "", _CHECKS, "counted", "down", "evidence",
             "contract checks that ran", kinds=_P),
    FactType("quality.failed", "integer", "", _CHECKS, "counted", "up", "design",
             "failed contract checks", kinds=_P),
    FactType("quality.bound", "bool", "", _CHECKS, "fingerprint of the checked snapshot compared",
             "down", "evidence", "the contract checks speak of the snapshot that is used", kinds=_P),
    FactType("freshness.age_hours", "number", "hours", "input data", "time since the newest row",
             "up", "evidence", "the age of the input data", kinds=_P),
    FactType("freshness.limit_hours", "number", "hours", "the data contract", "declared", "none",
             "evidence", "the declared limit of the age", kinds=_P),
)  # fmt: skip
