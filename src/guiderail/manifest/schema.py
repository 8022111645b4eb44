"""What may stand in `guiderail.yaml`. The JSON Schema for editors is generated from these classes.

Every field says in its description what it is for; a newcomer reads them as completion help.
Nothing here is believed where the platform can measure: a declared value can only make the track
or the tier heavier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from guiderail.core.csv_encoding import Encoding

NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
SENTENCE_PATTERN = r"\S"

Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=63)]
RelativePath = Annotated[str, Field(min_length=1, max_length=400)]
FactName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)]
OwnValue = bool | int | float | Annotated[str, Field(max_length=2000)] | tuple[str, ...]
Sentence = Annotated[str, Field(min_length=1, max_length=2000, pattern=SENTENCE_PATTERN)]

WebAddress = Annotated[
    str, Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$", max_length=400)
]
"""An address of a server without user, password, query or fragment."""

Domain = Literal[
    "credit", "fraud", "insurance", "employment", "housing", "education", "health",
    "essential_services", "law", "pricing", "moderation", "marketing", "recommendation",
    "operations", "other",
]  # fmt: skip
ErrorRate = Literal["tpr", "fpr", "fnr", "ppv", "npv"]
Metric = Literal[
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "mcc",
    "rmse",
    "mae",
    "mape",
    "r2",
]
"""As in `guiderail.core.metrics`."""


class Part(BaseModel):
    """Base of every section: unknown keys are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Use(Part):
    """What the release is used for. What stays empty counts as the worst it could be."""

    prohibited: bool | None = Field(
        None,
        description="Is this a use the law or the company forbids? Screened before anything else.",
    )
    domain: Domain | None = Field(None, description="The field in which the output is used.")
    affects_people: bool | None = Field(
        None, description="Does the output change what happens to identifiable people?"
    )
    customer_facing: bool | None = Field(None, description="Do customers see or feel the output?")
    decision: Literal["none", "minor", "significant"] | None = Field(
        None, description="How much rests on the output for the person or business concerned."
    )
    influence: Literal["informs", "recommends", "automated"] | None = Field(
        None, description="Does it inform a person, recommend to a person, or decide by itself?"
    )
    exposure: Literal["small", "material", "large"] | None = Field(
        None, description="Harm of a wrong decision in money or people; limits are set by risk."
    )
    regulated: bool | None = Field(
        None, description="Does an external authority regulate this use or receive its output?"
    )
    reversible: bool | None = Field(None, description="Can a wrong decision be undone in time?")
    population: str | None = Field(None, max_length=200, description="Who the output is about.")
    jurisdictions: tuple[str, ...] = Field(
        (), description="Where these people are, e.g. DE, US-NY."
    )


class Permitted(Part):
    """Who permitted the use of a data source, for what and until when."""

    by: str = Field(min_length=1, max_length=200, description="Person or board that permitted it.")
    purpose: Sentence = Field(
        description="What it was permitted for: the name of this workload, or its purpose in the "
        "same words."
    )
    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(
        description="Last day (UTC) on which the permission holds, e.g. 2027-06-30."
    )


class LineageRecord(Part):
    """What a tool recorded while the training data were read."""

    file: RelativePath = Field(
        description="OpenLineage events (JSON, one or one per line), a run that MLflow exported as "
        "JSON, an MLflow database (SQLite), or a run of an MLflow server: runs:/RUN_ID."
    )
    run: str | None = Field(
        None, min_length=1, max_length=200, description="Id of the run that trained this release."
    )


class DataSource(Part):
    """One source of training data."""

    name: Name = Field(description="Stable name of the source, as the data catalogue knows it.")
    data: RelativePath = Field(
        description="The snapshot that was used, a CSV or Parquet file; also runs:/RUN_ID/PATH."
    )
    encoding: Encoding | None = Field(
        None,
        description="How the CSV file is written, where neither UTF-8 nor a byte order mark says "
        "so: latin-1, windows-1252, utf-16, utf-16-le or utf-16-be.",
    )
    fingerprint: str | None = Field(
        None, description="Content fingerprint that was recorded when the snapshot was taken."
    )
    permission: Sentence | None = Field(
        None, description="Which licence, consent or approval allows this use of the data."
    )
    permitted: Permitted | None = Field(
        None, description="Who permitted this use, for what purpose and until when."
    )


