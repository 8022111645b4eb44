"""The documentation site: every part has a page, and the pages say what the packs say."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import markdown
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.policy.pack import COMPILED_FILE, SHIPPED, Pack
from guiderail.policy.pages import page, page_ids
from website.documents import documents
from website.markdown import formula, prose, text
from website.pages import navigation, site_pages
from website.settings import Nav
from website.shelf import SECTIONS, Shelf, shipped_packs, stock
from website.worked import worked_examples

PACKS = shipped_packs()
SHELF = stock(PACKS)
EXAMPLES = worked_examples(SHELF)
PAGES = site_pages(SHELF, EXAMPLES)
PAIRS = [(pack, name) for pack in PACKS if pack.kinds for name in page_ids(pack)]


def in_navigation(nav: Nav) -> set[str]:
    found: set[str] = set()
    for _, below in nav:
        found |= {below} if isinstance(below, str) else in_navigation(below)
    return found


def changed(pack: Pack, part: str, **told: object) -> Pack:
    parts = {**pack.texts["parts"], part: {**pack.part_texts(part), **told}}
    return replace(pack, texts={**pack.texts, "parts": parts})


def test_every_shipped_pack_is_on_the_site() -> None:
    shipped = {file.parent.name for file in SHIPPED.glob(f"*/{COMPILED_FILE}")}
    assert {pack.id for pack in PACKS} == shipped
    assert len(PAIRS) > 150


@pytest.mark.parametrize(("pack", "name"), PAIRS, ids=[f"{one.id}-{name}" for one, name in PAIRS])
def test_every_part_and_fact_has_a_page_that_says_what_explain_says(pack: Pack, name: str) -> None:
    entry = SHELF.find(name, (pack.id,))
    assert entry is not None
    written = PAGES[entry.path]
    shown = page(name, pack)
    assert text(shown.title) in written
    assert prose(shown.good) in written
    for label, expression in shown.conditions:
        assert text(label).lower() in written.lower()
        assert "\n".join(formula(expression)) in written or expression == "true"
    for example in shown.examples:
        assert f"{text(example.name)[1:]}: {example.verdict.replace('_', ' ')}" in written
        assert text(example.sentence) in written
    for reference in shown.refs:
        assert text(reference.clause) in written


@pytest.mark.parametrize("section", SHELF.sections(), ids=lambda section: section.folder)
def test_each_section_lists_all_of_its_pages(section: object) -> None:
    entries = [entry for entry in SHELF.entries if entry.section == section]
    index = PAGES[f"{entries[0].section.folder}/index.md"]
    assert [one.path for one in entries if f"({one.path.split('/')[1]})" not in index] == []


def test_the_navigation_leads_to_every_page_and_to_nothing_else() -> None:
    pages = {name for name in PAGES if name.endswith(".md")}
    assert in_navigation(navigation(SHELF)) == pages


def test_every_written_document_is_on_the_site() -> None:
    written = {one.source for one in documents()}
    assert {
        "docs/tutorial.md",
        "docs/adr/0001-own-policy-language.md",
        "CONTRIBUTING.md",
    } <= written


def test_every_id_of_a_pack_that_others_extend_has_a_page_too() -> None:
    for pack in PACKS:
        assert [name for name in page_ids(pack) if SHELF.find(name, (pack.id,)) is None] == []


def test_a_page_never_claims_compliance() -> None:
    parts = [PAGES[entry.path] for entry in SHELF.entries]
    assert not re.search(r"\bcompliant\b", " ".join(parts))


def path(name: str, pack: str = "model") -> str:
    entry = SHELF.find(name, (pack,))
    assert entry is not None
    return entry.path


def test_pages_of_gates_facts_questions_and_rules_link_to_each_other() -> None:
    for one, other in (
        ("performance", "change.performance"),
        ("high-domain", "q04-domain"),
        ("high-domain", "use.domain"),
    ):
        assert f"(../{path(other)})" in PAGES[path(one)]
        assert f"(../{path(one)})" in PAGES[path(other)]


def test_a_reference_says_whether_a_person_has_read_it() -> None:
    written = PAGES["gates/performance.md"]
    assert "read by a person on 2026-11-01" in written
    assert "not yet checked by a person" in written


# --- Packs that share parts -----------------------------------------------------------------------


def test_a_part_that_packs_share_has_one_page_that_names_every_kind() -> None:
    model = next(pack for pack in PACKS if pack.id == "model")
    rules = [{**rule, "kinds": ["app"]} for rule in model.tree["tracks"]]
    other = replace(model, tree={**model.tree, "pack": "other", "kinds": ["app"], "tracks": rules})
    shelf = stock((model, other))
    named = [entry for entry in shelf.entries if entry.page.id == "high-risk-use"]
    assert [entry.packs for entry in named] == [("model", "other")]
    assert dict(named[0].page.asked_of) == {"model": "always", "app": "always"}


def test_a_pack_that_decides_about_nothing_adds_no_kind() -> None:
    for entry in SHELF.entries:
        deciding = {kind for pack in SHELF.packs if pack.id in entry.packs for kind in pack.kinds}
        if entry.page.kind not in ("fact", "control"):
            assert {kind for kind, _ in entry.page.asked_of} <= deciding, entry.path


def test_one_id_for_two_different_parts_gets_two_pages_and_each_pack_finds_its_own() -> None:
    model = next(pack for pack in PACKS if pack.id == "model")
    other = changed(model, "cost", title="The cost of a pipeline run")
    other = replace(other, tree={**other.tree, "pack": "other"})
    shelf = stock((model, other))
    paths = [entry.path for entry in shelf.entries if entry.page.id == "cost"]
    assert paths == ["gates/cost-model.md", "gates/cost-other.md"]
    own = shelf.find("cost", ("other",))
    assert own is not None
    assert own.path == "gates/cost-other.md"
    written = site_pages(shelf, ())["gates/cost-other.md"]
    assert "The same name means something else [for models](cost-model.md)." in written


def test_a_section_without_pages_is_left_out() -> None:
    bare = Shelf(SHELF.packs, tuple(one for one in SHELF.entries if one.page.kind == "gate"))
    assert bare.sections() == [SECTIONS[0]]
    written = site_pages(bare, ())
    assert "facts/index.md" not in written
    assert "controls/index.md" not in written["index.md"]


# --- Markdown -------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_any_text_reads_as_it_was_written(plain: str) -> None:
    rendered = markdown.markdown(f"x {text(plain)} x", extensions=["attr_list", "tables"])
    seen = html.unescape(re.sub(r"<[^>]+>", "", rendered)).replace("\u00a0", " ")
    assert seen.split() == f"x {plain} x".split()


def test_a_name_between_backticks_is_code_and_everything_else_is_text() -> None:
    assert prose("Run `guiderail check_it` for 5 % _now_") == (
        "Run `guiderail check_it` for 5\u00a0% \\_now\\_"
    )
    assert prose("`a` and `b`.") == "`a` and `b`."


def test_a_condition_is_only_broken_and_never_changed() -> None:
    for pack, name in PAIRS:
        for _, expression in page(name, pack).conditions:
            lines = list(formula(expression))[2:-2]
            assert " ".join(line.strip() for line in lines) == expression
