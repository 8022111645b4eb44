"""DuckDB's refusals in plain words, and paths as it takes them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from guiderail.core.csv_encoding import Encoding, encoding_of, first_fault, wrong_encoding
from guiderail.core.errors import InputError, Place


def literal(path: Path) -> str:
    """The path as an SQL text whose file-name patterns are switched off."""
    exact = re.sub(r"([*?\[])", r"[\1]", str(path))
    return "'" + exact.replace("'", "''") + "'"


def refusal(path: Path, error: duckdb.Error, said: Encoding | None = None) -> InputError:
    """What DuckDB refuses, as an error that names the file, the line and what to do.

    said: the encoding that the owner names.
    """
    text = str(error)
    found = re.search(r"Line: (\d+)", text)
    line = int(found.group(1)) if found else None
    if re.search(r"invalid unicode|not (utf-8|utf-16|latin-1) encoded", text, re.I):
        encoding = encoding_of(path, said)
        return first_fault(path, encoding) or wrong_encoding(path, encoding, line)
    lengths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if lengths:
        return InputError(
            f"The line has {lengths.group(2)} cells, the header has {lengths.group(1)}.",
            advice="Quote cells that hold the delimiter, or complete the line.",
            code="data/ragged-row",
            place=Place(str(path), line),
        )
    return InputError(
        f"The file cannot be read: {_cause(text)}.",
        advice="Hand in a complete CSV file in UTF-8 or a complete Parquet file.",
        code="data/not-readable",
        place=Place(str(path), line),
    )


def _cause(text: str) -> str:
    """The sentence of DuckDB's message that names the cause; never the line, which holds data."""
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    causes = [
        line
        for line in lines
        if line and "CSV Error on Line" not in line and not line.startswith("Original Line")
    ]
    if not causes:
        return "the reader gives no reason"
    cause = re.sub(r"^(?:[A-Z]\w* )+Error: ", "", causes[0])
    return "".join(sign for sign in cause if sign.isprintable() and sign != "\ufffd")
