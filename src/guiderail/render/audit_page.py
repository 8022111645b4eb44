"""The readable page of an audit pack: one HTML file without script and without outside request."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from guiderail.core.digest import short
from guiderail_verify.audit_entries import CaseHistory, Entry
from guiderail_verify.audit_files import TABLES, Manifest, case_path, dossier_path
from guiderail_verify.audit_tables import TABLES as AUDIT_TABLES

READ_ME: Final = """\
This is an audit pack of Guiderail. It can be checked without Guiderail:

    guiderail-verify DIRECTORY --key VERIFIER_KEY

The verifier key is the checkpoint key of the log. Get it by another way than this pack: the one
in keys.json shows only that the pack agrees with itself.

index.html       to read: every case with its decision, reviews, permit and events
index.csv        the same cases as a table, one line each, drawn or not
manifest.json    the scope, the sample, and the SHA-256 of every file; manifest.dsse.json signs it
checkpoint.txt   the signed root over all entries of the ledger, with the cosignatures of witnesses
                 (C2SP signed note)
entries.jsonl    every entry of the ledger in order; a line is exactly the bytes that were hashed
disclosed.jsonl  the details of entries, with the salts of the commitments in the entry
people.json      who stands behind a pseudonym; people-keys.json opens the commitments of the
                 recorded registers to it
packs/           the compiled policies, named by their SHA-256
registers/       recorded registers, named by their SHA-256; people under their pseudonyms
tables/          what an auditor asks for, in order: begin with tables/contents.csv
evidence/        documents that entries bind, named by their SHA-256
cases/           for each case: release, facts, answers, decision, record, permits, proofs, and
                 its card (card.md, card.html) and CycloneDX 1.7 bill of materials (bom.cdx.json)
assessment-results.oscal.json  the cases as OSCAL 1.2.1 assessment results
reconciliation.csv  what the target served when the pack was written; the operator says so
witnesses.txt    the witnesses that the operator named (C2SP tlog-policy), where there are any
checkpoints/     an earlier checkpoint that witnesses cosigned, where the newest one is not
timestamps/      time stamps of checkpoints by an outside authority (RFC 3161), where there are any

To check that witnesses whom you trust have cosigned, and that the ledger continues a checkpoint
that you kept (--quorum N: so many of the witnesses that you name):

    guiderail-verify DIRECTORY --key VERIFIER_KEY --witness WITNESS_KEY --checkpoint KEPT

To check a time stamp, get the root certificates of the authority from the authority itself:

    openssl ts -verify -data timestamps/SIZE.txt -in timestamps/SIZE-1.tsr -CAfile ROOTS.pem

