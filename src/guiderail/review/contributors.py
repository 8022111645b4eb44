"""Who worked on a release, read from its git history."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from guiderail.people.register import Register


def contributors(directory: Path, since: datetime | None, register: Register) -> frozenset[str]:
    """Ids of people whose e-mail authored or committed a change to the directory.

    since: only commits after this moment (the last release); None reads the whole history of the
    directory. A directory outside git has no history to read: the submitter alone is then known.
    """
    # The repository is not trusted: nothing that its own configuration names may run.
    command = ["git", "--no-pager", "-c", "log.showSignature=false", "-c", "core.fsmonitor=false"]
    command += ["log", "--format=%ae%n%ce", "--max-count=1000"]
    if since is not None:
        command.append(f"--since={since.isoformat()}")
    try:
        result = subprocess.run(
            [*command, "--", "."],
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return frozenset()
    if result.returncode != 0:
        return frozenset()
    found = (register.by_git_email(line) for line in set(result.stdout.split()))
    return frozenset(person.id for person in found if person is not None)
