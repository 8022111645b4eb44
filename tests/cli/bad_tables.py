"""Tables with one thing wrong each, as files: what the measures are tried on.

All have the same columns, so that one command line fits every table. `select` makes the
groups, and is a column name on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

ROWS = 600

Frame = pd.DataFrame


def good() -> Frame:
    """Rows that every measure can measure."""
    random = np.random.default_rng(11)
    label = random.integers(0, 2, ROWS)
    score = 1 / (1 + np.exp(-(1.5 * label - 0.75 + random.normal(0, 1, ROWS))))
    old = np.clip(score + random.normal(0, 0.05, ROWS), 0.001, 0.999)
    return pd.DataFrame(
        {
            "select": np.where(random.random(ROWS) < 0.5, "ä", "b"),
            "team": np.where(random.random(ROWS) < 0.5, "x", "y"),
            "age": random.integers(18, 80, ROWS),
            "label": label,
            "score": score,
            "old": old,
            "decision": (score > 0.5).astype(int),
            "before": (old > 0.5).astype(int),
            "amount": random.gamma(2, 100, ROWS).round(2),
            "weight": random.gamma(2, 1, ROWS) + 0.01,
            "person": np.arange(ROWS) // 2,
            "x": random.normal(0, 1, ROWS),
            "y": random.normal(0, 1, ROWS),
        }
    )


def _empty(*names: str) -> Callable[[Frame], Frame]:
    return lambda frame: frame.assign(**dict.fromkeys(names))


def _set(**columns: object) -> Callable[[Frame], Frame]:
    return lambda frame: frame.assign(**columns)


def _infinite(*names: str) -> Callable[[Frame], Frame]:
    def change(frame: Frame) -> Frame:
        rows = 5 if names != ("amount",) else (frame["decision"] != frame["before"]).idxmax()
        frame[list(names)] = frame[list(names)].astype(float)
        frame.loc[rows, list(names)] = np.inf
        return frame

    return change


def _negative(frame: Frame) -> Frame:
    frame.loc[3, "weight"] = -1.0
    return frame


_CATEGORIES = [f"c{number}" for number in range(10_000)]
_DAYS = [f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}" for number in range(ROWS)]


def _many(*names: str) -> Callable[[Frame], Frame]:
    def change(frame: Frame) -> Frame:
        long = pd.concat([frame] * 17, ignore_index=True).iloc[:10_000]
        return long.assign(**dict.fromkeys(names, _CATEGORIES))

    return change


CHANGED: dict[str, Callable[[Frame], Frame]] = {
    "good": lambda frame: frame,
    "null-score": _empty("score"),
    "null-label": _empty("label"),
    "null-decision": _empty("decision"),
    "null-group": _empty("select"),
    "null-age": _empty("age"),
    "null-weight": _empty("weight"),
    "null-amount": _empty("amount"),
    "null-input": _empty("x"),
    "constant-score": _set(score=0.5),
    "one-class": _set(label=1, decision=1, before=1),
    "infinite-score": _infinite("score"),
    "infinite-age": _infinite("age"),
    "infinite-amount": _infinite("amount"),
    "infinite-weight": _infinite("weight"),
    "infinite-input": _infinite("x"),
    "infinite-label": _infinite("label"),
    "infinite-decision": _infinite("decision"),
    "many-groups": _many("select"),
    "many-decisions": _many("decision", "before"),
    "many-labels": _many("label"),
    "negative-weights": _negative,
    "date-score": _set(score=_DAYS),
    "date-age": _set(age=_DAYS),
    "date-label": _set(label=_DAYS),
    "date-amount": _set(amount=_DAYS),
    "date-weight": _set(weight=_DAYS),
    "date-input": _set(x=_DAYS),
    "text-labels": lambda frame: frame.assign(label=np.where(frame["label"] > 0, "yes", "no")),
    "boolean-labels": lambda frame: frame.assign(label=frame["label"] > 0),
    "no-rows": lambda frame: frame.iloc[:0],
}
"""By name: tables that every format can hold."""


def write_csv(place: Path, kind: str) -> Path:
    path = place / f"{kind}.csv"
    CHANGED[kind](good()).to_csv(path, index=False)
    return path


def write_parquet(place: Path, kind: str) -> Path:
    path = place / f"{kind}.parquet"
    frame = CHANGED[kind](good())
    duckdb.from_df(frame).write_parquet(str(path))
    return path


def _text() -> str:
    return str(good().to_csv(index=False))


def _duplicate_csv(path: Path) -> None:
    path.write_text(_text().replace("select,team,", "select,select,", 1), encoding="utf-8")


def _duplicate_parquet(path: Path) -> None:
    """DuckDB refuses to write two columns of one name: the second letter is changed in the file."""
    frame = good().rename(columns={"y": "selecu"})
    duckdb.from_df(frame).write_parquet(str(path))
    path.write_bytes(path.read_bytes().replace(b"selecu", b"select"))


def _corrupt(path: Path) -> None:
    """The footer is whole; the pages are noise."""
    duckdb.from_df(good()).write_parquet(str(path))
    data = bytearray(path.read_bytes())
    footer = int.from_bytes(data[-8:-4], "little") + 8
    noise = np.random.default_rng(1).integers(0, 256, len(data) - footer - 4, dtype=np.uint8)
    data[4:-footer] = noise.tobytes()
    path.write_bytes(bytes(data))


def _cut(path: Path) -> None:
    duckdb.from_df(good()).write_parquet(str(path))
    path.write_bytes(path.read_bytes()[:3000])


def _longer_rows(path: Path) -> None:
    """Every row has one cell more than the header: readers that shift columns get other numbers."""
    head, _, rest = _text().partition("\n")
    path.write_text(head + "\n" + "".join(f"9,{line}\n" for line in rest.splitlines()), "utf-8")


def _one_long_row(path: Path) -> None:
    lines = _text().splitlines()
    lines[300] += ",1"
    path.write_text("\n".join(lines) + "\n", "utf-8")


BROKEN: dict[str, tuple[str, Callable[[Path], object]]] = {
    "latin-1": ("csv", lambda path: path.write_text(_text(), "latin-1")),
    "windows-1252": ("csv", lambda path: path.write_text(_text().replace("ä", "€"), "cp1252")),
    "utf-16-without-mark": ("csv", lambda path: path.write_bytes(_text().encode("utf-16-le"))),
    "duplicate-names": ("csv", _duplicate_csv),
    "duplicate-names-parquet": ("parquet", _duplicate_parquet),
    "corrupt-pages": ("parquet", _corrupt),
    "cut-off": ("parquet", _cut),
    "longer-rows": ("csv", _longer_rows),
    "one-long-row": ("csv", _one_long_row),
    "empty-file": ("csv", lambda path: path.write_bytes(b"")),
    "binary": ("csv", lambda path: path.write_bytes(bytes(range(256)) * 40)),
    "a-name-too-few": ("csv", lambda path: path.write_text(_text().replace("age", "", 1), "utf-8")),
}
"""By name: files that no measure may read, and their endings."""

MARKED: dict[str, Callable[[Path], object]] = {
    "utf-8-mark": lambda path: path.write_text(_text(), "utf-8-sig"),
    "utf-16-mark": lambda path: path.write_text(_text(), "utf-16"),
    "semicolons": lambda path: path.write_text(str(good().to_csv(index=False, sep=";")), "utf-8"),
}
"""By name: files that say how they are written, and mean the same as the good table."""


def write_broken(place: Path, kind: str) -> Path:
    ending, write = BROKEN[kind]
    path = place / f"{kind}.{ending}"
    write(path)
    return path


def write_marked(place: Path, kind: str) -> Path:
    path = place / f"{kind}.csv"
    MARKED[kind](path)
    return path
