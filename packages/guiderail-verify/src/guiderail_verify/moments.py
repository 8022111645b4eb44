"""Times in signed bytes: RFC 3339 in UTC with microseconds, in exactly one form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from guiderail_verify.errors import VerifyError

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", re.ASCII)


def read_moment(text: str, code: str) -> datetime:
    """A time in UTC. Raises VerifyError `code` for any other form, and for one that is no time."""
    if not _TIME.match(text):
        raise VerifyError(code, "A time is not RFC 3339 with microseconds.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise VerifyError(code, "A time does not exist.") from error
