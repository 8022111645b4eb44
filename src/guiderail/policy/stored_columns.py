"""Facts as they are stored with decisions, read into columns.

Most of a release is written as in the one before, and that is not read again.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import ne
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from guiderail.policy.columns import Column, Columns, IntervalColumn
from guiderail.policy.stored_readings import (
    UNKNOWN_RANK,
    StoredIntervalFact,
    interval_reading,
)
from guiderail_verify.evaluate import UNKNOWN
from guiderail_verify.stored_facts import Reading, fact_reader

_REMEMBERED: Final = 4096
"""Readings that a fact keeps from one batch to the next, by their stored text."""

_PLACES: Final = range(2**16)
_NOT_STORED: Final = b'{"value":null}'
_stored_interval: Final = msgspec.json.Decoder(StoredIntervalFact).decode


class UnreadableError(ValueError):
    """Facts that no decision would have stored."""


class TakenRelease(NamedTuple):
    """A release as a reader has read it. texts: its facts as they are written.

    codes: of the facts that are no intervals. bounds: value, low and high of each interval.
    known_by: of each interval.
    """

    texts: Sequence[msgspec.Raw | None]
    codes: array[int]
    bounds: array[float]
    known_by: bytearray


class ColumnReader:
    """Reads stored facts into columns, release by release. types: of the facts that are wanted."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._intervals = sorted(name for name in types if types[name]["type"] == "interval")
        self._seen = [_Seen(name, types[name]) for name in sorted(types.keys() - self._intervals)]
        names = [*[seen.name for seen in self._seen], *self._intervals]
        self._decode = _decoder(names)
        count = len(self._intervals)
        self._nothing = TakenRelease(
            (None,) * len(names),
            array("H", bytes(2 * len(self._seen))),
            array("d", [math.nan] * 3 * count),
            bytearray([UNKNOWN_RANK] * count),
        )
        self._taken: list[TakenRelease] = []
        self._last = self._nothing

    def read(self, stored: bytes) -> TakenRelease:
        """A release as `take` wants it. What it does not have is unknown.

        Raises UnreadableError for facts that no decision would have stored.
        """
        try:
            texts = msgspec.structs.astuple(self._decode(stored))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableError(str(error)) from None
        self._last = self._read(texts, self._last)
        return self._last

    def take(self, release: TakenRelease) -> int:
        """Add a release; gives its place in the columns."""
        self._taken.append(release)
        return len(self._taken) - 1

    def columns(self) -> Columns:
        """The releases that were taken since the last time."""
        taken, self._taken, self._last = self._taken, [], self._nothing
        codes = _matrix([one.codes for one in taken], np.uint16, len(self._seen))
        bounds = _matrix([one.bounds for one in taken], np.float64, 3 * len(self._intervals))
        known_by = _matrix([one.known_by for one in taken], np.int8, len(self._intervals))
        facts = {seen.name: Column(seen.forget(), codes[place])
                 for place, seen in enumerate(self._seen)}  # fmt: skip
        facts |= {name: IntervalColumn(name, bounds[3 * place : 3 * place + 3], known_by[place])
                  for place, name in enumerate(self._intervals)}  # fmt: skip
        return Columns(len(taken), facts)

    def _read(self, texts: Sequence[msgspec.Raw], last: TakenRelease) -> TakenRelease:
        """What is written as in the last release is not read again: most of it is."""
        codes, bounds, known_by = last.codes[:], last.bounds[:], last.known_by[:]
        seen, first = self._seen, len(self._seen)
        for place in compress(_PLACES, map(ne, texts, last.texts)):
            if place < first:
                codes[place] = seen[place][bytes(texts[place])]
                continue
            at = place - first
            try:
                reading = interval_reading(_stored_interval(texts[place] or _NOT_STORED))
            except (ValueError, KeyError, RecursionError, msgspec.MsgspecError) as error:
                raise UnreadableError(f"{self._intervals[at]}: {error}") from None
            to = 3 * at
            bounds[to], bounds[to + 1], bounds[to + 2], known_by[at] = reading
        return TakenRelease(texts, codes, bounds, known_by)


def _matrix(rows: Sequence[Any], dtype: Any, width: int) -> NDArray[Any]:
    """Rows of a number of columns each, as one array of shape (columns, rows)."""
    flat = np.frombuffer(b"".join(rows), dtype=dtype)
    return np.ascontiguousarray(flat.reshape(len(rows), width).T)


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
            except (ValueError, TypeError, KeyError, RecursionError, msgspec.MsgspecError) as error:
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