class Model(Part):
    """The model file and how its score becomes a decision."""

    file: RelativePath = Field(
        description="The model file: skops, ONNX, a booster, joblib, or an MLflow directory. Also "
        "a name of MLflow: models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or "
        "runs:/RUN_ID/PATH; `guiderail fetch` pins and copies it."
    )
    threshold: float | None = Field(
        None, description="A score of at least this is decided positive. Empty: the class is taken."
    )
    threshold_envelope: tuple[float, float] | None = Field(
        None,
        description="The range of thresholds to approve with this release; later moves inside the "
        "envelope of the last full review are minor.",
    )


class Evaluation(Part):
    """The frozen data on which this version and its baselines are compared."""

    data: RelativePath = Field(description="A CSV or Parquet file with inputs and label.")
    encoding: Encoding | None = Field(
        None,
        description="How the CSV file is written, where neither UTF-8 nor a byte order mark says "
        "so: latin-1, windows-1252, utf-16, utf-16-le or utf-16-be.",
    )
    label: str | None = Field(None, description="Column with the true outcome.")
    positive: str | None = Field(
        None,
        description="The label value that counts as positive, written as it stands in the data.",
    )
    metric: Metric | None = Field(None, description="The primary metric, chosen beforehand.")
    recipe: Name | None = Field(
        None, description="Name of the way the data are drawn, e.g. holdout-30-percent."
    )
    floor_percent: float | None = Field(
        None,
        le=0,
        description="Lowest acceptable relative change of the metric in percent, e.g. -10.",
    )
    protected: tuple[str, ...] = Field(
        (),
        description="Columns with protected attributes, kept for testing fairness. age:25,40,60 "
        "puts the numbers of the column age into ranges with these lower limits.",
    )
    error_rate: ErrorRate | None = Field(
        None,
        description="The error rate that groups are compared by, chosen beforehand: tpr and fpr "
        "(true and false positive rate), fnr (missed positives), ppv and npv (how often a yes and "
        "a no are right). Empty: tpr and fpr, and the worse one counts.",
    )
    cluster: str | None = Field(
        None,
        description="Column that groups rows of one person or unit, if rows are not independent.",
    )


class Explanations(Part):
    """What people are told about a decision."""

    reasons: RelativePath = Field(
        description="YAML file with a reason text for each input and audience."
    )


class Serving(Part):
    """What serving offers to the model. Compared with what the model file asks for."""

    features: RelativePath = Field(
        description="YAML list of the features that serving offers, with types."
    )
    plan: RelativePath | None = Field(
        None,
        description="YAML serving plan: replicas, requests, prices. The monthly cost follows from "
        "it and from measured processor time.",
    )


class Running(Part):
    """How often a pipeline runs, at what price, and what its runs took."""

    plan: RelativePath = Field(
        description="YAML run plan: schedule, processors, prices. The monthly cost follows from it "
        "and from measured runs."
    )
    runs: RelativePath = Field(
        description="Measured runs, one JSON object a line; `guiderail measure run` appends them."
    )


class DriftMonitoring(Part):
    """How production input is watched."""

    profile: RelativePath = Field(description="Stored profile of the training inputs.")
    watched: tuple[str, ...] = Field(description="Model inputs that are watched.")
    limit_psi: float = Field(gt=0, description="Population stability index that raises a signal.")
    action: Literal["note", "review", "freeze"] = Field(description="What a signal does.")
    owner: str = Field(description="Who answers a signal.")


class LabelSource(Part):
    """Where true outcomes come from after deployment."""

    source: Sentence = Field(description="System or team that delivers the outcomes.")
    delay_days: int = Field(ge=0, description="Days until the outcome of a decision is known.")


class Monitoring(Part):
    drift: DriftMonitoring | None = Field(None, description="Watch on the inputs.")
    labels: LabelSource | None = Field(
        None, description="Where outcomes come from, for concept drift."
    )


