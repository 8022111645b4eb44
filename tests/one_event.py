"""Watches every committed change of the product's own code and says which events came with it.

Every test is watched (see `conftest`): a use case that changes state without an event, or with
several that are not one act, fails whichever test walks through it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.sql.dml import UpdateBase

from guiderail.store.database import Store
from guiderail.store.prepared import Prepared
from guiderail.store.transaction import Snapshot, Transaction

SOURCES = Path(__file__).parents[1] / "src"

LEDGER = frozenset(
    ("log_head", "log_entry", "log_node", "log_checkpoint", "log_index", "subject_counter")
) | {"person_pseudonym", "vault_salt", "vault_words", "person_key", "outbox"}
"""Tables that an event and its notifications are made of, and what is derived from them."""

WITHOUT_EVENT: Mapping[str, tuple[Set[str], str]] = {
    "guiderail.service.permits.complete_proofs": (
        {"permit"}, "the proof is derived from the ledger and the event permit.issued is in it"
    ),
    "guiderail.service.permit_states.current_state": (
        {"permit_state"}, "it says again, signed, what events of permits and keys said"
    ),
    "guiderail.service.sealing._ask": (
        {"log_cosignature", "witness_answer"},
        "it is what others say about a checkpoint; an event would need the next checkpoint",
    ),
    "guiderail.service.timestamps.timestamp": (
        {"log_timestamp"}, "it is what an authority says about a checkpoint"
    ),
    "guiderail.store.scrub.scrub": (
        {"vault_state"}, "the mark that freed pages are to be overwritten; person.erased set it"
    ),
}  # fmt: skip
"""Where tables are written without an event, and why that is no change of state."""

BRINGS_ALONG: Mapping[str, frozenset[str]] = {
    # The first entries of a ledger: nothing before them could be said about anything.
    "workspace.created": frozenset({"key.created", "policy.activated"}),
    # An older case that the new release replaces has a history of its own, and so has its permit.
    # A statement of facts that came with the submission is evidence of its own.
    "case.submitted": frozenset({"case.void", "permit.revoked", "evidence.added"}),
    # Facts that somebody vouches for, and what the policy made of them.
    "evidence.added": frozenset({"case.decided"}),
    "case.void": frozenset({"permit.revoked"}),
    "case.withdrawn": frozenset({"permit.revoked"}),
    "rollout.aborted": frozenset({"permit.revoked"}),
    # A permit that is signed again by a new key takes the place of the one before.
    "permit.issued": frozenset({"permit.revoked"}),
    # What a person said, and what the policy made of it: the replay looks for decisions alone.
    "case.answered": frozenset({"case.decided"}),
    "case.decided": frozenset({"profile.confirmed"}),
    # One review of a risk officer or a data steward settles things that outlive the case.
    "review.given": frozenset({"profile.confirmed", "data.approved", "data.refused"}),
    # The last vote needed puts the policy into force: two acts by the law, one by the clock.
    "policy.reviewed": frozenset({"policy.activated"}),
}
"""The one event of a change -> events about something else that it may settle with it."""

BESIDE = frozenset({"register.changed"})
"""Events that may stand before any other: on what the use case rests, as somebody edited it."""

REGISTERS = frozenset({"register_version", "register_salt"})
"""What recording a register writes; where nothing else is written, nothing else happened."""

ONE_FOR_EACH = frozenset({"evidence.added"})
"""Events of which one act writes one for each document: all of them are kept or none."""


BESIDE_ANY = frozenset({"register.changed"})
"""A register is a file that people edit: the first use case that reads a new one records it."""


@dataclass(frozen=True)
class Change:
    """One committed transaction. site: module and function that opened it."""

    site: str
    tables: frozenset[str]
    events: tuple[str, ...]


@dataclass
class Watch:
    """changes: what was committed by code of the product, oldest first."""

    changes: list[Change] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        original, execute, run = Store.transaction, Snapshot.execute, Snapshot.run
        written: dict[int, tuple[set[str], list[str]]] = {}

        def watched_execute(tx: Snapshot, statement: Any, params: Any = None) -> Any:
            result = execute(tx, statement, params)
            if result.rowcount:
                note(tx, statement, params)
            return result

        def watched_run(tx: Snapshot, prepared: Prepared, params: Mapping[str, Any]) -> Any:
            rows = run(tx, prepared, params)
            note(tx, prepared.statement, params)
            return rows

        def note(tx: Snapshot, statement: Any, params: Any) -> None:
            if not isinstance(statement, UpdateBase) or id(tx) not in written:
                return
            tables, events = written[id(tx)]
            tables.add(statement.table.name)  # type: ignore[attr-defined]
            if statement.table.name == "log_index":  # type: ignore[attr-defined]
                rows = [params] if isinstance(params, Mapping) else params or []
                events.extend(row["type"] for row in rows)

        @contextmanager
        def watched(store: Store, **options: bool) -> Iterator[Transaction]:
            site = _site(sys._getframe(2))
            with original(store, **options) as tx:
                written[id(tx)] = set(), []
                try:
                    yield tx
                finally:
                    tables, events = written.pop(id(tx))
            if site is not None:
                self.changes.append(Change(site, frozenset(tables), tuple(events)))

        patch.setattr(Snapshot, "execute", watched_execute)
        patch.setattr(Snapshot, "run", watched_run)
        patch.setattr(Snapshot, "run", watched_run)
        patch.setattr(Store, "transaction", watched)

    def complaints(self) -> list[str]:
        return [text for text in map(complaint, self.changes) if text is not None]


def complaint(change: Change) -> str | None:
    """What is wrong with a change, None where it has exactly one event (and what that brings)."""
    state = change.tables - LEDGER
    if change.site in WITHOUT_EVENT:
        state -= WITHOUT_EVENT[change.site][0]
    if not state and not change.events:
        return None
    own = [name for name in change.events if name not in BESIDE]
    if change.events and not own and state <= REGISTERS:
        return None
    mains = {name for name in own if _is_main(name, own)}
    if len(mains) == 1 and (mains <= ONE_FOR_EACH or change.events.count(*mains) == 1):
        return None
    told = ", ".join(change.events) or "no event"
    return f"{change.site} changed {', '.join(sorted(state)) or 'nothing'} with {told}"


def _is_main(name: str, events: Sequence[str]) -> bool:
    others = [other for other in events if other != name]
    return all(other in BRINGS_ALONG.get(name, ()) for other in others)


def _site(frame: Any) -> str | None:
    """Who opened it; what begins every use case is looked through."""
    while frame.f_code.co_name in ("__enter__", "enter_context") or _is_beginning(frame):
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(SOURCES):
        return None
    module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
    return f"{module}.{frame.f_code.co_name}"


def _is_beginning(frame: Any) -> bool:
    module = frame.f_globals.get("__name__")
    return module == "guiderail.service.registers" and frame.f_code.co_name == "transaction"
