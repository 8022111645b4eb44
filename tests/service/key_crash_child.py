"""The process that is killed while it changes keys: it dies at the k-th boundary.

A boundary is the moment before and after a file takes its place or is removed, and before and after
a transaction commits. Only this process is patched; nothing in the product knows of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guiderail.core.time import system_clock
from guiderail.service.key_changes import retire, rotate
from guiderail.service.key_compromise import declare_compromised
from guiderail.service.workspace import Workspace
from guiderail.store.database import Store
from guiderail.store.transaction import Transaction


def run(home: Path, command: str, kill_at: int, reached: Path) -> None:
    """Change the keys; die by SIGKILL at boundary `kill_at` (counted from 1), if it is reached."""
    passed = 0

    def boundary() -> None:
        nonlocal passed
        passed += 1
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    place = Workspace(home, False, None, system_clock)
    _ = place.keyring, place.store
    _watch_files(boundary)
    _watch_commits(boundary)
    COMMANDS[command](place)
    reached.write_text(str(passed))


def _watch_files(boundary: Callable[[], None]) -> None:
    for name in ("replace", "unlink"):
        original = getattr(Path, name)

        def watched(self: Path, *more: Any, original: Any = original, **options: Any) -> Any:
            if self.name.endswith(".part") and not more:
                return original(self, *more, **options)  # what is left of a temporary file
            boundary()
            done = original(self, *more, **options)
            boundary()
            return done

        setattr(Path, name, watched)


def _watch_commits(boundary: Callable[[], None]) -> None:
    original = Store.transaction

    @contextmanager
    def watched(self: Store) -> Iterator[Transaction]:
        with original(self) as tx:
            yield tx
            boundary()
        boundary()

    Store.transaction = watched  # type: ignore[method-assign]  # this process exists to be patched


def _compromise(place: Workspace) -> object:
    return declare_compromised(place, ["checkpoint", "permit"], place.clock(), "It was stolen.")


COMMANDS: dict[str, Callable[[Workspace], object]] = {
    "rotate": lambda place: rotate(place, ["checkpoint", "permit"]),
    "retire": retire,
    "compromised": _compromise,
}
