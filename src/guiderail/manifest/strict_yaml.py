"""YAML that means what it looks like: strict loading with a place for every value.

Refused with `file:line:column` and advice (the texts are in `yaml_refusals`): tags, anchors,
aliases, merge keys, directives, duplicate keys, keys that are not text, several documents, tabs,
byte order marks, invisible control characters, `.nan` and `.inf`, octal and hexadecimal numbers,
and texts that are too large, too deep or too long. Values follow `yaml_scalars`.

The tree is built from the parser's events without recursion, so depth cannot exhaust the stack.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from guiderail.core.errors import Place
from guiderail.manifest.yaml_document import Document, Spot, YamlPath
from guiderail.manifest.yaml_refusals import refusal, syntax_error
from guiderail.manifest.yaml_tree import Limits, Tree

__all__ = [
    "DEFAULT_LIMITS",
    "Document",
    "Limits",
    "Spot",
    "YamlPath",
    "load",
    "load_bytes",
    "load_file",
]

DEFAULT_LIMITS = Limits()

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Everything outside YAML's printable characters, and what is printable but hides: tabs, byte order
# marks, lone carriage returns, line breaks of YAML 1.1 only, signs that turn the reading direction.
HIDDEN = re.compile(
    "\t|\ufeff|\r(?!\n)|[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]"
    "|[^\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def load(
    text: str,
    file: str,
    *,
    limits: Limits = DEFAULT_LIMITS,
    expressions: frozenset[str] = frozenset(),
) -> Document:
    """Read one YAML document.

    file: the name that places show. expressions: keys whose unquoted values must not be followed
    by a comment, because ` #` silently cuts what may have been meant as part of the expression.
    Raises InputError with a `yaml/...` code, a place and advice.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")), file, limits)
    _check_characters(text, file)
    tree = Tree(file, text, limits, expressions)
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            tree.take(event)
    except yaml.YAMLError as error:
        raise syntax_error(error, file) from None
    return tree.document()


def load_bytes(
    data: bytes,
    file: str,
    *,
    limits: Limits = DEFAULT_LIMITS,
    expressions: frozenset[str] = frozenset(),
) -> Document:
    """As `load`, for bytes: they must be UTF-8 without a byte order mark."""
    _check_size(len(data), file, limits)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").split("\n")
        place = Place(file, len(before), len(before[-1]) + 1)
        raise refusal("yaml/not-utf8", place, byte=f"0x{data[error.start]:02x}") from None
    return load(text, file, limits=limits, expressions=expressions)


def load_file(
    path: Path,
    *,
    file: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    expressions: frozenset[str] = frozenset(),
) -> Document:
    """As `load`, for a file; `file` is the name that places show, by default the path itself.

    At most one byte more than the limit is read. A file that cannot be read is an InputError.
    """
    name = file if file is not None else str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(limits.size + 1)
    except OSError as error:
        raise refusal("yaml/unreadable", Place(name), why=error.strerror or error) from None
    return load_bytes(data, name, limits=limits, expressions=expressions)


def _check_size(size: int, file: str, limits: Limits) -> None:
    if size > limits.size:
        raise refusal("yaml/too-large", Place(file), limit=limits.size)


def _check_characters(text: str, file: str) -> None:
    found = HIDDEN.search(text)
    if found is None:
        return
    sign, start = found.group(), found.start()
    line_start = text.rfind("\n", 0, start) + 1
    place = Place(file, text.count("\n", 0, start) + 1, start - line_start + 1)
    special = {"\t": "yaml/tab", "\ufeff": "yaml/byte-order-mark"}
    raise refusal(special.get(sign, "yaml/control-character"), place, sign=f"U+{ord(sign):04X}")
