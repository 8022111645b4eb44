"""How often a schedule starts something in a month, from the five fields of cron.

Minute, hour, day of the month, month, day of the week (0 or 7 is Sunday), as crontab(5) has them:
`*`, numbers, names of months and days, ranges, steps, lists, and the short forms @hourly, @daily,
@midnight, @weekly, @monthly, @yearly and @annually. Where both days are restricted, either one is
enough. Changes of the clock are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from guiderail.measure.monthly_cost import Range

_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
_DAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_FIRST, _LAST = date(2025, 1, 1), date(2028, 12, 31)
"""Four years with one leap year: any schedule by month and weekday is near its mean in them."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


def runs_per_month(schedule: str) -> Range:
    """Fewest, mean and most starts in a month. Raises ValueError in words for people."""
    parts = _SHORT.get(schedule.strip().lower(), schedule).split()
    if len(parts) != len(_FIELDS):
        raise ValueError("a schedule has five fields: minute, hour, day, month, day of the week")
    minutes, hours, days, months, weekdays = (
        _values(text, field) for text, field in zip(parts, _FIELDS, strict=True)
    )
    weekdays = {day % 7 for day in weekdays}
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    counts = dict.fromkeys(
        ((year, month) for year in range(_FIRST.year, _LAST.year + 1) for month in range(1, 13)), 0
    )
    day = _FIRST
    while day <= _LAST:
        in_month, in_week = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and (in_month or in_week if either else in_month and in_week):
            counts[day.year, day.month] += len(minutes) * len(hours)
        day += timedelta(days=1)
    found = counts.values()
    if not any(found):
        raise ValueError("a schedule that never starts anything")
    return Range(min(found), sum(found) / len(found), max(found))


def _values(text: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise ValueError(f"the step {step!r} of the {field.name} is no whole number above 0")
        if span == "*":
            low, high = field.low, field.high
        else:
            first, dash, last = span.partition("-")
            low = _value(first, field)
            high = _value(last, field) if dash else (field.high if slash else low)
        if low > high:
            raise ValueError(f"the {field.name} runs backwards in {span!r}")
        found |= set(range(low, high + 1, int(step) if slash else 1))
    return found


def _value(text: str, field: _Field) -> int:
    value = field.names.get(text.lower())
    if value is None and text.isascii() and text.isdigit():
        value = int(text)
    if value is None or not field.low <= value <= field.high:
        raise ValueError(f"{text!r} is no {field.name} from {field.low} to {field.high}")
    return value
