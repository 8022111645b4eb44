"""Facts as they are stored with decisions, read into columns.

Most of a release is written as in the one before, and that is not read again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import getitem, ne
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from guiderail.policy.columns import Column, Columns, IntervalColumn
from guiderail.policy.stored_readings import (
    IntervalReading,
    Reading,
    StoredIntervalFact,
    fact_reader,
    interval_reading,
)
from guiderail_verify.evaluate import UNKNOWN

_REMEMBERED: Final = 4096
"""Readings that a fact keeps from one batch to the next, by their stored text."""

_PLACES: Final = range(2**16)
_stored_interval: Final = msgspec.json.Decoder(StoredIntervalFact).decode


class UnreadableError(ValueError):
    """Facts that no decision would have stored."""


class TakenRelease(NamedTuple):
    """A release as a reader has read it. texts: its facts as they are written."""

    texts: Sequence[msgspec.Raw]
    codes: array[int]
    intervals: list[IntervalReading]


class ColumnReader:
    """Reads stored facts into columns, release by release. types: of the facts that are wanted."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._intervals = sorted(name for name in types if types[name]["type"] == "interval")
        self._seen = [_Seen(name, types[name]) for name in sorted(types.keys() - self._intervals)]
        self._decode = _decoder([*[seen.name for seen in self._seen], *self._intervals])
        self._taken: list[TakenRelease] = []
        self._last: TakenRelease | None = None

    def read(self, stored: bytes) -> TakenRelease:
        """A release as `take` wants it. What it does not have is unknown.

        Raises UnreadableError for facts that no decision would have stored.
        """
        try:
            texts = msgspec.structs.astuple(self._decode(stored))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableError(str(error)) from None
        self._last = self._read(texts) if self._last is None else self._changed(texts, self._last)
        return self._last

    def take(self, release: TakenRelease) -> int:
        """Add a release; gives its place in the columns."""
        self._taken.append(release)
        return len(self._taken) - 1

    def columns(self) -> Columns:
        """The releases that were taken since the last time."""
        taken, self._taken, self._last = self._taken, [], None
        written = np.frombuffer(b"".join([one.codes for one in taken]), dtype=np.uint16)
        codes = np.ascontiguousarray(written.reshape(len(taken), len(self._seen)).T)
        facts = {seen.name: Column(seen.forget(), codes[place])
                 for place, seen in enumerate(self._seen)}  # fmt: skip
        facts |= {name: IntervalColumn(name, [one.intervals[place] for one in taken])
                  for place, name in enumerate(self._intervals)}  # fmt: skip
        return Columns(len(taken), facts)

    def _read(self, texts: Sequence[msgspec.Raw]) -> TakenRelease:
        count = len(self._seen)
        codes = array("H", map(getitem, self._seen, map(bytes, texts[:count])))
        intervals = [self._interval(place, text) for place, text in enumerate(texts[count:])]
        return TakenRelease(texts, codes, intervals)

    def _changed(self, texts: Sequence[msgspec.Raw], last: TakenRelease) -> TakenRelease:
        """What is written as in the last release is not read again: most of it is."""
        codes, intervals, first = last.codes[:], last.intervals[:], len(self._seen)
        for place in compress(_PLACES, map(ne, texts, last.texts)):
            if place < first:
                codes[place] = self._seen[place][bytes(texts[place])]
            else:
                intervals[place - first] = self._interval(place - first, texts[place])
        return TakenRelease(texts, codes, intervals)

    def _interval(self, place: int, text: msgspec.Raw) -> IntervalReading:
        try:
            return interval_reading(_stored_interval(text) if bytes(text) else None)
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            raise UnreadableError(f"{self._intervals[place]}: {error}") from None


def _decoder(names: Sequence[str]) -> Callable[[bytes], msgspec.Struct]:
    """Decodes stored facts, each left as it is written; empty where it was not stored."""
    fields = [(f"fact_{place}", msgspec.Raw, msgspec.Raw()) for place in range(len(names))]
    renamed = {f"fact_{place}": name for place, name in enumerate(names)}
    stored = msgspec.defstruct("StoredFacts", fields, rename=renamed, gc=False)
    return msgspec.json.Decoder(stored).decode


class _Seen(dict[bytes, int]):
    """The distinct readings of one fact, by their stored text: each text is read once."""

    def __init__(self, name: str, kind: Mapping[str, Any]) -> None:
        super().__init__()
        self.name = name
        self._read = fact_reader(name, kind)
        self._readings: list[Reading] = []
        self._known: dict[bytes, Reading] = {b"": Reading({name: UNKNOWN}, None)}

    def __missing__(self, text: bytes) -> int:
        reading = self._known.get(text)
        if reading is None:
            try:
                reading = self._read(msgspec.json.decode(text))
            except (ValueError, TypeError, KeyError, msgspec.MsgspecError) as error:
                raise UnreadableError(f"{self.name}: {error}") from None
            if len(self._known) < _REMEMBERED:
                self._known[text] = reading
        code = self[text] = len(self._readings)
        self._readings.append(reading)
        return code

    def forget(self) -> list[Reading]:
        """The readings, by their code. The next text begins anew."""
        readings, self._readings = self._readings, []
        self.clear()
        return readings
