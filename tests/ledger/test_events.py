"""The list of events is closed, and each has a sentence for people."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.events import (
    EVENT_TYPES,
    EventName,
    EventType,
    check_event,
    event_type,
    sentence,
)

from .conftest import submitted


def test_every_name_has_one_description() -> None:
    assert [kind.name for kind in EVENT_TYPES] == list(get_args(EventName))


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.name)
def test_the_sentence_needs_only_what_every_such_event_has(kind: EventType) -> None:
    payload = {name: f"<{name}>" for name in kind.required}
    said = sentence(kind.name, "ann", "credit", payload)
    assert "{" not in said
    assert said.endswith((".", ">"))


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.name)
def test_no_field_is_both_required_and_optional(kind: EventType) -> None:
    names = [*kind.required, *kind.optional]
    assert len(names) == len(set(names))


def test_an_erased_payload_still_gives_a_sentence() -> None:
    said = sentence("case.void", "ann", "credit", {})
    assert said == "Case (erased) is void: (erased)"


def test_a_brace_in_what_a_person_wrote_is_only_a_brace() -> None:
    said = sentence("case.void", "ann", "credit", {"case": "c", "reason": "{actor.__class__}"})
    assert said == "Case c is void: {actor.__class__}"


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no event"):
        event_type("case.forgotten")


@pytest.mark.parametrize("payload", [{}, {"case": "c", "surprise": 1}, {"surprise": 1}])
def test_a_payload_with_other_fields_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"payload of case\.submitted"):
        check_event(replace(submitted(), payload=payload))


def test_an_event_needs_a_subject_and_an_actor() -> None:
    with pytest.raises(ValueError, match="subject and an actor"):
        check_event(replace(submitted(), actor=Actor("")))
    with pytest.raises(ValueError, match="subject and an actor"):
        check_event(replace(submitted(), subject=Subject("model", "")))
