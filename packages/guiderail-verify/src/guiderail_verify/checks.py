"""One check of an audit: what it is, how much it looked at, and what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from guiderail_verify.errors import VerifyError
from guiderail_verify.evaluate import TreeError

UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    OSError,
)
"""What content that nobody checked yet can make a reader raise."""


@dataclass(slots=True)
class Check:
    """id: stable. title: what holds where it passes. looked_at: how many `unit` were compared.

    failures: a sentence for each difference; empty where the check passes. note: what to know
    about a check that passes.
    """

    id: str
    title: str
    unit: str
    looked_at: int = 0
    failures: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def ok(self) -> bool:
        return not self.failures

    def expect(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.failures.append(sentence)

    def each(self, what: str, look: Callable[[], None]) -> None:
        """Look at one thing; whatever makes it unreadable is a failure of this one thing."""
        self.looked_at += 1
        try:
            look()
        except VerifyError as error:
            self.failures.append(f"{what}: {error.reason}")
        except (TreeError, *UNREADABLE) as error:
            self.failures.append(f"{what} cannot be read ({type(error).__name__}: {error!s:.120})")


def run(id_: str, title: str, unit: str, look: Callable[[Check], None]) -> Check:
    """Make one check. Whatever stops it is a failure: what was not looked at did not pass."""
    check = Check(id_, title, unit)
    try:
        look(check)
    except VerifyError as error:
        check.failures.append(error.reason)
    except (TreeError, *UNREADABLE) as error:
        check.failures.append(f"it could not be made ({type(error).__name__}: {error!s:.120})")
    return check
