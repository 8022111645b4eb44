"""The documents of an audit pack in formats of others, each computed from the rest of the pack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from guiderail_verify import audit_files as files
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.cyclonedx import bill_of_materials
from guiderail_verify.model_card import Release, card, html, markdown, release_of, title_of
from guiderail_verify.oscal import assessment_results

OSCAL: Final = "assessment-results.oscal.json"
FORMATS: Final = ("markdown", "html", "cyclonedx", "oscal")
_NAMES: Final = {"markdown": "card.md", "html": "card.html", "cyclonedx": "bom.cdx.json"}
NAMES: Final = frozenset((*_NAMES.values(), OSCAL))
"""What files with documents are called."""


def document(release: Release, form: str) -> str:
    """One release in one of `FORMATS`."""
    match form:
        case "markdown":
            return markdown(card(release))
        case "html":
            return html(card(release), title_of(release))
        case "cyclonedx":
            return as_text(bill_of_materials(release))
        case "oscal":
            last = release.history.entries[-1].at
            return as_text(assessment_results([release], release.case, last))
    raise ValueError(f"there is no format {form!r}")


def documents(pack: AuditPack) -> Iterator[tuple[str, str]]:
    """Path and text of every document that belongs into the pack."""
    scope = f"{pack.checkpoint.origin} {pack.checkpoint.size}"
    releases = [release_of(pack, history) for history in pack.cases.values()]
    for release in releases:
        for form, name in _NAMES.items():
            yield files.case_path(release.case, name), document(release, form)
    yield OSCAL, as_text(assessment_results(releases, scope, pack.bare_entries[-1].at))


def as_text(value: Any) -> str:
    """JSON for people and programs: sorted keys, one line for each value."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
