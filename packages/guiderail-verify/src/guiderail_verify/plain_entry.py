"""Recognise the bytes of an ordinary entry without reading them as JSON.

What the pattern matches is canonical JSON in the form of an event: one match proves the form and
gives the fields. It knows fewer entries than there are: text with an escaped character, words that
a person wrote and entries of version 1, for example, are left to the full reader. So a match may
be believed, and no match means nothing.
"""

from __future__ import annotations

import re
from typing import Final

_TEXT: Final = r'"([^"\\\x00-\x1f]*)"'
_NUMBER: Final = r"(0|[1-9][0-9]{0,14})"
_EVIDENCE: Final = rf'\{{"name":{_TEXT},"predicateType":{_TEXT},"sha256":{_TEXT}\}}'
_UNCAUGHT: Final = _EVIDENCE.replace("(", "(?:")
_FIELDS: Final = ",".join(
    (
        rf'"actor":{_TEXT}',
        r'"at":"([0-9]{4}-[0-9]{2}-[0-9]{2})'
        r'(T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z)"',
        rf'"evidence":\[((?:{_UNCAUGHT}(?:,{_UNCAUGHT})*)?)\]',
        rf'"outcome":{_TEXT}',
        r'"payload":\{"alg":"hmac-sha256","value":"([0-9a-f]{64})","words":null\}',
        rf'"policy":(?:null|{_TEXT})',
        rf'"seq":{_NUMBER}',
        rf'"subject":\{{"digest":(?:null|{_TEXT}),"kind":{_TEXT},"name":{_TEXT}\}}',
        rf'"subject_no":{_NUMBER}',
        rf'"type":{_TEXT}',
        '"v":2',
    )
)

match_entry: Final = re.compile(rf"\{{{_FIELDS}\}}").fullmatch
"""The text of an entry -> a match whose groups are, in this order: actor, day and time of `at`,
evidence as JSON without its brackets, outcome, commitment, policy or None, seq, the subject's
digest or None, kind and name, subject_no, type."""

evidence_items: Final = re.compile(_EVIDENCE).findall
"""The evidence of a matched entry -> (name, predicate type, hexadecimal digest) of each."""
