"""What a pack that compiles should still not say: names that lead nowhere, words nobody reads.

A role that nobody can hold would wait for ever, a limit that no rule reads would change nothing, a
prefix that no fact begins with would ask nothing of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from guiderail.manifest.schema import KINDS
from guiderail.manifest.strict_yaml import Document
from guiderail.policy.layers import Layers
from guiderail.policy.lookalikes import look_alike
from guiderail.policy.pack import Pack
from guiderail.policy.pack_files import PackFile, RuleFile
from guiderail.policy.pack_reader import PackSources, Source
from guiderail.policy.problem import Problem
from guiderail.policy.templates import placeholders, unpaired, unusable
from guiderail.policy.vocabulary import Vocabulary, did_you_mean
from guiderail_verify.evaluate import fact_names

_LISTS_OF_ROLES: Final = ("adds_reviewers", "waivable_by")
_LIMIT: Final = re.compile(r"limit\.([a-z][a-z0-9_]*)")
_BRACES: Final = re.compile(r"\{[^{}]*\}")
_FILLED: Final = frozenset({"sentence", "sentences", "do", "to_lighten", "because", "says"})
"""Keys whose texts are filled in; in every other text braces would be shown as they are."""

YamlPath = tuple[str | int, ...]


def lint(packs: Sequence[PackSources], layers: Layers, pack: Pack) -> Iterator[Problem]:
    """Problems across the files of packs that extend one another, the extended ones first."""
    for sources in packs:
        for document in (sources.document, *_documents([sources])):
            yield from _strange_roles(document, layers.settings.roles)
        yield from _strange_prefixes(sources, pack.vocabulary)
        for source in _parts(sources):
            yield from _strange_keys(source)
            yield from _other_kinds(source, sources.pack)
            yield from _unfilled(source, pack)
    yield from _lapsed(packs[-1])
    yield from _unused_limits(packs, layers)
    yield from _twin_ids(packs)


def _parts(sources: PackSources) -> Iterator[Source]:
    for parts in sources.sections.values():
        yield from parts


def _documents(packs: Iterable[PackSources]) -> Iterator[Document]:
    for sources in packs:
        for source in _parts(sources):
            yield source.document


def _strange_roles(document: Document, roles: dict[str, str]) -> Iterator[Problem]:
    for path, spot in document.spots.items():
        if spot.text is None or not _names_a_role(path) or spot.text in roles:
            continue
        yield Problem(document.value_place(path), f"There is no role {spot.text}.",
                      did_you_mean(spot.text, roles) or "Give it a title under `roles` in "
                      "pack.yaml.")  # fmt: skip


def _names_a_role(path: YamlPath) -> bool:
    if path == ("owner",) or (len(path) == 3 and path[0] == "reviewers"):
        return True
    return len(path) > 1 and path[-2] in _LISTS_OF_ROLES


def _strange_prefixes(sources: PackSources, vocabulary: Vocabulary) -> Iterator[Problem]:
    names = [fact.name for fact in vocabulary.measurable()]
    stems = {".".join(parts[:end]) for name in names
             for parts in [name.split(".")] for end in range(1, len(parts) + 1)}  # fmt: skip
    for prefix in sources.pack.minimum_known_by:
        if prefix not in stems:
            yield Problem(sources.document.place(("minimum_known_by", prefix)),
                          f"No fact begins with {prefix}.",
                          did_you_mean(prefix, stems) or "`guiderail facts` lists every fact."
                          )  # fmt: skip


def _strange_keys(source: Source) -> Iterator[Problem]:
    where = getattr(source.part, "where", "")
    if where and where not in manifest_keys():
        yield Problem(source.document.value_place(("where",)),
                      f"guiderail.yaml has no key {where}.",
                      did_you_mean(where, manifest_keys()) or "Name the key that a person would "
                      "change.")  # fmt: skip


@cache
def manifest_keys() -> frozenset[str]:
    """Every key of guiderail.yaml, those of sections with dots: `evaluation.data`."""
    return frozenset(key for manifest in KINDS.values() for key in _keys(manifest, ""))


def _keys(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}"
        for inner in _sections(field.annotation):
            yield from _keys(inner, f"{prefix}{name}.")


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)


def _other_kinds(source: Source, pack: PackFile) -> Iterator[Problem]:
    """A part for other kinds than its pack's never holds. A pack without kinds is for others."""
    named: tuple[str, ...] = tuple(getattr(source.part, "kinds", ()))
    if pack.kinds and named and set(named).isdisjoint(pack.kinds):
        yield Problem(source.document.place(("kinds",)),
                      f"{pack.id} decides nothing about workloads of kind {' or '.join(named)}.",
                      f"Its kinds are {', '.join(pack.kinds)}.")  # fmt: skip


