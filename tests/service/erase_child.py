"""The process that is killed: it erases or removes, and dies by SIGKILL at the k-th boundary.

A boundary is before and after a transaction commits, before and after the list of the erased is
written, and before and after freed pages are overwritten. Only this process is patched.

Run as: python -m tests.service.erase_child HOME COMMAND KILL_AT
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guiderail.service import erase, prune
from guiderail.service.workspace import Workspace
from guiderail.store.database import Store
from guiderail.store.transaction import Transaction

LATER = datetime(2040, 1, 1, tzinfo=UTC)


def main(home: Path, command: str, kill_at: int) -> None:
    passed = 0

    def boundary() -> None:
        nonlocal passed
        passed += 1
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    workspace = Workspace(home, True, "cleo", lambda: LATER)
    _ = workspace.store
    original = Store.transaction

    @contextmanager
    def watched(self: Store, **how: Any) -> Iterator[Transaction]:
        with original(self, **how) as tx:
            yield tx
            boundary()
        boundary()

    Store.transaction = watched  # type: ignore[method-assign]
    for module, name in ((erase, "bury"), (erase, "scrub"), (prune, "scrub")):
        setattr(module, name, _around(getattr(module, name), boundary))
    if command == "erase":
        erase.erase(workspace, "gina", "A request.")
    else:
        prune.prune(workspace)


def _around(function: Callable[..., Any], boundary: Callable[[], None]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        boundary()
        answer = function(*arguments)
        boundary()
        return answer

    return run


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
