"""How a CSV file is written, and its text as pieces of bounded size.

Nothing is guessed from letters. A byte order mark is certain; else the file is UTF-8 unless its
owner says otherwise. A file that does not decode as said is refused with line and column: single
bytes above 127 mean other letters in every encoding, and a wrong one would merge or split groups.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from guiderail.core.errors import InputError, Place

Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252"]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
"""What a manifest and a command line can name. `utf-16` is for files with a byte order mark;
without one the order of the bytes must be said."""

_MARKS: tuple[tuple[bytes, Encoding, str], ...] = (
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
CODECS: dict[str, str] = {
    "utf-8": "utf-8",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "latin-1": "latin-1",
    "windows-1252": "cp1252",
}
"""Python's names of the encodings that `encoding_of` gives."""

SINGLE_BYTES = frozenset({"utf-8", "latin-1", "windows-1252"})
"""Where a line end is one byte and stands for nothing else, so that reading may begin anywhere."""

_AT_ONCE = 2**20
_CONTROLS = re.compile("[\x80-\x9f]")
"""Letters of windows-1252 where Latin-1 has control characters, which no table holds."""


def encoding_of(path: Path, said: Encoding | None) -> str:
    """The encoding of a file, the order of its bytes resolved: a key of the codecs above.

    said: what the owner says; None for nobody. Raises InputError where the file says otherwise.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    for mark, name, exact in _MARKS:
        if start.startswith(mark):
            if said not in {None, name, exact}:
                raise InputError(
                    f"The file begins with the byte order mark of {exact}, and {said} is said.",
                    advice=f"Leave the encoding out, or say {name}.",
                    code="data/encoding",
                    place=Place(str(path), 1),
                )
            return exact
    if said == "utf-16":
        raise InputError(
            "The file has no byte order mark, so the order of the bytes is not known.",
            advice="Say utf-16-le (usual on Windows) or utf-16-be.",
            code="data/encoding",
            place=Place(str(path), 1),
        )
    return said or "utf-8"


def decoded(path: Path, encoding: str) -> Iterator[str]:
    """The text in pieces of bounded size, line ends as they are, without the byte order mark.

    Raises InputError with line and column of the first letter that is none.
    """
    codec = CODECS[encoding]
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line, column, first = 1, 1, True
    with path.open("rb") as stream:
        while True:
            data = stream.read(_AT_ONCE)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(codec, "replace")
                raise wrong_encoding(path, encoding, *_moved(line, column, before)) from None
            control = _CONTROLS.search(text) if encoding == "latin-1" else None
            if control is not None:
                before = text[: control.start()]
                raise wrong_encoding(path, encoding, *_moved(line, column, before))
            line, column = _moved(line, column, text)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            if text:
                yield text
            if not data:
                return


def write_utf8(path: Path, encoding: str, to: Path) -> None:
    """The same text in UTF-8, with bounded memory. Raises InputError as `decoded` does."""
    with to.open("w", encoding="utf-8", newline="") as out:
        for text in decoded(path, encoding):
            out.write(text)


def first_fault(path: Path, encoding: str) -> InputError | None:
    """The place of the first letter that does not decode; None where all do. Reads the file."""
    try:
        for _ in decoded(path, encoding):
            pass
    except InputError as error:
        return error
    return None


def wrong_encoding(
    path: Path, encoding: str, line: int | None = None, column: int | None = None
) -> InputError:
    advice = (
        "Say how it is written, with --encoding or the key encoding of the manifest "
        "(latin-1, windows-1252, utf-16-le or utf-16-be), or save it as UTF-8; a guess would "
        "change letters."
    )
    if encoding == "latin-1":
        advice = "It is likelier windows-1252, which has letters at these bytes; say so, or save "
        advice += "it as UTF-8."
    elif encoding != "utf-8":
        advice = "Say another encoding, or save the file as UTF-8."
    named = {"utf-8": "UTF-8"}.get(encoding, encoding)
    return InputError(
        f"The file is not written in {named}.",
        advice=advice,
        code="data/encoding",
        place=Place(str(path), line, column),
    )


def _moved(line: int, column: int, text: str) -> tuple[int, int]:
    """The place after a text that begins at a place."""
    ends = text.count("\n")
    if not ends:
        return line, column + len(text)
    return line + ends, len(text) - text.rfind("\n")
