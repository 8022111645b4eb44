"""The card of a release: what it is for, what it was measured to do, its limits and its way back.

Made from the records of a case in an audit pack and from nothing else, as Markdown and as HTML. The
same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from html import escape
from math import sqrt
from typing import Any, Final, NamedTuple

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import CaseHistory
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.case_tables import shown

_Z: Final = 1.959963984540054
"""Of a two-sided 95 % interval."""
_LEGEND: Final = (
    "Intervals are 95 %. A declared value was said by somebody; a measured one was measured on the "
    "author's machine."
)
_PLACES: Final = Decimal("0.0001")
_LONG: Final = Decimal("1e15")
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}caption{text-align:left;font-weight:600}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid #b1b4b6;min-width:5.5rem;overflow-wrap:anywhere}"
)


class Heading(NamedTuple):
    text: str
    level: int = 2


class Paragraph(NamedTuple):
    text: str


class Table(NamedTuple):
    caption: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Block = Heading | Paragraph | Table


class Release(NamedTuple):
    """The records of one case that a card or a bill of materials is made from."""

    case: str
    history: CaseHistory
    manifest: Mapping[str, Any]
    artefacts: Mapping[str, str]
    facts: Mapping[str, Any]
    decision: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return self.history.submitted.digest or ""

    @property
    def kind(self) -> str:
        return self.history.submitted.kind

    @property
    def decided_at(self) -> str:
        return self.history.decisions[-1].at

    def value(self, fact: str) -> Any:
        found = self.facts.get(fact)
        return {"unknown": "not recorded"} if found is None else found["value"]


def release_of(pack: AuditPack, history: CaseHistory) -> Release:
    """Raises VerifyError where a record of the case is not in the pack."""
    case, dossier = history.id, history.value("dossier")
    document = pack.object(files.case_path(case, "release.json"))
    return Release(
        case, history, document["manifest"], document["artefacts"],
        pack.object(files.dossier_path(case, dossier, "facts")), pack.decision(case, dossier),
        pack.record(case),
    )  # fmt: skip


def words(value: Any) -> str:
    """A stored value with its interval; unknown says why."""
    found = shown(value)
    if found.unknown:
        return f"not known: {found.unknown}"
    if found.low:
        return f"{_short(found.value)} ({_short(found.low)} to {_short(found.high)})"
    return _short(found.value) if isinstance(value, Mapping) else found.value


def _short(number: str) -> str:
    """A decimal with at most four places; the records and the bill of materials have all."""
    try:
        exact = Decimal(number)
    except InvalidOperation:
        return number
    short = exact.quantize(_PLACES) if exact.is_finite() and abs(exact) < _LONG else exact
    return number if exact == short else f"{short:f}".rstrip("0").rstrip(".")


def markdown(blocks: Iterable[Block]) -> str:
    """CommonMark with tables. What people wrote is escaped: it is text, never a link or markup."""
    parts: list[str] = []
    for block in blocks:
        match block:
            case Heading(text, level):
                parts.append(f"{'#' * level} {_plain(text)}")
            case Paragraph(text):
                parts.append(_plain(text))
            case Table(caption, heads, rows):
                if not rows:
                    parts.append(_plain(f"{caption}: none."))
                    continue
                lines = [f"**{_plain(caption)}**", "", _line(heads), _line(["---"] * len(heads))]
                parts.append("\n".join([*lines, *(_line(map(_plain, row)) for row in rows)]))
    return "\n\n".join(parts) + "\n"


def html(blocks: Iterable[Block], title: str) -> str:
    """One page without script and without outside request."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
    ]
    for block in blocks:
        match block:
            case Heading(text, level):
                parts.append(f"<h{level}>{escape(text)}</h{level}>\n")
            case Paragraph(text):
                parts.append(f"<p>{escape(text)}</p>\n")
            case Table(caption, heads, rows):
                if not rows:
                    parts.append(f"<p>{escape(caption)}: none.</p>\n")
                    continue
                parts.append(_table(caption, heads, rows))
    return "".join((*parts, "</main>\n</body>\n</html>\n"))


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without heads has its names in the first column."""
    named = any(heads)
    cells = [
        [f"<td>{escape(cell)}</td>" for cell in row]
        if named
        else [f'<th scope="row">{escape(row[0])}</th>', *(f"<td>{escape(c)}</td>" for c in row[1:])]
        for row in rows
    ]
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads) if named else ""
    top = f"<thead><tr>{head}</tr></thead>\n" if named else ""
    body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in cells)
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n{top}<tbody>\n{body}</tbody>\n</table>\n"
    )


def title_of(release: Release) -> str:
    what = "Model card" if release.kind == "model" else "Release card"
    return f"{what}: {release.manifest['name']} {release.manifest['version']}"


def card(release: Release) -> list[Block]:
    """Everything that is recorded about the release, for somebody who decides whether to use it."""
    return [
        Heading(title_of(release), 1),
        *_head(release),
        *_use(release),
        *_data(release),
        *_measured(release),
        *_groups(release),
        *_limits(release),
        *_watched(release),
        *_decided(release),
    ]


def _head(release: Release) -> Iterator[Block]:
    manifest, last = release.manifest, release.history.decisions[-1]
    yield Paragraph(str(manifest["purpose"]))
    yield Table(
        "What it is",
        ("", ""),
        [
            ("Kind", release.kind),
            ("Owner", str(manifest["owner"])),
            ("Release", release.digest),
            ("Case", release.case),
            ("Tier", release.history.value("tier")),
            ("Track", release.history.value("track")),
            ("Came to", release.history.outcome),
            ("Policy", str(last.policy)),
            ("Decided at", release.decided_at),
        ],
    )


def _use(release: Release) -> Iterator[Block]:
    yield Heading("Intended use")
    names = [name for name in sorted(release.facts) if name.startswith("use.")]
    yield Table("What the output is used for", ("Fact", "Value", "Known by"), [
        (name, words(release.value(name)), str(release.facts[name]["known_by"])) for name in names
    ])  # fmt: skip
    forbidden = release.manifest.get("forbidden_uses") or ()
    yield Table("It must not be used for", ("Use",), [(str(one),) for one in forbidden])


def _data(release: Release) -> Iterator[Block]:
    yield Heading("Data")
    rows = []
    for section in ("training", "sources"):
        for source in release.manifest.get(section) or ():
            allowed = source.get("permitted") or {}
            rows.append((
                str(source.get("name")), str(source.get("data")),
                str(source.get("fingerprint") or "not recorded"),
                str(allowed.get("by") or source.get("permission") or "not recorded"),
                str(allowed.get("until") or ""),
            ))  # fmt: skip
    heads = ("Source", "Data", "Fingerprint", "Permitted by", "Until")
    yield Table("Sources", heads, rows)
    evaluation = release.manifest.get("evaluation")
    if evaluation:
        told = ("data", "label", "metric", "positive", "recipe", "protected")
        yield Table("Evaluated on", ("", ""), [
            (name, words(evaluation.get(name))) for name in told if evaluation.get(name)
        ])  # fmt: skip
    yield from _facts(release, "What is known about the data", ("data.", "lineage."))


def _measured(release: Release) -> Iterator[Block]:
    yield Heading("What was measured")
    yield Paragraph(_LEGEND)
    prefixes = ("performance.", "evaluation.", "change.", "explanations.", "drift.", "cost.")
    yield from _facts(release, "Measured values", prefixes)


def _groups(release: Release) -> Iterator[Block]:
    if release.kind != "model":
        return
    yield Heading("By group")
    yield from _facts(release, "Fairness", ("fairness.",))
    rows = []
    for cell in cells_of(release):
        errors = []
        for top, rest in (("tp", "fn"), ("fp", "tn")):
            if cell.get(top) is None or cell.get(rest) is None:
                errors.append("not measured")
            else:
                errors.append(rate(cell[top], cell[top] + cell[rest]))
        rows.append((cell["group"], str(cell["n"]), rate(cell["selected"], cell["n"]), *errors))
    heads = ("Group", "Rows", "Selected", "True positive rate", "False positive rate")
    yield Table("Rates with their intervals (Wilson)", heads, rows)


def cells_of(release: Release) -> list[Mapping[str, Any]]:
    """Counts of every group and intersection; empty where none were measured."""
    detail = release.facts.get("fairness.selection_ratio", {}).get("detail", {})
    return list(detail.get("cells", ()))


def rate(count: int, of: int) -> str:
    """A share with its Wilson interval: E. B. Wilson, JASA 22 (1927) 209-212."""
    bounds = wilson(count, of)
    if bounds is None:
        return "undefined: no rows"
    return f"{bounds[0]} ({bounds[1]} to {bounds[2]})"


def wilson(count: int, of: int) -> tuple[str, str, str] | None:
    """Share, lower and upper bound with four decimals; None without rows."""
    if of <= 0:
        return None
    share, square = count / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{share:.4f}", f"{low:.4f}", f"{high:.4f}"


def limits_of(release: Release) -> list[tuple[str, str, str]]:
    """Gates that did not pass: id, verdict, why."""
    return [
        (gate["id"], gate["verdict"], gate["sentence"])
        for gate in release.decision["gates"]
        if gate["verdict"] not in ("pass", "not_applicable")
    ]


def _limits(release: Release) -> Iterator[Block]:
    yield Heading("Limits")
    yield Table("Gates that did not pass", ("Gate", "Verdict", "Why"), limits_of(release))
    accepted = [
        (", ".join(one["accepted_gates"]), one["role"], str(one["reason"] or ""))
        for one in release.record["reviews"]
        if one["verdict"] == "approve" and one["accepted_gates"]
    ]
    yield Table("Accepted without enough evidence", ("Gates", "By role", "Reason"), accepted)
    conditions = [
        (condition, one["role"])
        for one in release.record["reviews"]
        for condition in one["conditions"]
        if one["verdict"] == "approve"
    ]
    yield Table("Conditions of the approval", ("Condition", "By role"), conditions)
    unknown = [
        (name, shown(fact["value"]).unknown)
        for name, fact in sorted(release.facts.items())
        if shown(fact["value"]).unknown
    ]
    yield Table("Not known", ("Fact", "Why"), unknown)


def _watched(release: Release) -> Iterator[Block]:
    yield Heading("In production")
    for name, caption in (
        ("monitoring", "What is set up to be watched"),
        ("rollout", "How traffic moves to it"),
        ("rollback", "How to go back"),
    ):
        section = release.manifest.get(name) or {}
        rows = [(path, value) for path, value in _leaves(section, "") if value]
        yield Table(caption, ("", ""), rows)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and set(value) != {"number"}:
        for name in sorted(value):
            yield from _leaves(value[name], f"{path}.{name}" if path else str(name))
    elif value is not None:
        yield path, words(value)


def _decided(release: Release) -> Iterator[Block]:
    yield Heading("Who decided")
    rows = [
        (one["role"], one["verdict"], one["at"], str(one["reason"] or ""))
        for one in release.record["reviews"]
    ]
    yield Table("Reviews", ("Role", "Verdict", "When", "Reason"), rows)
    for scale in ("tier", "track"):
        reasons = [(one["rule"], one["sentence"]) for one in release.decision[scale]["reasons"]]
        yield Table(f"Why this {scale}", ("Rule", "Reason"), reasons)


def _facts(release: Release, caption: str, prefixes: tuple[str, ...]) -> Iterator[Block]:
    rows = [
        (name, words(fact["value"]), str(fact["known_by"]), str(fact["source"]))
        for name, fact in sorted(release.facts.items())
        if name.startswith(prefixes) and not shown(fact["value"]).unknown
    ]
    yield Table(caption, ("Fact", "Value", "Known by", "Source"), rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """On one line, with every sign that Markdown or HTML would read as its own escaped."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#&!" else letter for letter in flat)
