"""The one error hierarchy: a stable code, what happened, where, and what to do.

The command line prints exactly these fields; the server maps the same ones to RFC 9457.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text file. `line` and `column` count from 1; None where there is no line."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class GuiderailError(Exception):
    """Base of every error that a person may see.

    code: stable identifier, for example `manifest/unknown-key`; also the name of its help page.
    what: one sentence, what happened.
    advice: one sentence, what to do about it.
    place: where, if there is a where.
    """

    code = "guiderail/error"

    def __init__(
        self, what: str, *, advice: str, code: str | None = None, place: Place | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.place = place
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.what} [{self.code}] {self.advice}"


class InputError(GuiderailError):
    """What a person handed in cannot be used: a missing file, a wrong type, an unknown name."""

    code = "input/invalid"


class RefusedError(GuiderailError):
    """The request is well formed and the rules say no: a wrong role, a void approval, no permit."""

    code = "refused"


class ConflictError(GuiderailError):
    """The state changed in between, or does not allow this step."""

    code = "state/conflict"


class IntegrityError(GuiderailError):
    """Stored bytes do not match their digest, signature or proof."""

    code = "integrity/broken"
