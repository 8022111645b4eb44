"""Builds a document from the events of a YAML parser, without recursion, within limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from guiderail.core.errors import Place
from guiderail.manifest.yaml_document import Document, Mark, Spot, YamlPath
from guiderail.manifest.yaml_refusals import refusal
from guiderail.manifest.yaml_scalars import Refused, Scalar, plain_value


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read at most.

    size: bytes of UTF-8. depth: levels of nesting. text: characters of one value or key.
    values: scalars, lists and mappings together, keys included.
    """

    size: int = 1 << 20
    depth: int = 50
    text: int = 100_000
    values: int = 50_000


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled. `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    path: YamlPath
    key: str | None = None
    key_mark: Mark = (1, 1)


class Tree:
    """Takes parser events one by one; raises InputError at the first thing that is refused."""

    def __init__(self, file: str, text: str, limits: Limits, expressions: frozenset[str]) -> None:
        self._file = file
        self._lines = tuple(text.split("\n"))
        self._limits = limits
        self._expressions = expressions
        self._spots: dict[YamlPath, Spot] = {}
        self._open: list[_Open] = []
        self._documents = 0
        self._nodes = 0
        self._root: Any = None

    def document(self) -> Document:
        """The finished document. Raises InputError when there is none."""
        if () not in self._spots:
            self._refuse("yaml/empty", (1, 1))
        return Document(self._file, self._root, self._lines, self._spots)

    def take(self, event: Any) -> None:
        mark = (event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.DocumentStartEvent():
                self._start_document(event, mark)
            case yaml.AliasEvent():
                self._refuse("yaml/alias", mark, anchor=event.anchor)
            case yaml.ScalarEvent():
                self._check_node(event, mark)
                self._take_scalar(event, mark)
            case yaml.MappingStartEvent():
                self._check_node(event, mark)
                self._start_collection({}, mark)
            case yaml.SequenceStartEvent():
                self._check_node(event, mark)
                self._start_collection([], mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
            case _:
                return

    def _start_document(self, event: Any, mark: Mark) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse("yaml/several-documents", mark)
        if event.version or event.tags:
            self._refuse("yaml/directive", mark)

    def _check_node(self, event: Any, mark: Mark) -> None:
        self._nodes += 1
        if self._nodes > self._limits.values:
            self._refuse("yaml/too-many", mark, limit=self._limits.values)
        if event.anchor is not None:
            self._refuse("yaml/anchor", mark, anchor=event.anchor)
        if event.tag is not None:
            self._refuse("yaml/tag", mark, tag=event.tag)

    def _take_scalar(self, event: Any, mark: Mark) -> None:
        text: str = event.value
        if len(text) > self._limits.text:
            self._refuse("yaml/too-long", mark, limit=self._limits.text)
        frame = self._awaiting_key()
        if frame is not None:
            self._take_key(frame, event, mark)
            return
        value: Scalar = text
        if not event.style:  # unquoted: None from the Python parser, "" from the C parser
            self._check_comment(event, mark)
            value = self._plain(text, mark)
        self._put(value, Spot(mark, mark, event.style or None, text))

    def _awaiting_key(self) -> _Open | None:
        """The innermost mapping, when what comes next is one of its keys."""
        frame = self._open[-1] if self._open else None
        if frame is None or isinstance(frame.value, list) or frame.key is not None:
            return None
        return frame

    def _take_key(self, frame: _Open, event: Any, mark: Mark) -> None:
        key: str = event.value
        if not event.style:
            if key == "<<":
                self._refuse("yaml/merge-key", mark)
            if not isinstance(self._plain(key, mark), str):
                self._refuse("yaml/key-not-text", mark, key=key or "(nothing)")
        if key in frame.value:
            first = self._spots[(*frame.path, key)].key
            self._refuse("yaml/duplicate-key", mark, key=key, line=first[0])
        frame.key, frame.key_mark = key, mark

    def _start_collection(self, value: dict[str, Any] | list[Any], mark: Mark) -> None:
        if len(self._open) >= self._limits.depth:
            self._refuse("yaml/too-deep", mark, limit=self._limits.depth)
        if self._awaiting_key() is not None:
            self._refuse("yaml/collection-as-key", mark)
        path = self._put(value, Spot(mark, mark))
        self._open.append(_Open(value, path))

    def _put(self, value: Any, spot: Spot) -> YamlPath:
        """Put a finished value, or a collection still to be filled, where it belongs."""
        frame = self._open[-1] if self._open else None
        path: YamlPath = ()
        if frame is None:
            self._root = value
        elif isinstance(frame.value, list):
            path = (*frame.path, len(frame.value))
            frame.value.append(value)
        elif frame.key is not None:
            path = (*frame.path, frame.key)
            frame.value[frame.key] = value
            frame.key = None
            spot = Spot(frame.key_mark, spot.value, spot.style, spot.text)
        self._spots[path] = spot
        return path

    def _plain(self, text: str, mark: Mark) -> Scalar:
        value = plain_value(text)
        if isinstance(value, Refused):
            self._refuse(value.code, mark, text=text if len(text) <= 40 else text[:37] + "...")
        return value

    def _check_comment(self, event: Any, mark: Mark) -> None:
        """Refuse ` #` after an unquoted expression: it may be meant as part of it."""
        if not self._open or not event.value:
            return
        frame = self._open[-1]
        names = [part for part in (*frame.path, frame.key) if isinstance(part, str)]
        key = names[-1] if names else None
        if key not in self._expressions:
            return
        rest = self._lines[event.end_mark.line][event.end_mark.column :]
        if rest.lstrip(" ").startswith("#"):
            self._refuse("yaml/comment-in-expression", mark, key=key)

    def _refuse(self, code: str, mark: Mark, **details: object) -> NoReturn:
        raise refusal(code, Place(self._file, *mark), **details)
