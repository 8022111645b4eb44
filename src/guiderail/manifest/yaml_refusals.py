"""What strict YAML loading says when it refuses: one sentence and one advice for each code."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from guiderail.core.errors import InputError, Place

_IN_QUOTES = "If the sign belongs to the value, put the value in quotes."

REFUSALS: Mapping[str, tuple[str, str]] = {
    "yaml/unreadable": (
        "The file cannot be read: {why}.",
        "Check the path and the permissions.",
    ),
    "yaml/too-large": (
        "The file is larger than {limit} bytes.",
        "Keep data in data files and name them here.",
    ),
    "yaml/not-utf8": (
        "The file is not UTF-8 text: byte {byte} cannot be read.",
        "Save the file as UTF-8.",
    ),
    "yaml/byte-order-mark": (
        "There is a byte order mark.",
        "Save the file as UTF-8 without one.",
    ),
    "yaml/tab": (
        "There is a tab.",
        'Use spaces; inside double quotes write "\\t".',
    ),
    "yaml/control-character": (
        "There is an invisible control character ({sign}).",
        'Remove it; inside double quotes it can be written as "\\u" and four digits.',
    ),
    "yaml/empty": (
        "The file is empty.",
        "Write at least one key.",
    ),
    "yaml/several-documents": (
        "A second document begins here.",
        "Keep one document in a file and remove the line with three dashes.",
    ),
    "yaml/directive": (
        "A line that begins with % changes how YAML is read.",
        "Remove it; the file is read as YAML 1.2.",
    ),
    "yaml/tag": (
        "The tag {tag} is not accepted.",
        "Values are text, numbers, true, false, lists and mappings. " + _IN_QUOTES,
    ),
    "yaml/anchor": (
        "&{anchor} marks a value to be repeated elsewhere.",
        "Write the value out where it is needed. " + _IN_QUOTES,
    ),
    "yaml/alias": (
        "*{anchor} repeats another value.",
        "Write the value out. " + _IN_QUOTES,
    ),
    "yaml/merge-key": (
        "The key << merges another mapping into this one.",
        "Write the keys out.",
    ),
    "yaml/duplicate-key": (
        "The key {key} stands twice, first in line {line}.",
        "Keep one of the two.",
    ),
    "yaml/key-not-text": (
        "The key {key} is not text.",
        "Use text as the key, in quotes where needed.",
    ),
    "yaml/collection-as-key": (
        "A list or mapping cannot be a key.",
        "Use text as the key; a value that begins with { or [ needs quotes.",
    ),
    "yaml/comment-in-expression": (
        "The value of {key} ends before the # sign.",
        "Put the whole expression in quotes, or move the comment to a line of its own.",
    ),
    "yaml/too-deep": (
        "The nesting is deeper than {limit} levels.",
        "Flatten the structure.",
    ),
    "yaml/too-long": (
        "This text is longer than {limit} characters.",
        "Keep long texts in a file of their own.",
    ),
    "yaml/too-many": (
        "The file holds more than {limit} values.",
        "Split it, or keep data in a data file.",
    ),
    "yaml/not-finite": (
        "{text} is not a number that can be compared or signed.",
        "Leave the value out if it is not known, or put it in quotes if it is text.",
    ),
    "yaml/number-form": (
        "{text} is read as different numbers by different programs.",
        "Write it in decimal without leading zeros, or put it in quotes if it is text.",
    ),
    "yaml/number-range": (
        "{text} cannot be kept exactly.",
        "Use another unit for a number, or put it in quotes if it is an identifier.",
    ),
}

_SYNTAX_ADVICE = (
    (
        "mapping values are not allowed",
        "Check the indentation; a value that contains a colon and a space needs quotes.",
    ),
    (
        "could not find expected ':'",
        "Write a colon and a space after the key, and indent what belongs to it.",
    ),
    (
        "expected <block end>",
        "Check the indentation; a value that begins with a quote must end with it.",
    ),
    (
        "did not find expected key",
        "Check the indentation; a value that begins with a quote must end with it.",
    ),
    ("',' or", "Close the bracket, or put a comma between the entries."),
    ("unexpected end of stream", "Close the quotes that are open."),
    ("cannot start any token", "Put the value in quotes."),
    ("unknown escape character", "Use single quotes, or write a backslash twice."),
)


def refusal(code: str, place: Place, **details: object) -> InputError:
    """The error for a code of `REFUSALS`; `details` fill the sentence."""
    what, advice = REFUSALS[code]
    return InputError(what.format(**details), code=code, advice=advice, place=place)


def syntax_error(error: yaml.YAMLError, file: str) -> InputError:
    """What the YAML parser could not read, in its words, with a place and advice."""
    problem, place = str(error), Place(file)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else place
        told = [part for part in (error.problem, error.context) if part]
        problem = ", ".join(told) or "it is not complete"
    advice = next((text for part, text in _SYNTAX_ADVICE if part in problem), None)
    return InputError(
        f"The YAML cannot be read: {problem}.",
        code="yaml/syntax",
        advice=advice or "Check indentation, quotes and brackets around this place.",
        place=place,
    )
