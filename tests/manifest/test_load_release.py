"""Releases: the digests of everything a manifest names, and files that may not be part of one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from guiderail.core.digest import json_digest
from guiderail.core.errors import InputError
from guiderail.manifest.load import load_release
from guiderail.manifest.problems import ManifestError

MANIFEST = """\
guiderail: 1
kind: model
name: credit-score
version: "1"
owner: credit@example.org
purpose: Scores loan applications.
code: [train.py]
model: {file: build/model.skops}
training: [{name: german-credit, data: data/training.csv}]
evaluation: {data: data/evaluation.csv}
serving: {features: features.yaml}
monitoring:
  drift: {profile: profile.json, watched: [age], limit_psi: 0.2, action: review, owner: me}
evidence: {security: scan.sarif, tests: junit.xml}
"""
ARTEFACTS = (
    "build/model.skops",
    "data/training.csv",
    "data/evaluation.csv",
    "features.yaml",
    "profile.json",
    "train.py",
)


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    directory = tmp_path / "workload"
    for name in ARTEFACTS:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")
    (directory / "guiderail.yaml").write_text(MANIFEST)
    return directory


def problems(directory: Path) -> list[InputError]:
    with pytest.raises(ManifestError) as caught:
        load_release(directory)
    return list(caught.value.problems)


def only_problem(directory: Path) -> InputError:
    (problem,) = problems(directory)
    return problem


def sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_every_named_artefact_is_digested_and_reports_are_not(workload: Path) -> None:
    release = load_release(workload)
    assert dict(release.artefacts) == {name: sha256(f"content of {name}") for name in ARTEFACTS}
    assert release.root == workload
    assert release.path("train.py").read_text() == "content of train.py"


def test_the_release_digest_covers_manifest_and_artefacts(workload: Path) -> None:
    release = load_release(workload)
    assert release.digest == json_digest(
        {"manifest": release.canonical, "artefacts": dict(release.artefacts)}
    )


@pytest.mark.parametrize("name", ARTEFACTS)
def test_one_changed_byte_in_any_artefact_changes_the_release(workload: Path, name: str) -> None:
    before = load_release(workload).digest
    (workload / name).write_text(f"Content of {name}")
    assert load_release(workload).digest != before


def test_reports_may_come_go_and_change(workload: Path) -> None:
    before = load_release(workload).digest
    (workload / "junit.xml").write_text("<testsuite/>")
    assert load_release(workload).digest == before


def test_a_release_is_the_same_wherever_it_lies(workload: Path, tmp_path: Path) -> None:
    before = load_release(workload).digest
    moved = workload.rename(tmp_path / "moved")
    assert load_release(moved).digest == before
    assert load_release(moved / "guiderail.yaml").digest == before


def test_every_missing_file_is_named_with_its_place(workload: Path) -> None:
    (workload / "train.py").unlink()
    (workload / "data" / "training.csv").rename(workload / "data" / "trainning.csv")
    found = [
        str(problem).removeprefix(f"{workload}/guiderail.yaml:") for problem in problems(workload)
    ]
    advice = (
        "Paths are relative to the manifest's directory; "
        "build the file first if a script writes it."
    )
    assert found == [
        f"7:8: code.0: there is no file train.py. [manifest/missing-file] {advice}",
        "9:34: training.0.data: there is no file data/training.csv. [manifest/missing-file] "
        f"Did you mean data/trainning.csv? {advice}",
    ]


@pytest.mark.parametrize("name", ["build/model.skops", "train.py", "data"])
def test_a_link_out_of_the_directory_is_refused(workload: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (workload / name).rename(outside)
    (workload / name).symlink_to(outside)
    assert {problem.code for problem in problems(workload)} == {"manifest/path-outside"}


def test_a_report_that_links_out_of_the_directory_is_refused(
    workload: Path, tmp_path: Path
) -> None:
    (tmp_path / "junit.xml").write_text("<testsuite/>")
    (workload / "junit.xml").symlink_to(tmp_path / "junit.xml")
    assert only_problem(workload).code == "manifest/path-outside"


def test_a_link_inside_the_directory_is_followed(workload: Path) -> None:
    before = load_release(workload).digest
    (workload / "train.py").rename(workload / "real.py")
    (workload / "train.py").symlink_to("real.py")
    assert load_release(workload).digest == before


def test_a_loop_of_links_is_an_input_error(workload: Path) -> None:
    (workload / "train.py").unlink()
    (workload / "train.py").symlink_to("train.py")
    assert only_problem(workload).code in ("manifest/unreadable-file", "manifest/missing-file")


def test_a_pipe_is_refused_and_not_waited_for(workload: Path) -> None:
    (workload / "train.py").unlink()
    os.mkfifo(workload / "train.py")
    assert only_problem(workload).code == "manifest/not-a-file"


def test_a_directory_cannot_stand_for_a_data_file(workload: Path) -> None:
    (workload / "data" / "training.csv").unlink()
    (workload / "data" / "training.csv").mkdir()
    assert only_problem(workload).code == "manifest/not-a-file"


def test_a_file_that_cannot_be_read_is_an_input_error(workload: Path) -> None:
    name = "x" * 300  # longer than file systems allow
    manifest = workload / "guiderail.yaml"
    manifest.write_text(MANIFEST.replace("code: [train.py]", f"code: [{name}]"))
    problem = only_problem(workload)
    assert problem.code == "manifest/unreadable-file"
    assert problem.what.endswith("cannot be read: File name too long.")


class TestModelDirectory:
    """MLflow saves a model as a directory of several files."""

    @pytest.fixture
    def model(self, workload: Path) -> Path:
        model = workload / "build" / "model.skops"
        model.unlink()
        (model / "data").mkdir(parents=True)
        (model / "MLmodel").write_text("flavors: {}")
        (model / "data" / "model.skops").write_text("weights")
        return model

    def test_its_digest_covers_names_and_bytes(self, workload: Path, model: Path) -> None:
        files = {"MLmodel": sha256("flavors: {}"), "data/model.skops": sha256("weights")}
        assert load_release(workload).artefacts["build/model.skops"] == json_digest(
            {"files": files}
        )

    def test_a_renamed_file_changes_it(self, workload: Path, model: Path) -> None:
        before = load_release(workload).digest
        (model / "data" / "model.skops").rename(model / "data" / "other.skops")
        assert load_release(workload).digest != before

    def test_an_empty_directory_is_refused(self, workload: Path, model: Path) -> None:
        (model / "MLmodel").unlink()
        (model / "data" / "model.skops").unlink()
        assert only_problem(workload).code == "manifest/empty-directory"

    def test_a_file_that_links_out_is_refused(self, workload: Path, model: Path) -> None:
        (workload.parent / "secret").write_text("x")
        (model / "data" / "link").symlink_to(workload.parent / "secret")
        assert only_problem(workload).code == "manifest/path-outside"

    def test_a_linked_directory_is_refused_because_it_would_be_skipped(
        self, workload: Path, model: Path
    ) -> None:
        (model / "linked").symlink_to(workload / "data")
        problem = only_problem(workload)
        assert problem.code == "manifest/not-a-file"
        assert "build/model.skops/linked" in problem.what

    def test_too_many_files_are_refused(
        self, workload: Path, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("guiderail.manifest.artefacts.LARGEST_DIRECTORY", 1)
        assert only_problem(workload).code == "manifest/directory-too-large"


@pytest.mark.parametrize(
    ("kind", "extra", "names"),
    [
        ("app", "image: image.tar", ["image.tar"]),
        ("pipeline", "sources: [{name: a, data: a.csv}]\ncontract: c.yaml", ["a.csv", "c.yaml"]),
    ],
)
def test_apps_and_pipelines_have_artefacts_too(
    tmp_path: Path, kind: str, extra: str, names: list[str]
) -> None:
    head = MANIFEST.split("code:")[0].replace("kind: model", f"kind: {kind}")
    (tmp_path / "guiderail.yaml").write_text(f"{head}{extra}\n")
    for name in names:
        (tmp_path / name).write_text("x")
    assert sorted(load_release(tmp_path).artefacts) == names


class TestWithStatCache:
    def test_it_gives_the_same_release(self, workload: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache" / "digests.json"
        plain = load_release(workload)
        assert load_release(workload, stat_cache=cache) == plain
        assert load_release(workload, stat_cache=cache) == plain

    def test_a_changed_file_is_seen(self, workload: Path, tmp_path: Path) -> None:
        cache = tmp_path / "digests.json"
        before = load_release(workload, stat_cache=cache).digest
        (workload / "train.py").write_text("Content of train.py")
        assert load_release(workload, stat_cache=cache).digest != before

    def test_a_damaged_cache_is_ignored(self, workload: Path, tmp_path: Path) -> None:
        cache = tmp_path / "digests.json"
        cache.write_text("{")
        assert load_release(workload, stat_cache=cache) == load_release(workload)


def test_reading_a_release_imports_nothing_heavy(workload: Path) -> None:
    script = (
        "import json, pathlib, sys; from guiderail.manifest.load import load_release; "
        f"load_release(pathlib.Path({str(workload)!r})); print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    loaded = set(json.loads(run.stdout))
    assert "guiderail.manifest.load" in loaded
    assert not loaded & {"numpy", "pandas", "scipy", "duckdb", "sqlalchemy", "sklearn"}
