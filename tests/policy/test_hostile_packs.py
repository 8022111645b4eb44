"""Packs that somebody damaged, by accident or on purpose: problems with a place, or a pack.

Bytes are flipped, cut, doubled and mixed with pieces of YAML, of expressions and of Unicode. What
comes out is a list of problems or a pack that decides; never another exception, and never the
digest of the pack before with another tree behind it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guiderail.core.errors import IntegrityError, Place
from guiderail.policy import Pack, decide, load_pack, load_pack_directory
from guiderail.policy.check_types import compile_text
from guiderail.policy.lookalikes import first_hidden
from guiderail.policy.pack import SHIPPED, compiled_text, from_compiled
from guiderail.policy.parse import ExpressionError
from guiderail.policy.problems import check_pack_directory
from guiderail_verify.evaluate import TreeError, complete, evaluate, fact_names
from guiderail_verify.judge import Rulebook, compile_rulebook
from tests.policy.seven_files import FILES, write_small_pack
from tests.policy.test_pack import copy_of

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, tzinfo=UTC)

PIECES = [
    *("!!python/object/apply:os.system [id]", "&a", "*a", "<<: *a", "---", "...", "%YAML 1.1"),
    *("{", "}", "[", "]", ": ", "- ", "? ", "|", ">", "|-", "'", '"', "#", " # ", "\n", "  ", "\t"),
    *("~", "null", "yes", "no", "0o17", "0x1F", ".nan", ".inf", "1e999", "-1", "9" * 400, "1_0"),
    *("\ufeff", "\u200b", "\u202e", "\u0430", "é", "e\u0301", "\x00", "\x1b[2J", "\u2028", "💥"),
    *('"\\u202e"', '"\\x1b"', "{" * 60, "[" * 60, "(" * 60, "a: " * 60, "- " * 60),
    *("&&", "||", "!", "==", "<=", "in", "limit.moved", "limit.none", "use.regulated", "tier"),
    *("{use.domain#__class__}", "{use.domain.__class__}", "{0}", "{unknown}", "[[", "]]", "%s"),
    *("when: true", "until: '2026-01-01'", "overrides: model", "extends: small", "kinds: []"),
    *("since: '2026-02-31'", "raises_to: low", "raises_to: green", "blocks: true", "id: other"),
]

Damage = Callable[[bytes], bytes]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """One way to change the bytes of a file; positions are shares of its length."""
    at, other = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    piece = draw(st.sampled_from(PIECES)).encode("utf-8", "surrogatepass")
    kind = draw(st.sampled_from(("flip", "cut", "insert", "replace", "double", "swap", "drop")))
    bit = draw(st.integers(0, 7))

    def damage(data: bytes) -> bytes:
        here, there = sorted((int(at * len(data)), int(other * len(data))))
        lines = data.split(b"\n")
        row, line = int(at * (len(lines) - 1)), int(other * (len(lines) - 1))
        match kind:
            case "flip" if data:
                place = min(here, len(data) - 1)
                return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
            case "cut":
                return data[:here]
            case "insert":
                return data[:here] + piece + data[here:]
            case "replace":
                return data[:here] + piece + data[min(there, here + 12) :]
            case "double":
                return b"\n".join([*lines[: row + 1], *lines[row:]])
            case "swap":
                lines[row], lines[line] = lines[line], lines[row]
                return b"\n".join(lines)
        return b"\n".join([*lines[:row], *lines[row + 1 :]])

    return damage


def judge_damaged(directory: Path, before: Pack) -> None:
    """The law of this file, for a directory that may hold anything."""
    checked = check_pack_directory(directory, today=TODAY)
    for problem in checked.problems:
        told = f"{problem.place} {problem.message} {problem.hint}"
        assert problem.message.endswith((".", "!", "?"))
        assert problem.hint
        assert str(directory) in problem.place.file
        assert problem.place.line is None or problem.place.line >= 1
        assert len(told) < 2000
    if checked.pack is None:
        assert checked.problems
        return
    after = checked.pack
    if after.digest == before.digest:
        assert after.tree == before.tree
    if "model" in after.kinds and str(after.tree["effective_from"]) <= "2026-11-23":
        decision = decide(after, {}, kind="model", at=AT, place=lambda _: Place("guiderail.yaml"))
        assert decision.policy.digest == after.digest
    assert json.loads(compiled_text(after))["digest"] == after.digest


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pack]:
    directory = write_small_pack(tmp_path_factory.mktemp("packs") / "small")
    return directory, load_pack_directory(directory)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FILES)), st.lists(damages(), min_size=1, max_size=4))
def test_a_damaged_file_is_a_problem_or_another_pack(
    small: tuple[Path, Pack], name: str, changes: list[Damage]
) -> None:
    directory, before = small
    data = FILES[name].encode()
    for change in changes:
        data = change(data)
    (directory / name).write_bytes(data)
    try:
        judge_damaged(directory, before)
    finally:
        (directory / name).write_text(FILES[name], "utf-8")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_any_bytes_in_place_of_a_file_are_a_problem(
    small: tuple[Path, Pack], name: str, data: bytes
) -> None:
    directory, before = small
    (directory / name).write_bytes(data)
    try:
        judge_damaged(directory, before)
    finally:
        (directory / name).write_text(FILES[name], "utf-8")


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_file_of_the_packs_that_ship(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = copy_of(tmp_path_factory.mktemp("shipped"))
    files = sorted(
        str(path.relative_to(directory.parent)) for path in directory.parent.rglob("*.yaml")
    )
    name = data.draw(st.sampled_from(files))
    changed = (directory.parent / name).read_bytes()
    for damage in data.draw(st.lists(damages(), min_size=1, max_size=3)):
        changed = damage(changed)
    (directory.parent / name).write_bytes(changed)
    checked = check_pack_directory(directory, today=TODAY)
    assert all(problem.message and problem.hint for problem in checked.problems)
    if checked.pack is not None and checked.pack.digest == load_pack("model").digest:
        assert json.loads(json.dumps(checked.pack.tree)) == load_pack("model").tree


TOKENS = [
    *("use.regulated", "use.domain", "tests.ran", "change.flips.low", "data.personal_columns"),
    *("&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", " in ", "(", ")", "[", "]", ",", " "),
    *('"credit"', "'law'", "5", "-5", "0.5", "1e3", "true", "false", "limit.moved", "tier", "\n"),
    *("\u0430", "\u200b", "＝", "__import__('os')", "lambda", "use.__class__", "\\", "#", "\x00"),
]


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_any_row_of_tokens_compiles_or_is_a_mistake_with_a_place(text: str) -> None:
    try:
        tree = compile_text(text, limits={"moved": 5})
    except ExpressionError as error:
        for mistake in error.mistakes:
            assert 0 <= mistake.at <= len(text)
            assert first_hidden(f"{mistake.message} {mistake.hint}") is None
        return
    evaluate(tree, {})


def nodes(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, part in items:
        found += nodes(part, (*path, key))
    return found


DEEP: Any = {"bool": True}
for _ in range(100):
    DEEP = {"not": DEEP}

JUNK = st.sampled_from(
    [None, True, 0, -1, 10**30, 1.5, "", "x", "1e999999", "9" * 100_000, "nan", [], {}, [[]], DEEP,
     {"fact": "x"}, {"bool": 1}, {"number": "1_0"}, {"all": []}, {"in": {"fact": "x"}, "items": []}]
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_compiled_tree_with_anything_in_it_is_refused_or_decides(
    small: tuple[Path, Pack], data: st.DataObject
) -> None:
    tree: Any = copy.deepcopy(json.loads(json.dumps(small[1].tree)))
    path = data.draw(st.sampled_from(nodes(tree)[1:]))
    inner = tree
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = data.draw(JUNK)
    book = rulebook_or_reason(tree)
    if isinstance(book, str):
        assert 0 < len(book) < 300
        return
    names = fact_names([tree["tiers"], tree["tracks"], tree["gates"]])
    assert book.judge(complete(dict.fromkeys(names, "x"), names), {}).tier in range(4)


def rulebook_or_reason(tree: Any) -> Rulebook | str:
    try:
        return compile_rulebook(tree, "model", "2026-11-23")
    except TreeError as error:
        return str(error)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"raises_to": "red"', '"raises_to": "green"', 1),
        lambda text: text.replace('"digest": "sha256:', '"digest": "sha256:0', 1),
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: '{"tree": {}, "texts": {}}',
        lambda text: '{"tree": 3, "texts": [], "digest": "", "texts_digest": ""}',
        lambda text: text.replace('"number": "', f'"number": {"9" * 5000}, "x": "', 1),
        lambda text: text.replace('"facts": {', '"facts": [], "more": {', 1),
    ],
)
def test_compiled_bytes_that_somebody_changed_are_refused(change: Callable[[str], str]) -> None:
    text = (SHIPPED / "model" / "compiled.json").read_text("utf-8")
    assert from_compiled(text.encode(), "model").id == "model"
    with pytest.raises(IntegrityError) as caught:
        from_compiled(change(text).encode(), "model")
    assert caught.value.advice


@pytest.mark.parametrize(
    "text", ["1e999999", "9" * 1_000_000, "0x10", "1_000", " 5", "+5", "٣", "05"]
)
def test_a_number_in_a_compiled_tree_is_a_plain_decimal_of_bounded_length(text: str) -> None:
    tree = {"compare": "<", "left": {"fact": "x"}, "right": {"number": text}}
    with pytest.raises(TreeError):
        evaluate(tree, {"x": 1})


def test_a_tree_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(TreeError, match="nested deeper than 64"):
        evaluate(DEEP, {})


def test_a_text_and_a_number_have_no_order_and_no_traceback() -> None:
    tree = {"compare": "<", "left": {"fact": "x"}, "right": {"number": "5"}}
    assert evaluate({"any": [tree, {"bool": True}]}, {"x": "four"}) is True
    assert evaluate({"all": [tree, {"bool": False}]}, {"x": "four"}) is False
    assert str(evaluate(tree, {"x": "four"})) == "UNKNOWN"
