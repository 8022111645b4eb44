"""Whether the texts that people are given as reasons are specific, lawful and readable.

Broken are: an input without a text for an audience, a text that says nothing (`vague`), a text that
names a protected attribute, a text for an input that is protected or a listed stand-in for it, and
the name of an input in place of a sentence. What only reads badly is a warning: too long, or a
reading ease under 30 of 100.

Reading ease is Flesch's (1948): 206.835 - 1.015 words per sentence - 84.6 syllables per word, for
English. Syllables are counted as groups of vowels without a silent final e, so the number is good
to about five points; other languages are not judged.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

WORDS_FILE = Path(__file__).with_name("reason_words.json")

Fault = Literal["missing", "vague", "protected", "not a sentence", "too long", "hard to read"]
BROKEN: frozenset[Fault] = frozenset({"missing", "vague", "protected", "not a sentence"})


@dataclass(frozen=True, slots=True)
class ReasonText:
    """What an audience is told where an input speaks against a person.

    high, low: for a value above and below the usual one; the same text where one serves both.
    """

    high: str
    low: str

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.high, self.low)))


@dataclass(frozen=True, slots=True)
class ReasonTexts:
    """audiences: who is told something. texts: input -> audience -> text."""

    audiences: tuple[str, ...]
    texts: Mapping[str, Mapping[str, ReasonText]]


@dataclass(frozen=True, slots=True)
class TextProblem:
    """What is wrong with a text. breaks: it must not be given to anybody; else it is a warning."""

    input: str
    audience: str
    fault: Fault
    text: str
    says: str

    @property
    def breaks(self) -> bool:
        return self.fault in BROKEN


def check_texts(
    given: ReasonTexts, inputs: Sequence[str], protected: Iterable[str] = ()
) -> tuple[TextProblem, ...]:
    """Every problem, by input and audience. protected: inputs that may never be a reason."""
    never = set(protected)
    found: list[TextProblem] = []
    for name in inputs:
        for audience in given.audiences:
            text = given.texts.get(name, {}).get(audience)
            if name in never:
                says = f"{name} is protected or stands in for what is, so it can be no reason"
                found.append(TextProblem(name, audience, "protected", "", says))
            elif text is None:
                says = f"there is no text for {name} for the audience {audience}"
                found.append(TextProblem(name, audience, "missing", "", says))
            else:
                for one in text.texts:
                    found += _problems(name, audience, one, inputs)
    return tuple(found)


def _problems(name: str, audience: str, text: str, inputs: Sequence[str]) -> list[TextProblem]:
    def problem(fault: Fault, says: str) -> TextProblem:
        return TextProblem(name, audience, fault, text, says)

    vague = vague_phrase(text)
    if vague is not None:
        return [problem("vague", f'"{vague}" tells nobody what counted')]
    named = protected_phrase(text)
    if named is not None:
        return [problem("protected", f'it names a protected attribute: "{named}"')]
    words = _words(text)
    technical = [word for word in text.split() if word.strip(".,;:") in inputs and "_" in word]
    if len(words) < 3 or technical:
        return [problem("not a sentence", "it is a name and no sentence that a person understands")]
    return [problem(fault, says) for fault, says in _readability(text)]


def _readability(text: str) -> list[tuple[Fault, str]]:
    limits = _lists()["readable"]
    found: list[tuple[Fault, str]] = []
    longest = max(len(_words(sentence)) for sentence in _sentences(text))
    if longest > limits["most_words"]:
        found.append(
            ("too long", f"a sentence has {longest} words; {limits['most_words']} are enough")
        )
    ease = reading_ease(text)
    if ease is not None and ease < limits["lowest_ease"]:
        found.append(
            ("hard to read", f"its reading ease is {ease:.0f} of 100; 30 and less is hard")
        )
    return found


def vague_phrase(text: str) -> str | None:
    """The phrase that makes a text vague; None where there is none."""
    plain = _plain(text)
    if plain in _lists()["vague"]["whole"] or not plain:
        return text.strip() or "nothing"
    return _first(_lists()["vague"]["phrases"], plain, whole=("other",))


def protected_phrase(text: str) -> str | None:
    """The protected attribute that a text names; None where it names none."""
    return _first(_lists()["protected"]["phrases"], _plain(text))


def reading_ease(text: str) -> float | None:
    """Flesch's reading ease; None for a text under eight words, which is too short to judge."""
    words = _words(text)
    if len(words) < 8:
        return None
    syllables = sum(_syllables(word) for word in words)
    return 206.835 - 1.015 * len(words) / len(_sentences(text)) - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[a-z]+)?", text.lower())


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"[.!?]+(?:\s|$)", text) if part.strip()] or [text]


def _plain(text: str) -> str:
    """Lower case, one space between words, look-alike signs folded, end marks dropped."""
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    visible = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return re.sub(r"[^\w'/]+", " ", visible).strip()


def _first(phrases: Sequence[str], plain: str, whole: Sequence[str] = ()) -> str | None:
    for phrase in phrases:
        if phrase in whole:
            if plain == phrase:
                return phrase
        elif re.search(rf"(?<![\w']){re.escape(phrase)}(?![\w'])", plain):
            return phrase
    return None


@cache
def _lists() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(WORDS_FILE.read_text("utf-8"))
    return content
