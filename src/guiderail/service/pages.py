"""Pages of rules, gates, facts and questions, and the catalogue of facts, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from guiderail.core.errors import InputError
from guiderail.core.time import Clock, system_clock
from guiderail.facts.catalogue import CATALOGUE
from guiderail.policy.pack import Pack
from guiderail.policy.pages import Page, page, page_ids
from guiderail.policy.vocabulary import did_you_mean
from guiderail.service.policy_in_force import pack_for
from guiderail.service.workspace import Workspace

KINDS: Final = ("model", "app", "pipeline")
"""Kinds of workload, each with a pack of its name, in the order in which pages are looked up."""

_SECTIONS: Final = ("tiers", "tracks", "gates", "advice", "questions")


def page_document(
    page_id: str,
    kind: str | None = None,
    workspace: Workspace | None = None,
    clock: Clock = system_clock,
) -> dict[str, Any]:
    """The page as the pack of a kind has it; without a kind the first pack that has one.

    workspace: the packs in force there are read, an organisation's own parts included; without one
    those that ship.

    `kinds` are those for which this page holds, `other_pages` those that have a page of their own
    under the same name. Raises InputError with the nearest id when there is no such page.
    """
    packs = _packs(workspace, clock)
    having = [name for name in KINDS if _has_page(packs[name], page_id)]
    if kind is not None and kind not in having:
        raise _unknown_page(page_id, [packs[kind]], f" for workloads of kind {kind}")
    if not having:
        raise _unknown_page(page_id, list(packs.values()), "")
    pages = {name: page(page_id, packs[name]) for name in having}
    shown = kind or _first(pages)
    same = [name for name in having if _says_the_same(page_id, packs[name], packs[shown])]
    others = [name for name in having if name not in same]
    return {**asdict(pages[shown]), "kinds": same, "other_pages": others}


def fact_documents(
    kind: str | None, workspace: Workspace | None = None, clock: Clock = system_clock
) -> list[dict[str, Any]]:
    """Every fact of the catalogue and of the packs in force, or those of one kind of workload."""
    own = {
        name: fact
        for pack in (_packs(workspace, clock).values() if workspace is not None else ())
        for name, fact in pack.vocabulary.own.items()
    }
    facts = (*CATALOGUE, *own.values())
    return [asdict(fact) for fact in facts if kind is None or kind in fact.kinds]


def _packs(workspace: Workspace | None, clock: Clock) -> dict[str, Pack]:
    now = workspace.clock() if workspace is not None else clock()
    return {kind: pack_for(workspace, kind, now) for kind in KINDS}


def _has_page(pack: Pack, page_id: str) -> bool:
    """A part that holds for the kind of the pack, a control of it, or a fact of that kind."""
    if page_id in pack.texts["parts"]:
        kinds = pack.part_texts(page_id).get("kinds")
        if kinds is not None:  # a question, which may be computed and stand in no section
            return bool(set(kinds) & set(pack.kinds))
        return any(
            part["id"] == page_id and set(part["kinds"]) & set(pack.kinds)
            for section in _SECTIONS
            for part in pack.tree[section]
        )
    control = pack.texts["controls"].get(page_id.upper())
    if control is not None:
        return bool(set(control["kinds"]) & set(pack.kinds))
    fact = pack.vocabulary.named(page_id)
    return fact is not None and bool(set(fact.kinds) & set(pack.kinds))


def _first(pages: dict[str, Page]) -> str:
    """The first kind; for a fact, the first one whose rules read it."""
    read = [name for name, one in pages.items() if one.kind != "fact" or one.used_by]
    return (read or list(pages))[0]


def _says_the_same(page_id: str, one: Pack, other: Pack) -> bool:
    mine, theirs = (pack.texts["parts"].get(page_id) for pack in (one, other))
    return bool(mine == theirs)


def _unknown_page(page_id: str, packs: Sequence[Pack], where: str) -> InputError:
    ids = dict.fromkeys(name for pack in packs for name in page_ids(pack))
    return InputError(
        f"There is no page {page_id}{where}.",
        code="page/unknown",
        advice=did_you_mean(page_id, [name for name in ids if name != page_id])
        or "Every name that `guiderail check` prints has a page.",
    )
