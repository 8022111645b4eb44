"""The process that is killed: it runs one use case and dies at the k-th boundary.

A boundary is the moment right before and right after a transaction commits, and right before and
right after the target is told what to serve. Only this process is patched; nothing in the product
knows of it.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from guiderail.core.time import system_clock
from guiderail.rollout.local import LocalTarget
from guiderail.service.deploy import deploy
from guiderail.service.review import give_review
from guiderail.service.roll_back import roll_back
from guiderail.service.submit import submit
from guiderail.service.workspace import Workspace
from guiderail.store.database import Store
from guiderail.store.transaction import Transaction


def run(home: Path, person: str, command: str, argument: str, kill_at: int, trace: Path) -> None:
    """Run a use case; die by SIGKILL at boundary `kill_at` (counted from 1), if it is reached."""
    passed = 0

    def boundary(label: str) -> None:
        nonlocal passed
        passed += 1
        with trace.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"label": label, "states": committed_states(home)}) + "\n")
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch_commits(boundary)
    _watch_target(boundary)
    _COMMANDS[command](Workspace(home, True, person, system_clock), argument)


def committed_states(home: Path) -> dict[str, str]:
    """Case -> state, as another process would see it at this moment."""
    database = f"file:{home / 'guiderail.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        return dict(connection.execute("SELECT id, state FROM case_record ORDER BY number"))


def _watch_commits(boundary: Callable[[str], None]) -> None:
    original = Store.transaction

    @contextmanager
    def watched(self: Store, **options: bool) -> Iterator[Transaction]:
        with original(self, **options) as tx:
            yield tx
            boundary("before a commit")
        boundary("after a commit")

    Store.transaction = watched  # type: ignore[method-assign]  # this process exists to be patched


def _watch_target(boundary: Callable[[str], None]) -> None:
    original = LocalTarget.apply

    def watched(self: LocalTarget, *arguments: Any, **options: Any) -> None:
        boundary("before the target is told")
        original(self, *arguments, **options)
        boundary("after the target is told")

    LocalTarget.apply = watched  # type: ignore[method-assign]  # this process exists to be patched


_COMMANDS: dict[str, Callable[[Workspace, str], object]] = {
    "submit": lambda workspace, argument: submit(Path(argument), workspace),
    "approve": lambda workspace, case: give_review(workspace, case, "approve", reason="Fine."),
    "deploy": lambda workspace, case: deploy(workspace, case),
    "rollback": lambda workspace, workload: roll_back(workspace, workload),
}
