"""The first manifest: what is read, where it says it comes from, what stays open."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.errors import InputError
from guiderail.manifest.initial import Proposal, propose, write_proposal
from guiderail.manifest.json_schema import SCHEMA_FILE
from guiderail.manifest.load import load_manifest
from guiderail.manifest.schema import (
    AppManifest,
    Metric,
    ModelManifest,
    PipelineManifest,
    Use,
)
from guiderail.manifest.strict_yaml import load
from guiderail.sandbox.model_summary import ModelSummary, refused

SKOPS = ModelSummary("skops", "safe", inputs=(("age", "number"), ("amount", "number")))


def no_model(path: Path) -> ModelSummary | None:
    return None


def skops_only(path: Path) -> ModelSummary | None:
    return SKOPS if path.suffix == ".skops" else None


def lay(directory: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content), encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "Credit Score"
    directory.mkdir()
    return directory


def written(directory: Path, proposal: Proposal) -> Any:
    """The manifest that loads from a proposal."""
    write_proposal(directory, proposal)
    return load_manifest(directory).manifest


FULL_PROPOSAL = textwrap.dedent("""\
        # yaml-language-server: $schema=./guiderail.schema.json
        # Written by `guiderail init`. A comment says where a value was read; correct what is
        # wrong. An empty key is an open question, counted as the worst it could be.
        guiderail: 1
        kind: model  # model.skops is a model
        name: consumer-credit  # name of the git remote
        version: "2.1"  # pyproject.toml
        owner: "@credit-team"  # CODEOWNERS
        purpose: Scores loans.  # pyproject.toml
        code:
          - train.py  # name says that it trains

        model:
          file: model.skops  # found by its name; format skops
          # also found: backup.pkl

        training:
          - name: training
            data: data/training.csv  # found by its name
            # Which licence, consent or approval allows this use of the data.
            permission:

        evaluation:
          data: data/holdout.csv  # found by its name
          label: good  # column of data/holdout.csv
          metric:

        serving:
          features: features.yaml  # found by its name
        """)


def test_a_full_model_repository(repository: Path) -> None:
    lay(repository, {
        ".git/config": """
            [core]
                bare = false
            [remote "origin"]
                url = git@git.example.org:risk/consumer_credit.git
            [user]
                email = ada@example.org
            """,
        "CODEOWNERS": "docs/ @writers\n* @credit-team @others  # everything\n",
        "pyproject.toml": '[project]\nname = "x"\nversion = "2.1"\ndescription = "Scores loans."\n',
        "train.py": "save('model.skops')",
        "model.skops": "",
        "backup.pkl": "",
        "data/training.csv": "age,amount,good\n",
        "data/holdout.csv": "age,amount,good\n",
        "features.yaml": "",
        "reports/scan.sarif": "{}",
        "reports/junit.xml": '<?xml version="1.0"?>\n<testsuites></testsuites>',
        "reports/coverage.xml": "<coverage/>",
        "node_modules/x/other.onnx": "",
    })  # fmt: skip
    proposal = propose(repository, skops_only)
    question = f"The primary metric, chosen beforehand. ({', '.join(get_args(Metric))})"
    metric = "".join(f"  # {line}\n" for line in textwrap.wrap(question, 94))
    assert metric in proposal.text
    assert proposal.text.replace(metric, "").split("\n# What the output")[0] == FULL_PROPOSAL
    manifest = written(repository, proposal)
    assert isinstance(manifest, ModelManifest)
    assert manifest.evidence.security == "reports/scan.sarif"
    assert manifest.evidence.tests == "reports/junit.xml"
    assert "owner" not in proposal.unknown
    assert set(proposal.unknown) >= {"use.domain", "evaluation.metric", "rollback", "monitoring"}


def test_every_use_question_is_open_and_explained(repository: Path) -> None:
    proposal = propose(repository, no_model)
    assert written(repository, proposal).use == Use()
    lines = proposal.text.splitlines()
    for name, field in Use.model_fields.items():
        assert f"use.{name}" in proposal.unknown
        at = next(number for number, line in enumerate(lines) if line.startswith(f"  {name}:"))
        assert str(field.description)[:60] in " ".join(
            line.strip(" #") for line in lines[at - 3 : at]
        )


def test_an_empty_directory_gives_a_manifest_that_loads(repository: Path) -> None:
    proposal = propose(repository, no_model)
    manifest = written(repository, proposal)
    assert isinstance(manifest, AppManifest)
    assert manifest.name == "credit-score"
    assert set(proposal.unknown) >= {"kind", "owner", "purpose"}


def test_a_dockerfile_makes_an_app(repository: Path) -> None:
    lay(
        repository,
        {"Dockerfile": "FROM scratch", "README.md": "# Desk\n\nShows scores to people.\n"},
    )
    manifest = written(repository, propose(repository, no_model))
    assert isinstance(manifest, AppManifest)
    assert manifest.code == ("Dockerfile",)
    assert manifest.purpose == "Shows scores to people."


def test_a_dbt_project_makes_a_pipeline(repository: Path) -> None:
    lay(repository, {
        "dbt_project.yml": "name: 'credit_features'\nversion: '1.2'  # ours\n",
        "seeds/applications.csv": "id\n",
        "contracts/output_contract.yml": "",
        "Dockerfile": "FROM scratch",
    })  # fmt: skip
    manifest = written(repository, propose(repository, no_model))
    assert isinstance(manifest, PipelineManifest)
    assert (manifest.name, manifest.version) == ("credit-features", "1.2")
    assert [source.data for source in manifest.sources] == ["seeds/applications.csv"]
    assert manifest.contract == "contracts/output_contract.yml"


def test_a_training_script_without_a_model_names_what_it_will_write(repository: Path) -> None:
    lay(repository, {"src/train_model.py": "dump(model, 'build/model.joblib')"})
    manifest = written(repository, propose(repository, no_model))
    assert manifest.model.file == "build/model.joblib"


def test_a_training_script_that_names_no_file_leaves_the_question_open(repository: Path) -> None:
    lay(repository, {"train.py": "dump(model, path)"})
    proposal = propose(repository, no_model)
    assert "model.file" in proposal.unknown
    assert written(repository, proposal).model.file == "model.skops"


def test_a_safe_model_comes_before_one_that_would_be_refused(repository: Path) -> None:
    lay(repository, {"a.pkl": "", "deep/down/z.skops": ""})

    def inspect(path: Path) -> ModelSummary | None:
        return SKOPS if path.suffix == ".skops" else refused("pickle", "it runs os.system")

    proposal = propose(repository, inspect)
    assert "file: deep/down/z.skops" in proposal.text
    (repository / "deep/down/z.skops").unlink()
    assert (
        "file: a.pkl  # format pickle; would be refused: it runs os.system"
        in propose(repository, inspect).text
    )


def test_an_mlflow_directory_is_one_model(repository: Path) -> None:
    lay(repository, {"artifacts/model/MLmodel": "", "artifacts/model/model.pkl": ""})
    proposal = propose(repository, no_model)
    assert written(repository, proposal).model.file == "artifacts/model"
    assert "also found" not in proposal.text


@pytest.mark.parametrize(
    ("threshold", "line"), [(0.35, "threshold: 0.35"), (1e-7, "threshold: 0.0000001")]
)
def test_a_threshold_in_the_model_is_taken_over(
    repository: Path, threshold: float, line: str
) -> None:
    lay(repository, {"model.skops": ""})
    proposal = propose(repository, lambda path: ModelSummary("skops", "safe", threshold=threshold))
    assert line in proposal.text
    assert written(repository, proposal).model.threshold == threshold


def test_a_threshold_that_is_no_number_is_left_out(repository: Path) -> None:
    lay(repository, {"model.skops": ""})
    nan = ModelSummary("skops", "safe", threshold=float("nan"))
    assert written(repository, propose(repository, lambda path: nan)).model.threshold is None


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("age,amount,label", "label"),
        ("age;amount;Target", "Target"),
        ("age,amount,repaid", "repaid"),  # the only column that is no input
        ("age,amount,repaid,sex", None),
        ("age,income,repaid", None),  # an input of the model is missing
        ("age,amount,label,target", None),
        ("age,amount", None),
        ("", None),
    ],
)
def test_the_label_is_taken_only_when_it_is_obvious(
    repository: Path, header: str, label: str | None
) -> None:
    lay(repository, {"model.skops": "", "evaluation.csv": header + "\n"})
    proposal = propose(repository, skops_only)
    assert written(repository, proposal).evaluation.label == label
    assert ("evaluation.label" in proposal.unknown) == (label is None)


def test_sources_of_the_same_name_are_told_apart(repository: Path) -> None:
    lay(
        repository, {"model.skops": "", "a/train.csv": "", "b/train.csv": "", "c/train.parquet": ""}
    )
    manifest = written(repository, propose(repository, no_model))
    assert [source.name for source in manifest.training] == ["train", "train-2", "train-3"]


def test_the_later_part_is_valid_once_it_is_opened(repository: Path) -> None:
    lay(repository, {"model.skops": ""})
    text = propose(repository, no_model).text
    head, later = text.split("# To add when you know it", 1)
    opened = [line.removeprefix("# ") for line in later.splitlines()[1:]]
    (repository / "guiderail.yaml").write_text(head + "\n".join(opened) + "\n")
    manifest = load_manifest(repository).manifest
    assert isinstance(manifest, ModelManifest)
    assert manifest.rollback is not None
    assert manifest.monitoring.drift is not None


class TestOwner:
    def owner(self, directory: Path) -> str:
        return str(written(directory, propose(directory, no_model)).owner)

    def test_the_last_rule_that_covers_the_directory_counts(self, tmp_path: Path) -> None:
        lay(tmp_path, {
            ".git/HEAD": "",
            ".github/CODEOWNERS": """
                * @everyone
                /models/ @modelers
                /models/other/ @others
                *.md @docs
                """,
            "models/credit/x": "",
        })  # fmt: skip
        assert self.owner(tmp_path / "models/credit") == "@modelers"

    def test_git_configuration_comes_second(self, repository: Path) -> None:
        lay(repository, {".git/config": "[user]\n\temail = ada@example.org\n"})
        assert self.owner(repository) == "ada@example.org"

    @pytest.mark.parametrize("config", ["[user\nemail", "email = x", "[user]\n email", "\x00"])
    def test_broken_git_configuration_is_no_obstacle(self, repository: Path, config: str) -> None:
        lay(repository, {".git/config": config})
        assert self.owner(repository) == "nobody-named-yet"


class TestNothingIsTouched:
    def test_an_existing_manifest_is_never_overwritten(self, repository: Path) -> None:
        lay(repository, {"guiderail.yaml": "mine\n"})
        with pytest.raises(InputError) as caught:
            propose(repository, no_model)
        assert caught.value.code == "manifest/exists"
        with pytest.raises(InputError) as caught:
            write_proposal(repository, Proposal("x", ()))
        assert caught.value.code == "manifest/exists"
        assert (repository / "guiderail.yaml").read_text() == "mine\n"

    def test_a_dangling_link_in_its_place_is_not_followed(self, repository: Path) -> None:
        (repository / "guiderail.yaml").symlink_to(repository / "elsewhere")
        with pytest.raises(InputError):
            write_proposal(repository, Proposal("x", ()))
        assert not (repository / "elsewhere").exists()

    def test_proposing_writes_nothing(self, repository: Path) -> None:
        lay(repository, {"model.skops": "", "train.py": ""})
        before = sorted(repository.rglob("*"))
        propose(repository, no_model)
        assert sorted(repository.rglob("*")) == before

    def test_nothing_from_the_repository_is_executed(self, repository: Path) -> None:
        canary = repository / "canary"
        touch = f"import pathlib; pathlib.Path({str(canary)!r}).touch()"
        lay(repository, {
            ".git/config": f"[core]\n\tfsmonitor = touch {canary}\n[include]\n\tpath = ../evil\n",
            "train.py": touch, "conftest.py": touch, "setup.py": touch, "sitecustomize.py": touch,
        })  # fmt: skip
        propose(repository, no_model)
        assert not canary.exists()

    def test_the_schema_is_written_beside_and_kept(self, repository: Path) -> None:
        files = write_proposal(repository, propose(repository, no_model))
        assert [file.name for file in files] == ["guiderail.yaml", "guiderail.schema.json"]
        assert files[1].read_bytes() == SCHEMA_FILE.read_bytes()
        (repository / "guiderail.yaml").unlink()
        assert len(write_proposal(repository, propose(repository, no_model))) == 1

    def test_a_missing_directory_is_an_input_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            propose(tmp_path / "missing", no_model)
        assert caught.value.code == "manifest/not-a-directory"


class TestHostileRepositories:
    def test_links_are_not_followed(self, repository: Path, tmp_path: Path) -> None:
        lay(tmp_path, {"outside/model.skops": ""})
        (repository / "linked").symlink_to(tmp_path / "outside")
        (repository / "model.skops").symlink_to(tmp_path / "outside/model.skops")
        assert "model.skops" not in propose(repository, skops_only).text

    def test_pipes_are_not_waited_for(self, repository: Path) -> None:
        for name in ("README.md", "CODEOWNERS", "pyproject.toml", "report.xml", "evaluation.csv"):
            os.mkfifo(repository / name)
        assert propose(repository, no_model).text

    @pytest.mark.parametrize(
        "name",
        ["a: b.skops", "ab: c.skops", "a #b.skops", "- x.skops", "é\u2028.skops", "*a.skops",
         "a\nb.skops", "\u202e.skops", "'.skops", "a\\b.skops"],
    )  # fmt: skip
    def test_strange_file_names_do_not_break_the_manifest(
        self, repository: Path, name: str
    ) -> None:
        lay(repository, {name: "", "train.py": "'other.skops'"})
        manifest = written(repository, propose(repository, skops_only))
        assert manifest.model.file in (name, "other.skops")

    @pytest.mark.parametrize(
        "content", ["[", "[project]\nname = 3", "[project]\nname = ''", "\x00", "project = 1"]
    )
    def test_broken_project_files_count_as_absent(self, repository: Path, content: str) -> None:
        lay(repository, {"pyproject.toml": content, "package.json": content})
        assert written(repository, propose(repository, no_model)).name == "credit-score"

    @given(text=st.text(max_size=80))
    def test_any_description_can_be_written(
        self, text: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        directory = tmp_path_factory.mktemp("any")
        readme = text.encode("utf-8", "replace")
        (directory / "README.md").write_bytes(b"Intro " + readme)
        (directory / "CODEOWNERS").write_bytes(b"* " + readme)
        proposal = propose(directory, no_model)
        assert load(proposal.text, "guiderail.yaml").data["guiderail"] == 1
        assert written(directory, proposal).name
