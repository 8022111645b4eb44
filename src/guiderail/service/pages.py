"""Pages of rules, gates, facts and questions, and the catalogue of facts, as documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guiderail.facts.catalogue import CATALOGUE
from guiderail.policy.pack import load_pack
from guiderail.policy.pages import page


def page_document(page_id: str) -> dict[str, Any]:
    """Raises InputError with the nearest id when there is no such page."""
    return asdict(page(page_id, load_pack()))


def fact_documents(kind: str | None) -> list[dict[str, Any]]:
    """Every fact of the catalogue, or those of one kind of workload."""
    return [asdict(fact) for fact in CATALOGUE if kind is None or kind in fact.kinds]