The pack holds names and free text. Keep it as you keep other personal data.
"""


def read_me(warnings: Sequence[str]) -> str:
    """README.txt of a pack. warnings: what nobody outside could notice; they come first."""
    told = "".join(textwrap.fill(f"WARNING: {one}", 96) + "\n\n" for one in warnings)
    return told + READ_ME


_STYLE: Final = """\
:root { color-scheme: light dark; --line: #b1b4b6; --soft: #f3f2f1; --text: #0b0c0c; --back: #fff;
  --good: #00703c; --warn: #8a4b00; --bad: #b10e1e; }
@media (prefers-color-scheme: dark) { :root { --line: #505a5f; --soft: #1d2226; --text: #e8eaeb;
  --back: #101416; --good: #6fd39b; --warn: #ffb454; --bad: #ff8a93; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem;
  color: var(--text); background: var(--back); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
code { font-size: .9em; overflow-wrap: anywhere; }
section { border-top: 3px solid var(--line); margin-top: 2rem; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
.green, .pass { color: var(--good); } .yellow, .insufficient { color: var(--warn); }
.red, .fail { color: var(--bad); }
@media print { details > * { display: block; } }
"""


def audit_page(
    scope: Manifest,
    note: str,
    framed: Mapping[str, CaseHistory],
    drawn: Collection[str],
    people: Mapping[str, str],
    files: Mapping[str, bytes],
    *,
    log_size: int,
    warnings: Sequence[str] = (),
) -> str:
    """The page. framed: every case of the scope. drawn: ids of those whose files are in `files`.

    warnings: what nobody outside could notice about the ledger.
    """
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>Audit pack</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n",
            *_head(scope, note, len(framed), len(drawn), log_size),
            *(f'<p class="red"><strong>Warning.</strong> {escape(one)}</p>\n' for one in warnings),
            *_frame(framed.values(), drawn),
            *_tables(files),
            *(part for case in drawn for part in _case(framed[case], people, files)),
            *_hashes(files),
            "</main>\n</body>\n</html>\n",
        )
    )


def _head(scope: Manifest, note: str, cases: int, drawn: int, size: int) -> Iterator[str]:
    yield "<h1>Audit pack</h1>\n<p>This page is for reading. Nothing on it counts until "
    yield "<code>guiderail-verify</code> has checked the pack that it lies in: the page itself is "
    yield "covered by the signed manifest, and its sentences are what the platform wrote.</p>\n"
    workload = scope.workload or "all workloads"
    period = f"{scope.since or 'the beginning'} to {scope.until or 'the end of the log'}"
    sample = "every case of the scope"
    if scope.sample is not None:
        sample = f"{drawn} of {cases}, drawn with the seed “{scope.sample[1]}”"
    rows = [
        ("Workloads", workload),
        ("Submitted from", period),
        ("Cases in the scope", str(cases)),
        ("Cases in the pack", sample),
        ("Entries of the ledger", str(size)),
    ]
    yield _table("What is in it", ("", ""), rows)
    yield f"<p>The signed checkpoint over the ledger:</p>\n<pre>{escape(note)}</pre>\n"


def _frame(framed: Iterable[CaseHistory], drawn: Collection[str]) -> Iterator[str]:
    heads = ("Case", "Workload", "Version", "Submitted", "Tier", "Track", "Outcome", "In the pack")
    rows = [
        (
            history.id,
            history.submitted.name,
            _version(history),
            _time(history.submitted.at),
            history.value("tier"),
            history.value("track"),
            history.outcome,
            "yes" if history.id in drawn else "no",
        )
        for history in framed
    ]
    yield _table("Every case of the scope", heads, rows)


def _tables(files: Mapping[str, bytes]) -> Iterator[str]:
    """Every table of the pack, in the order in which an auditor asks."""
    yield "<section>\n<h2>Tables</h2>\n<p>The same rows as in the CSV files below "
    yield f"<code>{TABLES}/</code>; the verifier computes each again.</p>\n"
    for one in AUDIT_TABLES:
        heads, *rows = csv.reader(io.StringIO(files[one.path].decode("utf-8")))
        count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
        yield f"<details>\n<summary>{escape(one.name)} ({count})</summary>\n"
        yield _table(one.name, [head.replace("_", " ") for head in heads], rows)
        yield "</details>\n"
    yield "</section>\n"


def _interview(answers: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (fact, _value(given["value"]), given["person"], given["case"])
        for fact, given in sorted(answers["answers"].items())
    ]
    yield _table("Interview", ("Fact", "Answer", "Who", "In case"), rows)
    workers = [(one,) for one in answers["contributors"]]
    yield _table("Worked on it, so could not approve", ("Person",), workers)


def _case(
    history: CaseHistory, people: Mapping[str, str], files: Mapping[str, bytes]
) -> Iterator[str]:
    case, dossier = history.id, history.value("dossier")
    decision = _json(files[dossier_path(case, dossier, "decision")])
    facts = _json(files[dossier_path(case, dossier, "facts")])
    answers = _json(files[dossier_path(case, dossier, "answers")])
    record = _json(files[case_path(case, "case.json")])
    track = history.value("track")
    yield f'<section id="{escape(case)}">\n<h2>{escape(case)}: {escape(history.submitted.name)} '
    yield f"{escape(_version(history))}</h2>\n"
    yield f'<p>Track <strong class="{escape(track)}">{escape(track)}</strong>, tier '
    yield f"{escape(history.value('tier'))}, {escape(history.outcome)}. Release "
    yield f"<code>{escape(str(history.submitted.digest))}</code>, dossier "
    yield f"<code>{escape(dossier)}</code>, policy "
    yield f"<code>{escape(str(history.decisions[-1].policy))}</code>.</p>\n"
    for what in ("tier", "track"):
        reasons = [(one["rule"], one["sentence"]) for one in decision[what]["reasons"]]
        yield _table(f"Why this {what}", ("Rule", "Reason"), reasons)
    gates = [
        (gate["id"], gate["verdict"], "yes" if gate["enforced"] else "no", gate["sentence"])
        for gate in decision["gates"]
    ]
    yield _table("Gates", ("Gate", "Verdict", "Enforced", "Why"), gates, marked=1)
    yield from _interview(answers)
    reviews = [
        (_time(one["at"]), one["person"], one["role"], one["verdict"], one["reason"],
         "; ".join(one["conditions"]), ", ".join(one["accepted_gates"]), short(one["dossier"]))
        for one in record["reviews"]
    ]  # fmt: skip
    heads = ("When", "Who", "Role", "Verdict", "Reason", "Conditions", "Accepted gates", "Dossier")
    yield _table("Reviews", heads, reviews)
    permits = [(one["id"], "yes" if one["revoked"] else "no") for one in record["permits"]]
    yield _table("Permits", ("Permit", "Taken back"), permits)
    events = [_event(entry, people) for entry in history.entries]
    yield _table("Events", ("Entry", "When", "Who", "What", "Outcome", "Details"), events)
    yield "<details>\n<summary>Facts that the decision rests on</summary>\n"
    rows = [
        (name, _value(fact["value"]), fact["known_by"], fact["source"])
        for name, fact in facts.items()
    ]
    yield _table("Facts", ("Fact", "Value", "Known by", "Source"), rows)
    yield "</details>\n</section>\n"


def _event(entry: Entry, people: Mapping[str, str]) -> tuple[str, ...]:
    details = "; ".join(
        f"{name}: {_value(value)}"
        for name, value in (entry.payload or {}).items()
        if name != "case" and value not in (None, "", [], {})
    )
    who = people.get(entry.actor, entry.actor)
    return (str(entry.seq), _time(entry.at), who, entry.type, entry.outcome, details)


def _hashes(files: Mapping[str, bytes]) -> Iterator[str]:
    yield "<section>\n<h2>Files</h2>\n<details>\n<summary>SHA-256 of every file</summary>\n"
    rows = [(path, hashlib.sha256(data).hexdigest()) for path, data in sorted(files.items())]
    yield _table("Files", ("File", "SHA-256"), rows)
    yield "</details>\n</section>\n"


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, marked: int = -1
) -> str:
    """A table, or a sentence where it would be empty. marked: a column coloured by its word."""
    if not rows:
        return f"<p>{escape(caption)}: none.</p>\n"
    lines = [f"<table>\n<caption>{escape(caption)}</caption>\n"]
    if any(heads):
        cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
        lines.append(f"<thead><tr>{cells}</tr></thead>\n")
    for row in rows:
        cells = "".join(
            f'<td class="{escape(cell)}">{escape(cell)}</td>'
            if place == marked
            else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>\n")
    return "".join((*lines, "</table>\n"))


def _json(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data)
    return found


def _version(history: CaseHistory) -> str:
    return str((history.submitted.payload or {}).get("version") or "")


def _time(at: str) -> str:
    return f"{at[:10]} {at[11:19]} UTC"


def _value(value: object) -> str:
    """A stored value in words; unknown says why."""
    match value:
        case {"unknown": str(reason)}:
            return f"unknown: {reason}"
        case {"number": str(number)}:
            return number
        case {"value": str(point), "low": str(low), "high": str(high)}:
            return f"{point} ({low} to {high})"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list():
            return ", ".join(_value(item) for item in value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
