"""The page of a control: what it asks, where it holds, what gives evidence, and for which clauses.

Which gates and rules give evidence is computed from the pages that name the control, never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guiderail.policy.pack import Pack
from guiderail.policy.pages import Page, Reference
from guiderail.policy.words import joined

NOTHING_YET: Final = "This version produces no evidence for it: somebody has to keep it elsewhere."
_KINDS: Final = {"app": "apps", "model": "models", "pipeline": "pipelines"}
_STATUS: Final = {"in-force": "in force", "planned": "to come", "ended": "ended"}


def evidence_for(control: str, pack: Pack) -> tuple[str, ...]:
    """Ids of the gates, rules and pieces of advice that are evidence for the control."""
    return tuple(
        part
        for part, texts in pack.texts["parts"].items()
        if control in texts.get("page", {}).get("controls", ())
    )


def control_page(control: str, pack: Pack) -> Page:
    """The page of a control that is in the pack."""
    texts: Mapping[str, Any] = pack.texts["controls"][control]
    given_by = evidence_for(control, pack)
    mappings = tuple(Reference(**row) for row in texts["mappings"])
    return Page(
        id=control,
        kind="control",
        title=texts["title"],
        what=f"{texts['statement']}\n\n{_where(texts)}",
        why="\n\n".join(part for part in (_clauses(mappings), texts["note"]) if part),
        good=texts["evidence"],
        fix=_fix(given_by, texts["recorded"]),
        tools=tuple(f"guiderail explain {name}" for name in given_by) or ("guiderail case show",),
        controls=(control,),
        refs=tuple(sorted(mappings, key=lambda one: list(_STATUS).index(one.status))),
        evidence=_evidence(given_by, texts["recorded"]),
        owner=texts["owner"],
        since=texts["since"],
        until=texts["until"] or "",
        used_by=given_by,
    )


def _where(texts: Mapping[str, Any]) -> str:
    kinds = joined([_KINDS[kind] for kind in texts["kinds"]])
    if texts["from_tier"] == "low":
        return f"It holds for {kinds} of every tier."
    return f"It holds for {kinds} from tier {texts['from_tier']} on; below it is good practice."


def _clauses(mappings: Sequence[Reference]) -> str:
    if not mappings:
        return "No clause is mapped to it."
    counts = [
        (sum(one.status == status for one in mappings), words) for status, words in _STATUS.items()
    ]
    told = joined([f"{count} {words}" for count, words in counts if count])
    clauses = "1 clause" if len(mappings) == 1 else f"{len(mappings)} clauses"
    return (
        f"What it records is evidence for {clauses}: {told}. Whether that is enough is for people."
    )


def _evidence(given_by: Sequence[str], recorded: str | None) -> str:
    said = [f"Given by {joined(given_by)}."] if given_by else []
    said += [recorded] if recorded else []
    return "\n\n".join(said) or NOTHING_YET


def _fix(given_by: Sequence[str], recorded: str | None) -> str:
    if given_by:
        return "Pass what gives the evidence; each has a page that says how."
    if recorded:
        return (
            "No gate or rule asks for it. What is recorded stands below; the rest is yours to keep."
        )
    return "No gate or rule asks for it, and nothing is recorded: keep the evidence yourself."
