"""Facts from a JSON file, for `guiderail policy eval PACK --facts F`.

    {"use.domain": "credit", "tests.ran": 12, "use.confirmed": "unknown",
     "change.performance": {"value": -7.1, "low": -9, "high": -5.2},
     "data.personal": {"known": true, "known_by": "declared"}}

A value that is given is taken as attested, so that the policy is tried and not the evidence; write
`known_by` to try that too. What the file does not name is unknown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from guiderail.core.errors import InputError, Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Value, known, unknown
from guiderail.facts.fact_type import FactType
from guiderail.policy.vocabulary import CATALOGUE_ONLY, COMPUTED, Vocabulary, did_you_mean

LARGEST_FILE: Final = 1 << 20
NOT_KNOWN: Final = "unknown"


def read_facts(path: Path, vocabulary: Vocabulary = CATALOGUE_ONLY) -> FactSet:
    """Read a facts file. Raises InputError naming the file and the fact that is wrong."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _error("facts/unreadable", f"The facts cannot be read: {error.strerror}.",
                     "Name a JSON file.", path) from None  # fmt: skip
    if len(data) > LARGEST_FILE:
        raise _error("facts/too-large", f"The file is larger than {LARGEST_FILE} bytes.",
                     "Facts of one release are a few kilobytes.", path)  # fmt: skip
    return parse_facts(data, path, vocabulary)


def parse_facts(data: bytes, path: Path, vocabulary: Vocabulary = CATALOGUE_ONLY) -> FactSet:
    """Facts from JSON bytes; `path` is the name that errors show."""
    try:
        content = json.loads(data, object_pairs_hook=_unique, parse_constant=_not_finite)
    except _TwiceError as error:
        raise _error("facts/duplicate", f"{error} is given twice.", "Keep one.", path) from None
    except json.JSONDecodeError as error:
        place = Place(str(path), error.lineno, error.colno)
        raise InputError(
            f"This is not JSON: {error.msg}.",
            code="facts/not-json",
            advice="Check quotes and commas at this place.",
            place=place,
        ) from None
    except (ValueError, RecursionError) as error:
        raise _error("facts/not-json", f"This is not JSON that can be used: {error}.",
                     'Give numbers, texts, true, false and "unknown".', path) from None  # fmt: skip
    if not isinstance(content, dict):
        raise _error("facts/not-an-object", "The file must hold one JSON object.",
                     'Begin with {"use.domain": "credit"}.', path)  # fmt: skip
    return {name: _fact(name, value, path, vocabulary) for name, value in content.items()}


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise _TwiceError(key)
        seen[key] = value
    return seen


def _not_finite(text: str) -> float:
    raise ValueError(f'{text} is not a number; write "unknown"')


def _fact(name: str, given: Any, path: Path, vocabulary: Vocabulary) -> Fact:
    kind = vocabulary.named(name)
    if name in COMPUTED:
        raise _error(
            "facts/computed", f"{name} is computed by the decision.", "Leave it out.", path
        )
    if kind is None:
        raise _error(
            "facts/unknown-fact", f"There is no fact {name}.", vocabulary.nearest(name), path
        )
    known_by = KnownBy.ATTESTED
    if isinstance(given, Mapping) and "known_by" in given:
        known_by = _known_by(name, given["known_by"], path)
        rest = {key: value for key, value in given.items() if key != "known_by"}
        given = rest["known"] if set(rest) == {"known"} else rest
    if given == NOT_KNOWN and "unknown" not in kind.values:
        return unknown(name, f"given as unknown in {path.name}", path.name)
    return known(name, fact_value(kind, given, path), path.name, known_by)


def _known_by(name: str, text: Any, path: Path) -> KnownBy:
    try:
        return KnownBy(text)
    except ValueError:
        choices = ", ".join(KnownBy)
        raise _error("facts/known-by", f"{name} cannot be known by {text!r}.",
                     f"Choices: {choices}.", path) from None  # fmt: skip


def fact_value(kind: FactType, given: Any, path: Path) -> Value:
    """A JSON value as the fact's type. Raises InputError with what may be written instead."""
    match kind.type, given:
        case "bool", bool():
            return given
        case "integer", int() if not isinstance(given, bool):
            return given
        case "number", int() | float() if _is_number(given):
            return float(given)
        case "interval", {"value": _, "low": _, "high": _} if len(given) == 3:
            return _interval(kind, given, path)
        case "interval", int() | float() if _is_number(given):
            return Interval(float(given), float(given), float(given))
        case "enum", str() if given in kind.values:
            return given
        case "set", list() if all(isinstance(item, str) for item in given):
            return tuple(sorted(set(given)))
        case "text", str():
            return given
    hint = did_you_mean(given, kind.values) if isinstance(given, str) else ""
    raise _error("facts/wrong-value", f"{kind.name} cannot be {json.dumps(given)[:60]}.",
                 f"{hint} {_wanted(kind)}".strip(), path)  # fmt: skip


def _is_number(given: Any) -> bool:
    """A finite number; true and false are none."""
    return not isinstance(given, bool) and abs(given) <= sys.float_info.max


def _interval(kind: FactType, given: Mapping[str, Any], path: Path) -> Interval:
    numbers = [given[key] for key in ("value", "low", "high")]
    if all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        try:
            return Interval(*(float(number) for number in numbers))
        except (ValueError, OverflowError):
            pass
    raise _error("facts/wrong-interval", f"{kind.name} is not an interval.",
                 "Give numbers, with value between low and high.", path)  # fmt: skip


def _wanted(kind: FactType) -> str:
    match kind.type:
        case "bool":
            return 'Write true, false or "unknown".'
        case "integer":
            return 'Write a whole number or "unknown".'
        case "number":
            return 'Write a number or "unknown".'
        case "interval":
            return 'Write {"value": 1, "low": 0, "high": 2}, one number, or "unknown".'
        case "enum":
            return f"Choices: {', '.join(kind.values)}, unknown."
        case "set":
            return 'Write a list of texts or "unknown".'
    return 'Write a text or "unknown".'


def _error(code: str, what: str, advice: str, path: Path) -> InputError:
    return InputError(what, code=code, advice=advice, place=Place(str(path)))
