"""Who worked on a release: real git repositories, also hostile and incomplete ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.people.register import Person
from guiderail.review.contributors import CUT_OFF, contributors
from tests.review.people import register

PEOPLE = register(Person(id="emil", name="Emil", git_emails=("emil@example.org",)))


def git(directory: Path, *arguments: str, email: str = "emil@example.org") -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "GIT_AUTHOR_NAME": "Somebody",
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": "Somebody",
        "GIT_COMMITTER_EMAIL": email,
    }
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - git of the machine
        cwd=directory,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "repository"
    (directory / "model").mkdir(parents=True)
    git(directory, "init", "-q")
    for number, email in enumerate(("emil@example.org", "guest@example.org")):
        (directory / "model" / "train.py").write_text(f"print({number})\n")
        git(directory, "add", ".", email=email)
        git(directory, "commit", "-q", "-m", "Train", email=email)
    return directory


def test_authors_of_the_directory_are_found_and_strangers_are_shown(repository: Path) -> None:
    assert contributors(repository / "model", PEOPLE) == {"emil", "email:guest@example.org"}


def test_somebody_who_changed_only_other_files_is_no_contributor(repository: Path) -> None:
    (repository / "README").write_text("hello\n")
    git(repository, "add", ".", email="writer@example.org")
    git(repository, "commit", "-q", "-m", "Say hello", email="writer@example.org")
    assert "email:writer@example.org" not in contributors(repository / "model", PEOPLE)


def test_a_directory_in_no_repository_has_no_history(tmp_path: Path) -> None:
    assert contributors(tmp_path, PEOPLE) == frozenset()


def test_a_repository_without_a_commit_has_no_authors(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert contributors(tmp_path, PEOPLE) == frozenset()


def test_a_shallow_clone_says_that_its_history_is_cut_off(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    assert contributors(tmp_path / "shallow", PEOPLE) == {"email:guest@example.org", CUT_OFF}


def test_a_broken_history_is_refused(repository: Path) -> None:
    shutil.rmtree(repository / ".git" / "objects")
    with pytest.raises(InputError) as refusal:
        contributors(repository / "model", PEOPLE)
    assert refusal.value.code == "history/unknown"


def test_git_settings_of_the_caller_do_not_change_what_is_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "empty")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "empty" / ".git"))
    assert "emil" in contributors(repository / "model", PEOPLE)


@pytest.mark.parametrize("hidden", [True, False], ids=["in .git", "as plain files"])
def test_a_crafted_repository_runs_nothing(repository: Path, tmp_path: Path, hidden: bool) -> None:
    """A missing object would be fetched from a remote whose ssh command is the attacker's."""
    canary = tmp_path / "canary"
    victim = repository / "model"
    tree = git(repository, "rev-parse", "HEAD:model")
    attack = repository / ".git"
    if not hidden:
        for part in attack.iterdir():
            target = victim / part.name
            shutil.copytree(part, target) if part.is_dir() else shutil.copy(part, target)
        shutil.rmtree(attack)
        attack = victim
    with (attack / "config").open("a") as config:
        config.write(
            "[core]\n"
            f"\tsshCommand = touch {canary};false\n"
            f"\tfsmonitor = touch {canary}\n"
            "\trepositoryFormatVersion = 1\n"
            "[extensions]\n\tpartialClone = origin\n"
            '[remote "origin"]\n\turl = ssh://nowhere.invalid/x\n\tpromisor = true\n'
        )
    (attack / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(InputError):
        contributors(victim, PEOPLE)
    assert not canary.exists()
