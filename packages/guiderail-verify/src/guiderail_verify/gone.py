"""What is no longer in a ledger, and the events that say so.

Words are gone when their author was erased (`person.erased`, whose subject is the author's
pseudonym). A whole entry is gone when its time was over (`records.pruned`, whose `runs` name it);
its leaf hash stays, so tree and proofs stay good. Whatever is missing without such an event that
came later is a problem.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ERASED: Final = "person.erased"
PRUNED: Final = "records.pruned"

Runs = Sequence[tuple[int, int]]
"""First and last of entries that follow one another, both included, in ascending order."""


def runs_of(numbers: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as runs."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def read_runs(value: object) -> Runs:
    """The runs in an event. Raises ValueError for anything else."""
    if not isinstance(value, list):
        raise ValueError("runs are a list")
    found: list[tuple[int, int]] = []
    for item in value:
        match item:
            case [int(first), int(last)] if first <= last and (not found or found[-1][1] < first):
                found.append((first, last))
            case _:
                raise ValueError(f"{str(item)[:40]!r} is no run of entries")
    return found


@dataclass(slots=True)
class Gone:
    """The events of a log that explain what is missing in it.

    erasures: pseudonym -> entries in which this author was erased, ascending.
    restated: entry of version 1 -> new commitment over the details that were left of it.
    dossiers: dossier digest -> digest of what was left of it, the latest.
    """

    erasures: dict[str, list[int]] = field(default_factory=dict)
    restated: dict[int, str] = field(default_factory=dict)
    dossiers: dict[str, str] = field(default_factory=dict)
    _prunings: list[tuple[int, Runs]] = field(default_factory=list)

    def see(self, seq: int, type_: str, subject: str, payload: Mapping[str, Any]) -> None:
        """Take in an event, in the order of the log. Raises ValueError where it cannot be read."""
        if type_ == ERASED:
            self.erasures.setdefault(subject, []).append(seq)
            for entry, committed in payload["restated"].items():
                if int(entry) < seq:
                    self.restated.setdefault(int(entry), str(committed))
            for before, after in payload["dossiers"].items():
                self.dossiers[str(before)] = str(after)
        elif type_ == PRUNED:
            self._prunings.append((seq, read_runs(payload["runs"])))

    def erased_by(self, author: str, seq: int) -> int | None:
        """The entry in which the author of entry `seq` was erased; None: never after it."""
        found = self.erasures.get(author, [])
        place = bisect_right(found, seq)
        return found[place] if place < len(found) else None

    def pruned_by(self, seq: int) -> int | None:
        """The entry that says that entry `seq` was removed; None: no later one does."""
        for event, runs in self._prunings:
            place = bisect_right(runs, (seq, 2**63)) - 1
            if event > seq and place >= 0 and runs[place][0] <= seq <= runs[place][1]:
                return event
        return None
