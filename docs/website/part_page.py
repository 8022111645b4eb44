"""The page of one gate, rule, piece of advice, question, control or fact, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from guiderail.core.scales import Verdict
from guiderail.policy.examples import ShownExample
from guiderail.policy.pages import Reference
from guiderail.policy.words import capitalised, phrase
from website.markdown import badge, code, formula, link, prose, table, text
from website.shelf import Entry, Shelf

_COMMAND: Final = re.compile(r"guiderail explain ([A-Za-z0-9._-]*[A-Za-z0-9])")
_BOXES: Final[Mapping[str, str]] = {
    Verdict.PASS: "success",
    Verdict.FAIL: "failure",
    Verdict.INSUFFICIENT: "warning",
    Verdict.NOT_APPLICABLE: "note",
}
KINDS: Final = {"app": "apps", "model": "models", "pipeline": "pipelines"}


@dataclass(frozen=True, slots=True)
class Work:
    """A worked example in which a rule or gate counts: its title, anchor and pack."""

    title: str
    anchor: str
    pack: str


def part_page(entry: Entry, shelf: Shelf, works: Sequence[Work], works_page: str) -> str:
    """The whole page. Sections that have nothing to say are left out."""
    one = entry.page
    titles = _TITLES.get(one.kind, {})
    note = f" ({entry.note})" if entry.note else ""
    blocks = (
        (f"# {text(one.title)}{note}", "", _subtitle(entry), *_namesakes(entry, shelf)),
        _section(titles.get("what", "What it checks"), _prose(one.what)),
        _section("Why it matters", _why(entry)),
        _section(titles.get("good", "What good looks like"), _prose(one.good)),
        _section(titles.get("fix", "How to fix it"), _prose(one.fix)),
        _section("Tools", _tools(entry, shelf)),
        _section(titles.get("evidence", "Evidence it produces"), _prose(one.evidence)),
        _section("Waiver", _waiver(entry, shelf)),
        _section("The rule itself", _rule(entry, shelf)),
        _section("Examples", _examples(one.examples, shelf, entry)),
        _section("See it at work", _works(entry, works, works_page)),
        _section("Questions that ask for it", _named(one.questions, shelf, entry)),
        _section(_USED_BY.get(one.kind, ""), _named(one.used_by, shelf, entry)),
        _section("Controls that it is evidence for", _controls(entry, shelf)),
        _section("Owner and dates", _details(entry, shelf)),
        _section("References", _references(one.refs)),
    )
    return "\n".join(line for block in blocks for line in block) + "\n"


_TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "fact": {"what": "What it is", "fix": "What can change it"},
    "question": {"fix": "How to answer"},
    "control": {"what": "What it asks", "good": "Which evidence shows it", "fix": "How to give it",
                "evidence": "What Guiderail records for it"},
    "track rule": {"fix": "How to get lighter"},
    "tier rule": {"fix": "How to get lighter"},
    "advice": {"fix": "What to do"},
}  # fmt: skip
_USED_BY: Final = {
    "question": "What the answer changes",
    "control": "Gates and rules that are evidence for it",
    "fact": "Who reads it",
}


def holds_for(entry: Entry) -> str:
    """For example: models on every tier; apps from tier medium on."""
    told = [
        KINDS.get(kind, kind) if how == "always" else f"{KINDS.get(kind, kind)} {how}"
        for kind, how in entry.page.asked_of
    ]
    return "; ".join(told)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield from ("", f"## {title}", "", *told)


def _prose(words: str) -> Iterator[str]:
    for paragraph in words.split("\n\n") if words else ():
        yield from (prose(paragraph), "")


def _subtitle(entry: Entry) -> str:
    one = entry.page
    told = [f"{capitalised(one.kind)} {code(one.id)}"]
    if one.asked_of:
        told.append(f"for {text(holds_for(entry))}")
    return f'<p class="subtitle" markdown>{" ".join(told)}</p>'


def _namesakes(entry: Entry, shelf: Shelf) -> Iterator[str]:
    """Where another pack means something else by the same name."""
    others = [
        link(f"for {KINDS.get(kind, kind)}", other.path, entry.path)
        for other in shelf.entries
        if other.page.id == entry.page.id and other != entry
        for kind, _ in other.page.asked_of
    ]
    if others:
        yield from ("", f"The same name means something else {', '.join(others)}.")


def _why(entry: Entry) -> Iterator[str]:
    yield from _prose(entry.page.why)
    if entry.page.matters_to:
        yield from (f"**To whom:** {text(entry.page.matters_to)}", "")


def _tools(entry: Entry, shelf: Shelf) -> Iterator[str]:
    """Commands as code. A command that shows a page of this site is a link to it."""
    for tool in entry.page.tools:
        named = _COMMAND.fullmatch(tool)
        found = shelf.find(named[1], entry.packs) if named else None
        if found is not None:
            yield f"- {link(code(tool), found.path, entry.path)}"
        else:
            yield f"- {code(tool) if tool.startswith('guiderail ') else text(tool)}"


def _waiver(entry: Entry, shelf: Shelf) -> Iterator[str]:
    yield from _prose(entry.page.waiver)
    if entry.page.kind == "gate":
        roles = ", ".join(shelf.role(role) for role in entry.page.waivable_by)
        yield f"**May waive it:** {text(roles or 'nobody')}"


def _rule(entry: Entry, shelf: Shelf) -> Iterator[str]:
    one = entry.page
    for label, expression in one.conditions:
        if expression == "true":
            yield f"**{capitalised(text(label))}** always."
            continue
        yield f"**{capitalised(text(label))}** when"
        yield from formula(expression)
    if one.kind in ("fact", "control") or not one.facts:
        return
    limits = dict(one.limits)
    yield from table(
        ("fact", "what it is", "limits here"),
        (
            (named(fact, shelf, entry), meaning(fact, shelf), ", ".join(limits.get(fact, ())))
            for fact in one.facts
        ),
    )


def meaning(fact: str, shelf: Shelf) -> str:
    """What a fact says, in words: whether a version is in production."""
    for pack in shelf.packs:
        known = pack.vocabulary.named(fact)
        if known is not None:
            return text(phrase(known))
    return ""


def named(page_id: str, shelf: Shelf, entry: Entry) -> str:
    """A name as code, and as a link where it has a page."""
    found = shelf.find(page_id, entry.packs)
    return code(page_id) if found is None else link(code(page_id), found.path, entry.path)


def _named(ids: Sequence[str], shelf: Shelf, entry: Entry) -> Iterator[str]:
    for page_id in ids:
        found = shelf.find(page_id, entry.packs)
        title = "" if found is None else f": {text(found.page.title)}"
        yield f"- {named(page_id, shelf, entry)}{title}"


def _controls(entry: Entry, shelf: Shelf) -> Iterator[str]:
    yield from _named([name for name in entry.page.controls if name != entry.page.id], shelf, entry)


def _examples(examples: Sequence[ShownExample], shelf: Shelf, entry: Entry) -> Iterator[str]:
    if not examples:
        return
    yield "Each was judged by the evaluator when this page was written. What an example does not"
    yield "name is unknown."
    for example in examples:
        verdict = example.verdict.replace("_", " ")
        title = text(capitalised(example.name)).replace('"', "&quot;")
        yield from ("", f'!!! {_BOXES[example.verdict]} "{title}: {verdict}"', "")
        if not example.facts:
            yield "    - nothing is known"
        for name, value in example.facts:
            yield f"    - {named(name, shelf, entry)} {meaning(name, shelf)}: **{text(value)}**"
        if example.sentence:
            yield from ("", f"    Guiderail says: {text(example.sentence)}")


def _works(entry: Entry, works: Sequence[Work], works_page: str) -> Iterator[str]:
    for work in works:
        yield f"- {link(text(work.title), f'{works_page}#{work.anchor}', entry.path)}"


def _details(entry: Entry, shelf: Shelf) -> Iterator[str]:
    one = entry.page
    rows = [
        ("Owner", text(shelf.role(one.owner)) if one.owner else ""),
        ("Holds for", text(holds_for(entry))),
        ("In force since", one.since),
        ("Until", one.until or ("further notice" if one.since else "")),
        ("In the terminal", code(_command(entry))),
    ]
    yield from (f"- **{label}:** {told}" for label, told in rows if told)


def _command(entry: Entry) -> str:
    """What shows this very page: where kinds have pages of their own, it names the kind."""
    kinds = [kind for kind, _ in entry.page.asked_of]
    which = f" --kind {kinds[0]}" if entry.note and kinds else ""
    return f"guiderail explain {entry.page.id}{which}"


def _references(refs: Sequence[Reference]) -> Iterator[str]:
    if not refs:
        return
    yield "Evidence for these clauses. Whether a clause is met is for people to say."
    yield ""
    for ref in refs:
        until = f" to {ref.valid_to}" if ref.valid_to else ""
        status = {"in-force": "in force", "planned": badge("not in force yet", "insufficient"),
                  "ended": badge("ended", "fail")}[ref.status]  # fmt: skip
        checked = (
            f"read by a person on {ref.verified_on}"
            if ref.verified
            else badge("not yet checked by a person", "insufficient")
        )
        yield f"- **{text(ref.clause)}** ({text(ref.jurisdiction)}): {text(ref.about)}."
        yield f"  Valid from {ref.valid_from}{until}, {status}."
        yield f"  Source: {text(ref.source)}; {checked}."
