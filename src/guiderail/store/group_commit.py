"""Let the threads of one process share a flush to disk, without their noticing.

Writing blocks run one after the other, in the order in which they came. While others wait, the
next block runs in the same transaction of the database, behind a savepoint, and the one before
waits outside its block. The last of them commits for all: when nobody waits any more, or when the
group is large or old. So a commit, which waits for the disk, is paid once for the whole group.

Why this keeps the promises of `Store.transaction`:

- *Durable*: nobody leaves before the commit of its group returned.
- *All or nothing, each for itself*: an error in a block rolls back to its savepoint and takes
  nobody along. Where the database lost the whole transaction or refused the commit, all of the
  group hear it.
- *Isolation*: a block begins on what the blocks before it wrote. It leaves, with a result or with
  an error, only when they are durable; if they are lost, so is what it concluded from them.
- *No deadlock*: whoever has the turn always passes it on, and commits where nobody takes it. A
  block must not wait for another thread's transaction, as with any lock.

A block that tells somebody outside the database what it read must run `alone`: it then begins on
durable state only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from guiderail.core.errors import ConflictError
from guiderail.store.transaction import Transaction

MOST_MEMBERS = 64
LONGEST_SECONDS = 0.02
"""A group takes nobody in after so many blocks, or so long after it began."""

_SAVEPOINT = "guiderail_block"


class GroupCommit:
    """The turns of the writing threads, and the group that is open."""

    __slots__ = ("_busy", "_engine", "_guard", "_open", "_waiting", "_writer")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()  # around _busy and _waiting
        self._busy = False
        self._waiting: deque[threading.Lock] = deque()
        self._writer: int | None = None
        self._open: _Group | None = None  # touched only by whoever has the turn

    @contextmanager
    def transaction(self, *, alone: bool) -> Iterator[Transaction]:
        """One writing block: see `Store.transaction`, which adds the kinds of errors."""
        if self._writer == threading.get_ident():
            raise RuntimeError("transactions do not nest: pass the open one on")
        self._take_turn()
        group: _Group | None = None
        failure: BaseException | None = None
        try:
            self._writer = threading.get_ident()
            group = self._join(alone=alone)
            with group.block() as tx:
                yield tx
        except BaseException as error:  # noqa: BLE001 - raised again below, after the commit
            failure = error
        finally:
            self._writer = None
            self._pass_on(alone=alone)
        if group is not None and (failure is None or isinstance(failure, Exception)):
            group.wait(failure)
        if failure is not None:
            raise failure

    @contextmanager
    def idle(self) -> Iterator[None]:
        """The turn without a transaction: meanwhile no thread of this process writes."""
        if self._writer == threading.get_ident():
            raise RuntimeError("end the open transaction first")
        self._take_turn()
        try:
            self._writer = threading.get_ident()
            self._commit()
            yield
        finally:
            self._writer = None
            self._pass_on()

    def _take_turn(self) -> None:
        with self._guard:
            if not self._busy:
                self._busy = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:
            with self._guard:
                given = turn not in self._waiting
                if not given:
                    self._waiting.remove(turn)
            if given:
                self._pass_on()
            raise

    def _join(self, *, alone: bool) -> _Group:
        if alone:
            self._commit()
        if self._open is None:
            self._open = _Group(self._engine)
        return self._open

    def _pass_on(self, *, alone: bool = False) -> None:
        """End this turn: the next block joins the open group, or the group is committed first."""
        with self._guard:
            if self._open is None or (self._waiting and self._open.takes_more and not alone):
                self._give_turn()
                return
        try:
            self._commit()
        finally:
            with self._guard:
                self._give_turn()

    def _give_turn(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._busy = False

    def _commit(self) -> None:
        group, self._open = self._open, None
        if group is not None:
            group.commit()


class _Group:
    """Blocks that share one transaction of the database.

    kept: blocks that ended well so far. error: why nothing of the group was kept.
    """

    __slots__ = ("_connection", "_done", "_since", "_transaction", "error", "kept")

    def __init__(self, engine: Engine) -> None:
        self.kept = 0
        self.error: BaseException | None = None
        self._done = threading.Event()
        self._since = time.monotonic()
        self._connection = engine.connect()
        try:
            self._transaction = self._connection.begin()
        except BaseException:
            self._connection.close()
            raise

    @property
    def takes_more(self) -> bool:
        young = time.monotonic() - self._since < LONGEST_SECONDS
        return self.error is None and self.kept < MOST_MEMBERS and young

    @contextmanager
    def block(self) -> Iterator[Transaction]:
        tx = Transaction(self._connection)
        # What the first block changed, a rollback of everything undoes.
        behind = self.kept > 0
        try:
            if behind:
                self._run(f"SAVEPOINT {_SAVEPOINT}")
            yield tx
            tx.refuse_doomed()
            if behind:
                self._run(f"RELEASE SAVEPOINT {_SAVEPOINT}")
            self.kept += 1
        except BaseException as error:
            self._undo(error, behind=behind)
            raise
        finally:
            tx.close()

    def _undo(self, failure: BaseException, *, behind: bool) -> None:
        if not behind:
            self.error = failure
            return
        try:
            self._run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            self._run(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except BaseException:  # noqa: BLE001 - the failure before it is the one to raise
            # The savepoint is gone: SQLite gives up the whole transaction where the disk is full.
            self.error = failure

    def _run(self, sql: str) -> None:
        with contextlib.closing(self._connection.connection.cursor()) as cursor:
            cursor.execute(sql)

    def commit(self) -> None:
        """Flush once for everybody, or undo everything. Errors are told by `wait`."""
        try:
            if self.error is None:
                self._transaction.commit()
            else:
                self._transaction.rollback()
        except BaseException as error:
            self.error = self.error or error
            with contextlib.suppress(Exception):
                self._connection.invalidate()
            if not isinstance(error, Exception):
                raise
        finally:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._done.set()

    def wait(self, failure: BaseException | None) -> None:
        """Until it is decided. Raises where this block was undone by what happened to others.

        failure: how the block itself ended.
        """
        self._done.wait()
        error = self.error
        if error is None or error is failure:
            return
        if not isinstance(error, Exception):
            raise ConflictError(
                "The program was interrupted while the change was written: whether it was kept "
                "is not known.",
                advice="Look whether it is there before you repeat the command.",
                code="store/interrupted",
            ) from error
        if self.kept == 1 and failure is None:
            raise error
        raise ConflictError(
            "The change was not kept: the database lost it together with another one.",
            advice="Repeat the command; report it if it fails again.",
            code="store/failed-transaction",
        ) from error