def _lapsed(sources: PackSources) -> Iterator[Problem]:
    """Parts of the pack itself that end before it begins. What it extends may be older."""
    begins = sources.pack.effective_from
    for source in _parts(sources):
        until = getattr(source.part, "until", None)
        if until is not None and until <= begins:
            yield Problem(source.document.value_place(("until",)),
                          f"It ends on {until}; the pack holds from {begins}.",
                          "Remove it, or give it a later end.")  # fmt: skip


def _unfilled(source: Source, pack: Pack) -> Iterator[Problem]:
    for path, spot in source.document.spots.items():
        keys = [step for step in path if isinstance(step, str)]
        if spot.text is None or not keys or keys[-1].endswith("when") or keys[0] == "examples":
            continue
        place = source.document.value_place(path)
        if not _FILLED.isdisjoint(keys):
            sign = unpaired(spot.text)
            if sign:
                hint = "Write {fact}, or [[ ... ]] around what may be left out."
                yield Problem(place, f"`{sign}` has no partner in this text.", hint)
            continue
        for found in _BRACES.findall(spot.text):
            if not found.startswith("{limit."):
                yield Problem(place, f"{found} is not filled in here.",
                              "Facts are filled into sentences only.")  # fmt: skip
    if isinstance(source.part, RuleFile):
        yield from _rule_texts(source, source.part, pack)


def _rule_texts(source: Source, rule: RuleFile, pack: Pack) -> Iterator[Problem]:
    for written in placeholders(rule.to_lighten):
        hint = unusable(written, pack.vocabulary)
        if hint and not written.startswith("limit."):
            yield Problem(source.document.value_place(("to_lighten",)),
                          f"{{{written}}} cannot be filled in.", hint)  # fmt: skip
    texts = (part["when"] for part in (*pack.tree["tiers"], *pack.tree["tracks"])
             if part["id"] == rule.id)  # fmt: skip
    read = frozenset[str]().union(*map(fact_names, texts))
    for written in placeholders(rule.because or ""):
        if written not in read and not written.startswith("limit."):
            yield Problem(source.document.value_place(("because",)),
                          f"{{{written}}} is not filled in here.",
                          "Name a fact that the condition of the rule asks for.")  # fmt: skip


def _unused_limits(packs: Sequence[PackSources], layers: Layers) -> Iterator[Problem]:
    effective = _limits_in(source.document for part in layers.sections.values() for source in part)
    anywhere = _limits_in(_documents(packs))
    for sources in packs:
        used = effective if sources is packs[-1] else anywhere
        for name in sources.pack.limits:
            if name not in used:
                yield Problem(sources.document.place(("limits", name)),
                              f"No rule reads limit.{name}.",
                              did_you_mean(name, used) or "Remove it, or write it into the rule."
                              )  # fmt: skip


def _limits_in(documents: Iterable[Document]) -> set[str]:
    return {
        name
        for document in documents
        for spot in document.spots.values()
        for name in _LIMIT.findall(spot.text or "")
    }


def _twin_ids(packs: Sequence[PackSources]) -> Iterator[Problem]:
    """Ids of parts that a reader takes for one another. Equal ids are the business of layers."""
    by_id = {source.part.id: source for sources in packs for source in _parts(sources)}
    ids = list(by_id)
    alike = look_alike(ids)
    if alike is not None:
        first, second = ids[alike[0]], ids[alike[1]]
        yield Problem(by_id[second].document.value_place(("id",)),
                      f"The ids {first} and {second} are easily taken for one another.",
                      "Rename one of them.")  # fmt: skip
