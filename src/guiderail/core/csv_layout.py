"""How a CSV file is laid out, found from its first lines."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.csv_encoding import Encoding, decoded, encoding_of
from guiderail.core.errors import InputError, Place

DELIMITERS = (",", ";", "\t", "|")
_LONGEST_HEADER = 4 * 2**20
"""Letters."""


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """Column names in order, the delimiter of the header line and the encoding of the file."""

    names: tuple[str, ...]
    delimiter: str
    encoding: str


def csv_layout(path: Path, said: Encoding | None = None) -> CsvLayout:
    """Read the header line. said: the encoding, where the owner names one.

    Raises InputError for text in another encoding and for names that are missing or occur twice.
    """
    encoding = encoding_of(path, said)
    text = ""
    for piece in decoded(path, encoding):
        text += piece
        if len(text) >= _LONGEST_HEADER:
            break
    if "\0" in text:
        raise InputError(
            "The file holds binary data, not text.",
            advice="Hand in a CSV file in UTF-8 or a Parquet file; for UTF-16 without a byte order "
            "mark say utf-16-le or utf-16-be.",
            code="data/not-readable",
            place=Place(str(path)),
        )
    delimiter = _delimiter(re.split(r"\r|\n", text, maxsplit=1)[0])
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = tuple(next(records, ()))
    except csv.Error:  # a cell longer than the csv module reads is no column name
        names = ()
    _check_names(path, names)
    return CsvLayout(names, delimiter, encoding)


def _delimiter(line: str) -> str:
    """The candidate that occurs most often outside quotes; a comma when there is one column."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", line)
    best = max(DELIMITERS, key=bare.count)
    return best if best in bare else ","


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    place = Place(str(path), 1)
    if not names:
        raise InputError(
            "The first line is empty.",
            advice="Write the column names into the first line.",
            code="data/no-header",
            place=place,
        )
    for number, name in enumerate(names, start=1):
        if not name.strip() or "\n" in name or "\r" in name:
            raise InputError(
                f"Column {number} has no name on one line.",
                advice="Give every column its own name in the first line.",
                code="data/no-header",
                place=place,
            )
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f'The column name "{name}" occurs twice.',
                advice="Give every column its own name.",
                code="data/duplicate-column",
                place=place,
            )
