"""Attributions as SVG: made on the server, no script, readable in light and dark and on paper.

Text and lines are `currentColor`. Bars take the page's `--guiderail-for` and `--guiderail-against`
where it sets them, else a blue and an orange that people with colour blindness tell apart (Okabe
and Ito 2008); each bar also carries its number and its sign, so colour is never the only carrier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LABEL, VALUE, ROW, TOP = 760, 260, 120, 26, 44
MOST_BARS = 12
_STYLE = (
    ".for{fill:var(--guiderail-for,#0072b2)}.against{fill:var(--guiderail-against,#d55e00)}"
    ".old{fill:currentColor;fill-opacity:.35}"
    "text{fill:currentColor;font:14px system-ui,sans-serif}.title{font-weight:600}"
    "line{stroke:currentColor;stroke-opacity:.4}"
    # Only where the picture is the whole document.
    "@media (prefers-color-scheme:dark){svg:root{color:#eee;background:#161616}}"
)


def waterfall_svg(title: str, base: float, values: Sequence[tuple[str, float]]) -> str:
    """From the base to the score, one bar for each input, the strongest first.

    Beyond twelve inputs the rest is one bar.
    """
    steps = sorted(values, key=lambda item: -abs(item[1]))
    rest = steps[MOST_BARS:]
    steps = steps[:MOST_BARS]
    if rest:
        steps.append((f"{len(rest)} other inputs", sum(value for _, value in rest)))
    ends = [base]
    for _, value in steps:
        ends.append(ends[-1] + value)
    scale = _scale(ends)
    parts = [_row(0, "usual score", f"{base:.3g}", _tick(scale(base), 0))]
    for number, (name, value) in enumerate(steps):
        left, right = sorted((scale(ends[number]), scale(ends[number + 1])))
        kind = "for" if value >= 0 else "against"
        bar = _bar(left, right, number + 1, kind)
        parts.append(_row(number + 1, name, f"{value:+.3g}", bar))
    last = len(steps) + 1
    parts.append(_row(last, "score of this row", f"{ends[-1]:.3g}", _tick(scale(ends[-1]), last)))
    described = "; ".join(f"{name} {value:+.3g}" for name, value in steps)
    text = f"Starts at {base:.3g}, ends at {ends[-1]:.3g}: {described}."
    return _document(title, text, parts, last + 1)


def comparison_svg(
    title: str, old: Mapping[str, float | None], new: Mapping[str, float | None]
) -> str:
    """Share of each input in the old (pale) and in the new version, largest change first."""
    names = list(dict.fromkeys((*old, *new)))
    pairs = [(name, old.get(name) or 0.0, new.get(name) or 0.0) for name in names]
    pairs.sort(key=lambda item: (-abs(item[2] - item[1]), item[0]))
    pairs = pairs[:MOST_BARS]
    scale = _scale([0.0, *(share for _, one, two in pairs for share in (one, two))])
    parts = []
    for number, (name, before, after) in enumerate(pairs):
        bars = _bar(scale(0), scale(before), number, "old", half=1)
        bars += _bar(scale(0), scale(after), number, "for", half=2)
        parts.append(_row(number, name, f"{100 * before:.1f} → {100 * after:.1f} %", bars))
    described = "; ".join(
        f"{name} from {100 * before:.1f} to {100 * after:.1f} percent"
        for name, before, after in pairs
    )
    return _document(title, f"Old version pale, new version full: {described}.", parts, len(pairs))


class _Scale:
    """From a value to a horizontal place inside the drawing."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._span = low, (high - low) or 1.0

    def __call__(self, value: float) -> float:
        return LABEL + (WIDTH - LABEL - VALUE - 20) * (value - self._low) / self._span


def _scale(values: Sequence[float]) -> _Scale:
    return _Scale(min(values), max(values))


def _row(number: int, name: str, value: str, drawn: str) -> str:
    y = TOP + number * ROW + 17
    shown = name if len(name) <= 28 else f"{name[:27]}…"
    full = f"<title>{_text(name)}</title>" if shown != name else ""
    return (
        f'<g><text x="{LABEL - 10}" y="{y}" text-anchor="end">{_text(shown)}{full}</text>{drawn}'
        f'<text x="{WIDTH - 6}" y="{y}" text-anchor="end">{_text(value)}</text></g>'
    )


def _bar(left: float, right: float, number: int, kind: str, half: int = 0) -> str:
    y = TOP + number * ROW + (4 if half < 2 else 13)
    height = 9 if half else 18
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" '
        f'height="{height}"/>'
    )


def _tick(x: float, number: int) -> str:
    y = TOP + number * ROW
    return f'<line x1="{x:.1f}" y1="{y + 2}" x2="{x:.1f}" y2="{y + 24}" stroke-width="2"/>'


def _document(title: str, description: str, parts: Sequence[str], rows: int) -> str:
    height = TOP + rows * ROW + 12
    mark = hashlib.sha256(f"{title}{description}".encode()).hexdigest()[:8]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="t-{mark} d-{mark}">'
        f'<title id="t-{mark}">{_text(title)}</title>'
        f'<desc id="d-{mark}">{_text(description)}</desc>'
        f'<style>{_STYLE}</style><text class="title" x="6" y="24">{_text(title)}</text>'
        f"{''.join(parts)}</svg>\n"
    )


def _text(value: str) -> str:
    """Escaped, and without the control characters that XML forbids."""
    return escape("".join(sign if sign >= " " else "\ufffd" for sign in value), {'"': "&quot;"})
