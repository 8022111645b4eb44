"""Manifests that load, manifests that do not and what is said about them, and canonical form."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from guiderail.core.errors import InputError, Place
from guiderail.manifest.load import load_manifest
from guiderail.manifest.problems import ManifestError
from guiderail.manifest.schema import ModelManifest

HEAD = """\
guiderail: 1
kind: model
name: credit-score
version: "1"
owner: credit@example.org
purpose: Scores loan applications.
"""
MODEL = HEAD + "model: {file: model.skops}\n"


def write(directory: Path, text: str) -> Path:
    file = directory / "guiderail.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


def problems(directory: Path, text: str) -> list[str]:
    """Every problem as `line:column: what [code] advice`."""
    file = write(directory, text)
    with pytest.raises(ManifestError) as caught:
        load_manifest(directory)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


class TestLoading:
    def test_a_directory_and_its_file_load_alike(self, tmp_path: Path) -> None:
        file = write(tmp_path, MODEL)
        assert load_manifest(tmp_path) == load_manifest(file)

    def test_defaults_are_filled_in(self, tmp_path: Path) -> None:
        write(tmp_path, MODEL)
        loaded = load_manifest(tmp_path)
        assert isinstance(loaded.manifest, ModelManifest)
        assert loaded.manifest.rollout.steps == (10, 50, 100)
        assert loaded.manifest.use.domain is None
        assert loaded.manifest.served_as == "credit-score"

    def test_places_say_where_keys_stand(self, tmp_path: Path) -> None:
        file = write(tmp_path, MODEL + "use:\n  domain: credit\n")
        places = load_manifest(tmp_path).places
        assert places["use.domain"] == Place(str(file), 9, 3)
        assert places["model.file"] == Place(str(file), 7, 9)

    def test_the_places_of_a_relative_directory_are_relative(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, MODEL)
        monkeypatch.chdir(tmp_path)
        assert load_manifest(Path(".")).places["name"] == Place("guiderail.yaml", 3, 1)

    def test_a_missing_manifest_says_how_to_get_one(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            load_manifest(tmp_path)
        assert caught.value.code == "manifest/not-found"
        assert "guiderail init" in caught.value.advice

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "guiderail.yaml")
        with pytest.raises(InputError) as caught:
            load_manifest(tmp_path)
        assert caught.value.code == "manifest/not-found"

    @pytest.mark.parametrize("text", ["- a list\n", "only text\n", "7\n"])
    def test_a_manifest_is_a_mapping(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, text)
        with pytest.raises(InputError) as caught:
            load_manifest(tmp_path)
        assert caught.value.code == "manifest/not-a-mapping"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("name: x\n", "1:1: kind is missing. [manifest/missing-key] "
             "Say what is deployed; choices: model, app, pipeline."),
            ("kind: modell\n", "1:7: kind cannot be modell. [manifest/unknown-choice] "
             "Did you mean model? Choices: model, app, pipeline."),
            ("kind: ''\n", "1:7: kind is empty. [manifest/unknown-choice] "
                           "Choices: model, app, pipeline."),
            (f"kind: {'a' * 5000}\n", f"1:7: kind cannot be {'a' * 57}.... "
             "[manifest/unknown-choice] Choices: model, app, pipeline."),
            ("kind: [7]\n", "1:7: kind must be text. [manifest/unknown-choice] "
             "Choices: model, app, pipeline."),
            ("kind:\n", "1:6: kind must be text. [manifest/unknown-choice] "
             "Choices: model, app, pipeline."),
        ],
    )  # fmt: skip
    def test_an_unknown_kind(self, tmp_path: Path, text: str, message: str) -> None:
        file = write(tmp_path, text)
        with pytest.raises(InputError) as caught:
            load_manifest(tmp_path)
        assert str(caught.value) == f"{file}:{message}"


# Appended to MODEL, whose last line is line 7.
BAD = [
    ("owne: x\n",
     "8:1: owne is not a key at the top of a manifest of kind model. [manifest/unknown-key] "
     "Did you mean owner? Keys here: guiderail, name, version, owner, purpose, forbidden_uses, "
     "endpoint, code, use, facts, mlflow, rollback, rollout, evidence, kind, model, training, "
     "lineage, evaluation, explanations, serving, monitoring."),
    ("use: {domian: credit}\n",
     "8:7: domian is not a key in use. [manifest/unknown-key] Did you mean domain? Keys here: "
     "prohibited, domain, affects_people, customer_facing, decision, influence, exposure, "
     "regulated, reversible, population, jurisdictions."),
    ("rollback: {fallback: manual, threshold: 1}\n",
     "8:30: threshold is not a key in rollback. [manifest/unknown-key] It belongs in model. "
     "Keys here: fallback, downstream."),
    ("use:\n  domain: credt\n",
     "9:11: use.domain cannot be credt. [manifest/unknown-choice] Did you mean credit? Choices: "
     "credit, fraud, insurance, employment, housing, education, health, essential_services, law, "
     "pricing, moderation, marketing, recommendation, operations, other."),
    ("use: {decision: yes}\n",
     "8:17: use.decision cannot be yes. [manifest/unknown-choice] "
     "Choices: none, minor, significant."),
    ("use: {regulated: no}\n",
     "8:18: use.regulated must be true or false, not text. [manifest/wrong-value] "
     "Write false without quotes."),
    ("use: {regulated: 'True'}\n",
     "8:18: use.regulated must be true or false, not text. [manifest/wrong-value] "
     "Write true without quotes."),
    ("use: {regulated: 1}\n",
     "8:18: use.regulated must be true or false, not a number. [manifest/wrong-value] "
     "Write true or false."),
    ("use: {jurisdictions: DE}\n",
     "8:22: use.jurisdictions must be a list, not text. [manifest/wrong-value] "
     "Put it in brackets: [DE]."),
    ("training: [{name: a}]\n",
     "8:12: training.0.data is missing. [manifest/missing-key] Add `data:` under training.0. "
     "The snapshot that was used, a CSV or Parquet file; also runs:/RUN_ID/PATH."),
    ("training: {}\n",
     "8:11: training must be a list, not a section with keys. [manifest/wrong-value] "
     "Write a list."),
    ("evaluation: holdout.csv\n",
     "8:13: evaluation must be a section with keys of its own, not text. [manifest/wrong-value] "
     "Write a section with keys of its own."),
    ("rollout:\n",
     "8:9: rollout is empty and must be a section with keys of its own. [manifest/wrong-value] "
     "Write a value or remove the key."),
    ("rollout: {steps: [10, 20.5, 100]}\n",
     "8:23: rollout.steps.1 must be a whole number, not a number with decimals. "
     "[manifest/wrong-value] Leave out the decimals."),
    ("rollout: {hold_seconds: -1}\n",
     "8:25: rollout.hold_seconds must be at least 0. [manifest/wrong-value] "
     "Write a number in this range."),
    ("endpoint: Credit Score\n",
     "8:11: endpoint must be lower-case letters, digits and hyphens, beginning with a letter. "
     "[manifest/wrong-value] For example credit-score."),
    ("forbidden_uses: ['  ']\n",
     "8:18: forbidden_uses.0 is blank. [manifest/wrong-value] "
     "Write something that tells a reader what is meant."),
    ("rollout: {steps: [50, 10, 100]}\n",
     "8:18: rollout.steps must rise from step to step and end at 100. [manifest/rollout-steps] "
     "For example [10, 50, 100]."),
    ("rollout: {steps: [10, 50]}\n",
     "8:18: rollout.steps must rise from step to step and end at 100. [manifest/rollout-steps] "
     "For example [10, 50, 100]."),
    ("rollout: {steps: []}\n",
     "8:18: rollout.steps must rise from step to step and end at 100. [manifest/rollout-steps] "
     "For example [10, 50, 100]."),
    ("rollout: {steps: [50, 50, 100]}\n",
     "8:18: rollout.steps must rise from step to step and end at 100. [manifest/rollout-steps] "
     "For example [10, 50, 100]."),
    ("training:\n  - {name: a, data: a.csv}\n  - {name: a, data: b.csv}\n",
     "10:12: training lists a twice. [manifest/repeated] Keep one of the two."),
    ("evaluation: {data: e.csv, metric: f1}\n",
     "8:35: evaluation.metric needs evaluation.label. [manifest/label-missing] "
     "Name the column with the true outcome."),
    ("evaluation: {data: e.csv, floor_percent: -5}\n",
     "8:42: evaluation.floor_percent needs evaluation.metric. [manifest/metric-missing] "
     "Name the metric that the floor is about."),
    ("evaluation: {data: e.csv, label: y, metric: f1, floor_percent: 5}\n",
     "8:64: evaluation.floor_percent must be at most 0. [manifest/wrong-value] "
     "Write a number in this range."),
    ("evaluation: {data: e.csv, label: y, metric: mae, positive: '1'}\n",
     "8:45: evaluation.metric mae is for predicted numbers, and evaluation.positive is for "
     "classes. [manifest/metric-and-classes] Choose a metric for classes, or remove "
     "evaluation.positive."),
    ("evaluation: {data: e.csv, label: y, protected: [sex, y]}\n",
     "8:34: The column y is the label and something else as well. [manifest/label-reused] "
     "Name it under evaluation.label alone."),
    ("evaluation: {data: e.csv, protected: [sex, sex]}\n",
     "8:44: evaluation.protected lists sex twice. [manifest/repeated] Keep one of the two."),
    ("code: [../train.py]\n",
     "8:8: code.0 steps out of a directory with two dots. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ("code: [/etc/passwd]\n",
     "8:8: code.0 is an absolute path. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ("code: ['C:\\train.py']\n",
     "8:8: code.0 holds a backslash. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ("code: ['C:train.py']\n",
     "8:8: code.0 is an absolute path. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ('code: ["a\\0b"]\n',
     "8:8: code.0 holds a control character. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ("code: [.]\n",
     "8:8: code.0 is the manifest's directory itself. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
    ("evidence: {tests: a/../../b.xml}\n",
     "8:19: evidence.tests steps out of a directory with two dots. [manifest/path-outside] "
     "Name a file inside the manifest's directory, with / between directories."),
]  # fmt: skip


@pytest.mark.parametrize(("addition", "message"), BAD)
def test_a_bad_manifest_is_explained(tmp_path: Path, addition: str, message: str) -> None:
    assert problems(tmp_path, MODEL + addition) == [message]


# Values of `model` and of the head, which MODEL holds already.
BAD_BASICS = [
    (HEAD,
     "1:1: model is missing. [manifest/missing-key] Add `model:`. The model file."),
    (HEAD + "model:\n  threshold: 1\n",
     "7:1: model.file is missing. [manifest/missing-key] Add `file:` under model. "
     "The model file: skops, ONNX, a booster, joblib, or an MLflow directory. Also a name of "
     "MLflow: models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-ID or runs:/RUN_ID/PATH; "
     "`guiderail fetch` pins and copies it."),
    (HEAD + "model:\n  file: m\n  threshold: '0.5'\n",
     "9:14: model.threshold must be a number, not text. [manifest/wrong-value] "
     "Write the number alone, without quotes and unit, with a point before decimals."),
    (HEAD + "model:\n  file: m\n  threshold: 50 %\n",
     "9:14: model.threshold must be a number, not text. [manifest/wrong-value] "
     "Write the number alone, without quotes and unit, with a point before decimals."),
    (HEAD + "model:\n  file: m\n  threshold: true\n",
     "9:14: model.threshold must be a number, not true or false. [manifest/wrong-value] "
     "Write a number."),
    (HEAD + "model:\n  file: m\n  threshold: 0.5\n  threshold_envelope: [0.4]\n",
     "10:23: model.threshold_envelope lists too few values. [manifest/wrong-value] "
     "Write all of them, in brackets."),
    (HEAD + "model:\n  file: m\n  threshold: 0.5\n  threshold_envelope: [0.4, 0.5, 0.6]\n",
     "10:23: model.threshold_envelope must have at most 2 entries. [manifest/wrong-value] "
     "Keep the ones that count."),
    (HEAD + "model:\n  file: m\n  threshold: 0.5\n  threshold_envelope: [0.6, 0.4]\n",
     "10:23: model.threshold_envelope runs from 0.6 down to 0.4. [manifest/envelope-reversed] "
     "Write the lower end first: [0.4, 0.6]."),
    (HEAD + "model:\n  file: m\n  threshold: 0.5\n  threshold_envelope: [0.6, 0.7]\n",
     "10:23: model.threshold 0.5 lies outside its envelope, 0.6 to 0.7. "
     "[manifest/envelope-excludes-threshold] "
     "Widen the envelope or move the threshold; a reviewer approves both together."),
    (HEAD + "model:\n  file: m\n  threshold_envelope: [0.6, 0.7]\n",
     "9:23: model.threshold_envelope is written and model.threshold is not. "
     "[manifest/envelope-without-threshold] Write the threshold, or remove the envelope."),
    (MODEL.replace("guiderail: 1", "guiderail: 2"),
     "1:12: guiderail cannot be 2. [manifest/unknown-choice] Choices: 1."),
    (MODEL.replace('"1"', "1.10"),
     '4:10: version must be text, not a number. [manifest/wrong-value] Put it in quotes: "1.10".'),
    (MODEL.replace("owner: credit@example.org", "owner:"),
     "5:7: owner is empty and must be text. [manifest/wrong-value] Write a value."),
    (MODEL.replace("owner: credit@example.org", "owner: ''"),
     "5:8: owner is empty. [manifest/wrong-value] Write a value."),
    (MODEL.replace("credit-score", "x" * 64),
     "3:7: name is longer than 63 characters. [manifest/wrong-value] Shorten it."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_BASICS)
def test_a_bad_basic_value_is_explained(tmp_path: Path, text: str, message: str) -> None:
    assert problems(tmp_path, text) == [message]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = MODEL + "use:\n  domain: credt\n  regulated: maybe\nnope: 1\nrollout: {steps: [x]}\n"
    found = problems(tmp_path, text)
    assert [line.split(": ")[0] for line in found] == ["9:11", "10:14", "11:1", "12:19"]


def test_the_message_of_several_problems_holds_them_all(tmp_path: Path) -> None:
    file = write(tmp_path, MODEL + "nope: 1\nnada: 2\n")
    with pytest.raises(ManifestError) as caught:
        load_manifest(tmp_path)
    lines = caught.value.what.splitlines()
    assert lines[0] == "The manifest has 2 problems:"
    assert [line.split(" is ")[0] for line in lines[1:]] == [
        f"{file}:8:1: nope",
        f"{file}:9:1: nada",
    ]
    assert caught.value.code == "manifest/invalid"
