"""Strict YAML: what is refused, where the error points, and that everything else comes back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.digest import LARGEST_INTEGER
from guiderail.core.errors import InputError, Place
from guiderail.manifest import strict_yaml
from guiderail.manifest.strict_yaml import Limits, load, load_bytes, load_file


def refusal(text: str, **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        load(text, "f.yaml", **options)
    return caught.value


@pytest.fixture(params=["C parser", "Python parser"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python parser":
        monkeypatch.setattr(strict_yaml, "_PARSER", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")


REFUSED = [
    ("a: !x y", "tag", 1, 4),
    ("a: !!python/object/apply:os.system [ls]", "tag", 1, 4),
    ("a: ! y", "tag", 1, 4),
    ("a: !!str y", "tag", 1, 4),
    ("- 1\n- &x 1", "anchor", 2, 3),
    ("a: [1, *x]", "alias", 1, 8),
    ("<<: {a: 1}", "merge-key", 1, 1),
    ("a: 1\nb:\n  c: 1\n  'c': 2", "duplicate-key", 4, 3),
    ("1: a", "key-not-text", 1, 1),
    ("true: a", "key-not-text", 1, 1),
    ("~: a", "key-not-text", 1, 1),
    ("{a: 1, 2.5: b}", "key-not-text", 1, 8),
    ("[a]: b", "collection-as-key", 1, 1),
    ("a: {{ template }}", "collection-as-key", 1, 5),
    ("---\na: 1\n---\nb: 2\n", "several-documents", 3, 1),
    ("%YAML 1.1\n---\na: no\n", "directive", 1, 1),
    ("%TAG ! tag:example.org,2026:\n---\na: 1\n", "directive", 1, 1),
    ("a: .nan", "not-finite", 1, 4),
    ("a: [1, -.inf]", "not-finite", 1, 8),
    ("a: 017", "number-form", 1, 4),
    ("a: 0o17", "number-form", 1, 4),
    ("a: 0x1F", "number-form", 1, 4),
    ("a: 0b101", "number-form", 1, 4),
    ("a: 9007199254740992", "number-range", 1, 4),
    ("a: -99999999999999999999999999", "number-range", 1, 4),
    ("a: 1e999", "number-range", 1, 4),
    ("a: 1e-999", "number-range", 1, 4),
    ("a:\tb", "tab", 1, 3),
    ("a:\n\tb: 1", "tab", 2, 1),
    ("\ufeffa: 1", "byte-order-mark", 1, 1),
    ("a: 1\nb: \x00", "control-character", 2, 4),
    ("a: x\u202ey", "control-character", 1, 5),
    ("a: x\x85b: y", "control-character", 1, 5),
    ("a: x\u2028b: y", "control-character", 1, 5),
    ("a: 1\rb: 2", "control-character", 1, 5),
    ("a: \ud800", "control-character", 1, 4),
    ("", "empty", 1, 1),
    ("# nothing but a comment\n", "empty", 1, 1),
    ("a: b: c", "syntax", 1, 5),
    ("a: 1\n b: 2", "syntax", 2, 3),
    ('when: "x" == y', "syntax", 1, 11),
    ("a: @x", "syntax", 1, 4),
    ("a: %x", "syntax", 1, 4),
    ("a: 'open\nb: 1", "syntax", 2, 5),
]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED)
def test_refused_with_place_and_advice(text: str, code: str, line: int, column: int) -> None:
    error = refusal(text)
    assert error.code == f"yaml/{code}"
    assert error.place == Place("f.yaml", line, column)
    assert error.what.endswith(".")
    assert error.advice.endswith(".")


def test_the_whole_message_reads_as_place_what_code_advice() -> None:
    assert str(refusal("a: 1\na: 2")) == (
        "f.yaml:2:1: The key a stands twice, first in line 1. [yaml/duplicate-key] "
        "Keep one of the two."
    )


@pytest.mark.usefixtures("parser")
def test_values_follow_the_core_schema() -> None:
    text = """
        norway: no
        on: yes
        time: 12:30
        thousand: 1_000
        day: 2026-11-23
        version: 1.2.3
        half: .5
        big: 1e3
        negative: -7
        nothing: ~
        empty:
        right: True
        quoted: '017'
        expression: a && b#c
    """
    assert load(text, "f").data == {
        "norway": "no", "on": "yes", "time": "12:30", "thousand": "1_000", "day": "2026-11-23",
        "version": "1.2.3", "half": 0.5, "big": 1000.0, "negative": -7, "nothing": None,
        "empty": None, "right": True, "quoted": "017", "expression": "a && b#c",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["[" * 200, "{a: " * 200, "- " * 200, "[" * 100_000])
def test_deep_nesting_is_refused_at_the_limit(text: str) -> None:
    error = refusal(text)
    assert error.code == "yaml/too-deep"
    assert "50 levels" in error.what


def test_nesting_up_to_the_limit_is_read() -> None:
    assert load("[" * 50 + "]" * 50, "f").data is not None


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(40))
    assert refusal(bomb).code == "yaml/anchor"


def test_a_huge_file_is_refused_without_reading_on(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as stream:
        stream.truncate(1 << 34)  # a sparse file of 16 GiB: reading it all would not end well
    with pytest.raises(InputError) as caught:
        load_file(huge, file="huge.yaml")
    assert caught.value.code == "yaml/too-large"
    assert str(caught.value.place) == "huge.yaml"


def test_size_is_counted_in_bytes() -> None:
    limits = Limits(size=10)
    assert load("a: éé\n", "f", limits=limits).data == {"a": "éé"}
    assert refusal("a: éééé", limits=limits).code == "yaml/too-large"


def test_long_texts_and_many_values_are_refused() -> None:
    assert refusal("a: " + "x" * 21, limits=Limits(text=20)).code == "yaml/too-long"
    assert refusal("x" * 21 + ": 1", limits=Limits(text=20)).code == "yaml/too-long"
    assert refusal("[1, 2, 3]", limits=Limits(values=3)).code == "yaml/too-many"


def test_bytes_that_are_not_utf8_point_at_the_byte() -> None:
    with pytest.raises(InputError) as caught:
        load_bytes("a: 1\né: ".encode() + b"\xff", "f")
    assert caught.value.code == "yaml/not-utf8"
    assert caught.value.what == "The file is not UTF-8 text: byte 0xff cannot be read."
    assert caught.value.place == Place("f", 2, 4)


def test_utf16_is_refused() -> None:
    with pytest.raises(InputError, match="UTF-8"):
        load_bytes("a: 1".encode("utf-16"), "f")


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_is_no_file_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        load_file(tmp_path / name)
    assert caught.value.code == "yaml/unreadable"


class TestCommentsInExpressions:
    """` #` silently cuts an unquoted value; where that changes a decision it is refused."""

    @pytest.mark.usefixtures("parser")
    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("when: a # b", 1, 7),
            ("rules:\n  - when: x == 1  # one", 2, 11),
            ("when:\n  - a\n  - b # c", 3, 5),
            ("when:\n  a &&\n  b # c", 2, 3),
            ("{when: a, x: 1}\n# fine\n", 0, 0),
        ],
    )
    def test_only_a_comment_right_after_the_value_is_refused(
        self, text: str, line: int, column: int
    ) -> None:
        expressions = frozenset({"when"})
        if not line:
            assert load(text, "f", expressions=expressions).data == {"when": "a", "x": 1}
            return
        error = refusal(text, expressions=expressions)
        assert error.code == "yaml/comment-in-expression"
        assert error.place == Place("f.yaml", line, column)

    @pytest.mark.parametrize(
        "text", ["when: 'a # b'", 'when: "a"  # b', "when: a#b", "other: a # b"]
    )
    def test_quotes_and_other_keys_are_left_alone(self, text: str) -> None:
        assert load(text, "f", expressions=frozenset({"when"})).data


class TestPlaces:
    TEXT = "a:\n  b: [10, xy]\n  'c d': |\n    one\n    two\n  e: \"q\\n\"\nf:   plain text\n"

    def test_a_key_and_its_value_have_places(self) -> None:
        document = load(self.TEXT, "f")
        assert document.place(("a", "b")) == Place("f", 2, 3)
        assert document.value_place(("a", "b")) == Place("f", 2, 6)
        assert document.place(("a", "b", 1)) == Place("f", 2, 11)
        assert document.place() == Place("f", 1, 1)

    def test_what_is_not_written_is_placed_at_what_encloses_it(self) -> None:
        document = load(self.TEXT, "f")
        assert document.place(("a", "missing", 3, "x")) == Place("f", 1, 1)
        assert document.value_place(("a", "b", 7)) == Place("f", 2, 3)

    def test_places_are_dotted(self) -> None:
        places = load(self.TEXT, "f").places()
        assert places["a.b.0"] == Place("f", 2, 7)
        assert places["a.c d"] == Place("f", 3, 3)
        assert places[""] == Place("f", 1, 1)

    @pytest.mark.parametrize(
        ("path", "offset", "line", "column"),
        [
            (("f",), 6, 7, 12),
            (("a", "b", 1), 1, 2, 12),
            (("a", "c d"), 0, 4, 5),
            (("a", "c d"), 5, 5, 6),
            (("a", "e"), 1, 6, 6),  # an escape: the beginning of the value
            (("a", "missing"), 4, 1, 1),
        ],
    )
    def test_inside_points_at_a_character(
        self, path: tuple[str | int, ...], offset: int, line: int, column: int
    ) -> None:
        assert load(self.TEXT, "f").inside(path, offset) == Place("f", line, column)

    def test_quotes_are_skipped_and_line_endings_do_not_matter(self) -> None:
        document = load("x: 1\r\ny: 'a && b'\r\nz: |\r\n  a\r\n  bc\r\n", "f")
        assert document.inside(("y",), 2) == Place("f", 2, 7)
        assert document.inside(("z",), 3) == Place("f", 5, 4)

    @given(st.text(alphabet="ab &|=.<>", min_size=1).map(str.strip).filter(bool))
    def test_inside_finds_every_character_of_a_quoted_expression(self, text: str) -> None:
        source = f"rules:\n  - when: '{text}'\n"
        document = load(source, "f")
        for offset, sign in enumerate(text):
            place = document.inside(("rules", 0, "when"), offset)
            assert place.line is not None
            assert place.column is not None
            assert source.split("\n")[place.line - 1][place.column - 1] == sign


texts = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, which are refused, and quotes every text: PyYAML speaks YAML 1.1, where
    an unquoted `1e3` is text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Dumper.add_representer(str, _Dumper.represent_text)


def same(left: Any, right: Any) -> bool:
    """Equal in value and type, so that 1, 1.0 and True stay apart."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


@settings(max_examples=300)
@given(values)
def test_what_a_dumper_writes_comes_back(value: Any) -> None:
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=False, width=1000)
    assert same(load(text, "f").data, value)


@given(values)
def test_json_comes_back(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    hidden = strict_yaml.HIDDEN.search(text)
    if hidden is not None:
        assert refusal(text).code in ("yaml/control-character", "yaml/byte-order-mark")
        return
    assert same(load(text, "f").data, value)


@settings(max_examples=500)
@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,?~ \n0.1<", max_size=40))
def test_any_text_is_read_or_refused_with_a_code(text: str) -> None:
    outcome = load_or_error(text)
    if isinstance(outcome, InputError):
        assert outcome.code.startswith("yaml/")
        assert outcome.place is not None
        assert outcome.place.line is not None
    else:
        assert "" in outcome.places()


def load_or_error(text: str) -> strict_yaml.Document | InputError:
    try:
        return load(text, "f", expressions=frozenset({"a"}))
    except InputError as error:
        return error
