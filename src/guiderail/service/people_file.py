"""Take somebody out of people.yaml, and leave every other line as it was written."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from guiderail.core.errors import GuiderailError, InputError
from guiderail.manifest.strict_yaml import load_file
from guiderail.people.register import load_people


def take_out(path: Path, person: str) -> bool:
    """Whether there was an entry to take out. The file is replaced in one step.

    Raises InputError `people/by-hand` where the rest could not be kept as it is: an entry in
    another style than one block for each person, or a manager of somebody else.
    """
    document = load_file(path)
    people = document.data["people"]
    number = next((n for n, one in enumerate(people) if one.get("id") == person), None)
    if number is None:
        return False
    wanted = {id_: one for id_, one in load_people(path).people.items() if id_ != person}
    text = _cut(path.read_text(encoding="utf-8"), document.place(("people", number)).line or 1)
    if not wanted:
        text = "people: []\n"
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        try:
            same = load_people(temporary).people == wanted
        except GuiderailError:
            same = False
        if not same:
            raise InputError(
                f"{person} cannot be taken out of {path} without changing something else",
                code="people/by-hand",
                advice="Take the entry out by hand: where people report to it, name another "
                "manager.",
            )
        os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _cut(text: str, first: int) -> str:
    """Without the block of a list that begins on line `first`, counted from 1."""
    lines = text.splitlines(keepends=True)
    dash = re.match(r" *- ", lines[first - 1])
    if dash is None:
        return text
    indent = len(dash.group()) - 2
    end = first
    while end < len(lines) and _is_inside(lines[end], indent):
        end += 1
    return "".join(lines[: first - 1] + lines[end:])


def _is_inside(line: str, indent: int) -> bool:
    return line.strip() == "" or len(line) - len(line.lstrip(" ")) > indent
