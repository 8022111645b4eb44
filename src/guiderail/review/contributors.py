"""Who worked on a release, read from its git history.

The repository is not trusted: it may be crafted so that reading it would run something. git gets an
environment of its own, may use no transport and no helper that the repository names, and opens no
repository that is only embedded in another. What cannot be read for certain is refused, because
"nobody worked on it" would let an author approve.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.people.register import Register

_SECONDS = 60
_GUARDED = (
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "core.sshCommand=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
)
_NO_REPOSITORY = "not a git repository"


CUT_OFF = "history:cut-off"
"""Stands among the contributors where earlier commits are not in the clone."""


def contributors(directory: Path, register: Register) -> frozenset[str]:
    """Everybody whose e-mail authored or committed a change to the directory.

    Ids of people in the register; `email:` and the address for those who are not in it, and
    `CUT_OFF` where the clone is shallow, so that reviewers see both.
    Empty where the directory is in no git repository: the submitter alone is then known.
    Raises InputError `history/unknown` where there is a repository that cannot be read.
    """
    try:
        shallow = _git(directory, "rev-parse", "--is-shallow-repository")
    except _NoRepositoryError:
        return frozenset()
    cut = frozenset() if shallow.strip() == "false" else frozenset({CUT_OFF})
    try:
        emails = set(_git(directory, "log", "--format=%ae%n%ce", "HEAD", "--", ".").split())
    except InputError as error:
        if "ambiguous argument 'HEAD'" in error.what or "bad revision 'HEAD'" in error.what:
            return cut  # a repository without a single commit
        raise
    people = {email: register.by_git_email(email) for email in emails}
    found = frozenset(
        person.id if person is not None else f"email:{email}" for email, person in people.items()
    )
    return found | cut


class _NoRepositoryError(Exception):
    """The directory is in no git repository."""


def _git(directory: Path, *arguments: str) -> str:
    command = ["git", "--no-pager"]
    for setting in _GUARDED:
        command += ["-c", setting]
    # Nothing of the caller's GIT_* settings gets in; the person's own git configuration does.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", os.devnull),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        done = subprocess.run(
            [*command, *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        if _has_repository(directory):
            raise _unknown("git is not installed", "Install git.") from error
        raise _NoRepositoryError from error
    except subprocess.TimeoutExpired as error:
        raise _unknown(f"git did not answer in {_SECONDS} s", "Try again.") from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip().splitlines()
    if any(_NO_REPOSITORY in line for line in said) and not _has_repository(directory):
        raise _NoRepositoryError
    raise _unknown(
        said[-1] if said else "git failed",
        "Make `git log` work in this directory for the user who submits.",
    )


def _has_repository(directory: Path) -> bool:
    return any(
        (folder / ".git").exists() for folder in (directory.resolve(), *directory.resolve().parents)
    )


def _unknown(why: str, advice: str) -> InputError:
    return InputError(
        f"it cannot be said who worked on this release: {why}",
        code="history/unknown",
        advice=advice,
    )
