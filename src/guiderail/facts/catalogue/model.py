"""Facts read from the model file, its data and its performance on frozen data."""

from guiderail.facts.fact_type import FactType

_M = ("model",)
_MP = ("model", "pipeline")

MODEL_FACTS = (
    FactType("model.format", "text", "", "the model file", "read without executing", "none",
             "design", "the format of the model file", kinds=_M),
    FactType("model.file", "enum", "", "the model file", "read without executing", "up", "design",
             "how safely the model file loads", ("safe", "allow_listed", "unsafe"), kinds=_M),
    FactType("model.inputs", "set", "", "the model file", "read from the model's own input list",
             "none", "design", "the inputs of the model", kinds=_M),
    FactType("model.architecture", "text", "", "the model file", "hash of the tree of classes",
             "none", "design", "the architecture of the model", kinds=_M),
    FactType("model.tuning", "text", "", "the model file", "hash of the hyperparameters", "none",
             "design", "the tuning of the model", kinds=_M),
    FactType("model.threshold", "number", "", "guiderail.yaml, model.threshold", "declared", "none",
             "design", "the decision threshold", kinds=_M),
    FactType("data.training_fingerprint", "text", "", "training data", "content fingerprint",
             "none", "no", "the content of the training data", kinds=_MP),
    FactType("data.evaluation_fingerprint", "text", "", "evaluation data", "content fingerprint",
             "none", "no", "the content of the evaluation data", kinds=_M),
    FactType("data.protected", "bool", "", "model inputs and data columns", "column names and "
             "validated patterns", "up", "design",
             "a protected attribute, or a known stand-in for one, is an input", kinds=_MP),
    FactType("data.protected_columns", "set", "", "model inputs and data columns", "column names "
             "and validated patterns", "none", "design", "the protected columns", kinds=_MP),
    FactType("data.personal", "bool", "", "training and evaluation data", "column names and "
             "validated patterns", "up", "design", "the data contain personal data"),
    FactType("data.personal_columns", "set", "", "training and evaluation data", "column names and "
             "validated patterns", "none", "design", "the personal columns"),
    FactType("data.personal_approval", "enum", "", "the workspace's data approvals", "recorded when "
             "a data steward decides", "up", "evidence",
             "the data steward's answer on personal data", ("approved", "none", "refused"), kinds=_MP),
    FactType("data.moved_columns", "integer", "", "training and evaluation data", "inputs whose "
             "population stability index is clearly above 0.25, counted", "none", "no",
             "inputs that lie otherwise in the evaluation data than in training", kinds=_M),
    FactType("evaluation.labels", "bool", "", "evaluation data", "the label column is read", "down",
             "evidence", "labelled evaluation data exist", kinds=_M),
    FactType("evaluation.rows", "integer", "rows", "evaluation data", "counted", "down", "evidence",
             "the number of evaluation rows", kinds=_M),
    FactType("performance.value", "interval", "", "model scored on the evaluation data",
             "primary metric with a 95 % interval", "none", "design", "the primary metric", kinds=_M),
    FactType("performance.worse_slices", "integer", "", "model scored on the evaluation data",
             "slices whose metric is clearly worse than that of all other rows, counted", "none",
             "no", "slices in which the model is worse than elsewhere", kinds=_M),
    FactType("performance.floor", "number", "%", "guiderail.yaml, evaluation.floor_percent",
             "declared", "none", "no", "the lowest acceptable change", kinds=_M),
    FactType("fairness.selection_ratio", "interval", "", "model scored on the evaluation data",
             "lowest ratio of a group's selection rate to the most selected group's", "down",
             "design", "the lowest selection-rate ratio of a group", kinds=_M),
    FactType("fairness.error_ratio", "interval", "", "model scored on the evaluation data",
             "lowest ratio of the error rate under evaluation.error_rate, else of the true and "
             "the false positive rate", "down", "design",
             "the lowest error-rate ratio of a group", kinds=_M),
    FactType("fairness.accuracy_gap", "number", "percentage points",
             "model scored on the evaluation data", "largest difference of accuracy between groups "
             "or intersections",
             "up", "design", "the accuracy difference between groups", kinds=_M),
    FactType("fairness.underpowered_groups", "integer", "", "evaluation data", "groups below the "
             "minimum number of rows", "up", "evidence", "groups with too few rows", kinds=_M),
    FactType("proxies.highest_auc", "number", "", "evaluation data", "how well one feature predicts "
             "a protected attribute", "up", "design", "the strongest stand-in feature", kinds=_M),
    FactType("proxies.joint_auc", "number", "", "evaluation data", "how well all features together "
             "predict a protected attribute", "none", "design",
             "how well all features together give a protected attribute away", kinds=_M),
    FactType("explanations.broken", "integer", "", "explanation check", "missing, vague or "
             "protected reasons", "up", "evidence", "broken explanations", kinds=_M),
    FactType("explanations.understood", "bool", "", "a named person of the domain", "signed",
             "down", "evidence", "an affected person would understand the reasons", kinds=_M),
    FactType("explanations.regressed", "bool", "", "explanations of both versions", "agreement "
             "against a calibrated null", "up", "design", "explanations changed", kinds=_M),
    FactType("explanations.reason_stability", "interval", "%", "explanations of both versions",
             "share of adverse cases with the same principal reason", "down", "design",
             "the share of stable reasons", kinds=_M),
)  # fmt: skip
