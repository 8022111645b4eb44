"""A checkpoint as it comes back from paper or e-mail: undo the usual damage, and nothing else.

Mail turns line ends into CRLF, adds spaces at the end of lines, blank lines around the text, and
breaks a long signature line after the name of its key. None of that can change what was signed:
signed notes hold no such signs. Everything else stays as it is and is refused when it is read.
"""

from __future__ import annotations

from guiderail_verify.errors import VerifyError
from guiderail_verify.note import is_key_name, split_signature

_BLANK = " \t\u00a0"


def mended(text: str) -> str:
    """The note with plain line ends; lines that mail broke after a key's name are joined."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip(_BLANK) for line in plain.split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\n" for line in _joined(lines))


def _joined(lines: list[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if found and _is_only_a_name(found[-1]) and _is_signature(f"{found[-1]} {line.lstrip()}"):
            found[-1] = f"{found[-1]} {line.lstrip()}"
        else:
            found.append(line)
    return found


def _is_only_a_name(line: str) -> bool:
    dash, space, name = line.partition(" ")
    return dash == "\u2014" and bool(space) and is_key_name(name)


def _is_signature(line: str) -> bool:
    try:
        split_signature(line)
    except VerifyError:
        return False
    return True
