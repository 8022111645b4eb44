"""Child side only: whatever goes wrong becomes a reason in words, left in failure.txt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guiderail.core.errors import GuiderailError
from guiderail.sandbox.input_rows import UnusableTableError


def run(work: Callable[[], None]) -> int:
    """Do the work of a child and give its exit code: 1 where a reason was left."""
    try:
        work()
    except GuiderailError as problem:
        return _explain(problem.what)
    except UnusableTableError as problem:
        return _explain(str(problem))
    except MemoryError:
        return _explain("it needed more memory than the sandbox allows")
    except Exception as problem:  # noqa: BLE001 - any code of any model may fail in any way here
        return _explain(f"the model failed on the table: {type(problem).__name__}: {problem}")
    return 0


def _explain(reason: str) -> int:
    Path("failure.txt").write_text(reason[:2_000], encoding="utf-8")
    return 1