class Rollback(Part):
    """How to go back."""

    fallback: Literal["previous", "switch-off", "manual"] = Field(
        description="The version before, no answer at all, or people decide by hand."
    )
    downstream: tuple[str, ...] = Field(
        (), description="Teams that use the output and are told before it changes."
    )


class Rollout(Part):
    """How traffic moves to the new version."""

    steps: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        (10, 50, 100), description="Percent of traffic at each step, rising, ending at 100."
    )
    hold_seconds: int = Field(2, ge=0, le=86_400, description="Shortest stay at a step.")


class Evidence(Part):
    """Reports that tools have written about this release; its digest does not cover them."""

    security: RelativePath | None = Field(None, description="SARIF 2.1.0 report of a scanner.")
    tests: RelativePath | None = Field(None, description="JUnit XML report of the tests.")


class Mlflow(Part):
    """Where names of MLflow are looked up, if not where the environment says."""

    tracking: WebAddress = Field(
        description="Address of the tracking server. Empty: MLFLOW_TRACKING_URI. Credentials come "
        "from the environment and go only to the server that the environment names."
    )
    registry: WebAddress | None = Field(
        None, description="Address of the model registry, where it is another server."
    )


class _Workload(Part):
    guiderail: Literal[1] = Field(description="Version of this file format.")
    name: Name = Field(description="Name of the workload.")
    version: str = Field(
        min_length=1, max_length=100, description="Version for people; the digest is what counts."
    )
    owner: str = Field(
        min_length=1, max_length=200, description="Person or team that answers for it."
    )
    purpose: Sentence = Field(description="What it is for, in one or two sentences.")
    forbidden_uses: tuple[Sentence, ...] = Field((), description="What it must not be used for.")
    endpoint: Name | None = Field(
        None,
        description="The served name under which the workload is known; default: the name. A "
        "renamed model on the same endpoint is a change, not a first release.",
    )
    code: tuple[RelativePath, ...] = Field(
        (), description="Source files that belong to the release, e.g. the training script."
    )
    use: Use = Field(Use(), description="What the output is used for.")
    facts: dict[FactName, OwnValue] = Field(
        {}, description="Facts that the organisation's own policy asks for, by name."
    )
    mlflow: Mlflow | None = Field(None, description="Where names of MLflow are looked up.")
    rollback: Rollback | None = Field(None, description="How to go back.")
    rollout: Rollout = Field(Rollout(), description="How traffic moves to the new version.")
    evidence: Evidence = Field(Evidence(), description="Reports about this release.")

    @property
    def served_as(self) -> str:
        """The identity of the workload: what is served."""
        return self.endpoint or self.name


class ModelManifest(_Workload):
    """guiderail.yaml of a model."""

    kind: Literal["model"]
    model: Model = Field(description="The model file.")
    training: tuple[DataSource, ...] = Field((), description="Sources of the training data.")
    lineage: tuple[LineageRecord, ...] = Field(
        (), description="What tools recorded about the data that training read."
    )
    evaluation: Evaluation | None = Field(None, description="Frozen evaluation data.")
    explanations: Explanations | None = Field(
        None, description="What people are told about a decision."
    )
    serving: Serving | None = Field(None, description="What serving offers.")
    monitoring: Monitoring = Field(Monitoring(), description="What is watched in production.")


class AppManifest(_Workload):
    """guiderail.yaml of an app."""

    kind: Literal["app"]
    image: RelativePath | None = Field(None, description="Image archive or layout directory.")


class PipelineManifest(_Workload):
    """guiderail.yaml of a data pipeline."""

    kind: Literal["pipeline"]
    sources: tuple[DataSource, ...] = Field((), description="Input tables.")
    lineage: tuple[LineageRecord, ...] = Field(
        (), description="What tools recorded about the data that the pipeline read."
    )
    contract: RelativePath | None = Field(None, description="Data contract of the output.")
    running: Running | None = Field(None, description="How often it runs, and what that takes.")


Manifest = Annotated[ModelManifest | AppManifest | PipelineManifest, Field(discriminator="kind")]

KINDS: Mapping[str, type[ModelManifest] | type[AppManifest] | type[PipelineManifest]] = {
    "model": ModelManifest,
    "app": AppManifest,
    "pipeline": PipelineManifest,
}
