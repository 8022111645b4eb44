"""Facts about running the release: rollback, monitoring, rollout, cost, experiments."""

from guiderail.facts.fact_type import FactType

_M = ("model",)

OPERATION_FACTS = (
    FactType("rollback.target_exists", "bool", "", "the ledger and guiderail.yaml, rollback",
             "a version to go back to, or for a first release a switch-off or manual fallback",
             "down", "evidence", "there is something to go back to"),
    FactType("rollback.compatible", "bool", "", "what the target needs and what production offers",
             "features, schema or contract compared", "down", "design",
             "the version to go back to fits what production offers"),
    FactType("rollback.rehearsed_days", "number", "days", "the ledger", "days since the last "
             "rehearsal or real rollback", "up", "evidence", "days since going back was rehearsed"),
    FactType("rollback.flips_known", "bool", "", "both versions on the same frozen data", "flips "
             "measured, or nothing runs before", "down", "evidence",
             "the decisions that going back would flip are known"),
    FactType("rollback.downstream_named", "bool", "", "guiderail.yaml, rollback.downstream",
             "declared", "down", "evidence", "the teams to be told are named"),
    FactType("monitoring.unwatched", "integer", "", "guiderail.yaml, monitoring.drift, and the "
             "model file", "inputs compared", "up", "evidence",
             "model inputs that nobody watches", kinds=_M),
    FactType("monitoring.profile_stored", "bool", "", "the stored profile", "read and compared with "
             "the inputs", "down", "evidence", "a profile of the inputs is stored", kinds=_M),
    FactType("monitoring.answered", "bool", "", "guiderail.yaml, monitoring.drift", "owner, limit "
             "and action are named", "down", "evidence",
             "owner, limit and action of the watch are named", kinds=_M),
    FactType("monitoring.labels", "bool", "", "guiderail.yaml, monitoring.labels", "source and delay "
             "are named", "down", "evidence", "a source of true outcomes is named", kinds=_M),
    FactType("monitor.breach", "enum", "", "the workspace's signals", "open signals and their "
             "deadlines", "up", "evidence", "what the monitors say",
             ("none", "open", "lapsed")),
    FactType("rollout.planned", "bool", "", "guiderail.yaml, rollout", "steps, guardrails, breaker "
             "and stop rule fixed beforehand", "down", "evidence", "the rollout is planned"),
    FactType("cost.monthly", "interval", "", "a plan and measured CPU time", "monthly range",
             "up", "design", "the monthly cost", kinds=("model", "pipeline")),
    FactType("cost.ceiling", "number", "", "ceilings.yaml of the workspace", "approved by the finance owner", "none", "evidence",
             "the approved cost ceiling", kinds=("model", "pipeline")),
    FactType("cost.change", "number", "%", "both versions", "CPU time compared; for pipelines the "
             "cost of a month", "up", "design",
             "the change of cost", kinds=("model", "pipeline")),
    FactType("experiment.used", "bool", "", "guiderail.yaml", "declared", "none", "design",
             "an experiment is part of the release"),
    FactType("experiment.sound", "bool", "", "experiment plan", "buckets, hypothesis, power and "
             "stop rule checked", "down", "evidence", "the experiment is set up soundly"),
    FactType("experiment.conflict", "bool", "", "experiment plan and the tests that run", "people, "
             "buckets and goals compared", "up", "design",
             "another test disturbs the experiment"),
    FactType("oversight.tested", "bool", "", "a named human", "override and contest route tested",
             "down", "evidence", "people can override and contest", kinds=("app", "model")),
)  # fmt: skip
