"""The interview in a terminal: one question at a time, each with its reason, and "I don't know"."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.service import parcels
from tests.service.depot import Depot


@pytest.fixture
def case(live: Depot, tmp_path: Path) -> str:
    directory = parcels.variant(
        live.releases.green,
        tmp_path / "asking",
        {"use": {"affects_people": True, "decision": None, "influence": None}},
    )
    return live.submit(directory).case.id


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Answers that a person types, in order; the list is what is left of them."""
    left = list(answers)
    monkeypatch.setattr("click.prompt", lambda *_, **__: left.pop(0))
    return left


def test_each_question_says_why_it_is_asked_and_what_may_be_typed(
    guiderail: Terminal, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = typed(monkeypatch, "none", "informs")
    said = guiderail(f"answer {case} --as nora")
    assert left == []
    assert said.code == 0
    assert "Question 1 of 2: " in said.out
    assert "Question 2 of 2: " in said.out
    assert said.out.count("Why we ask: ") == 2
    assert said.out.count("I don't know") == 2
    assert f"{case} is in-review" in said.out


def test_what_is_no_answer_is_asked_again(
    guiderail: Terminal, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "tiny", "minor", "?")
    said = guiderail(f"answer {case} --as nora")
    assert "Please type none or minor or significant, or ?." in said.out
    shown = guiderail(f"case show {case} --format json").json
    assert list(shown["answers"]) == ["use.decision"]
    assert shown["decision"]["unanswered"] == ["use.influence"]


def test_i_do_not_know_goes_to_the_reviewers(
    guiderail: Terminal, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "?", "?")
    said = guiderail(f"answer {case} --as nora")
    assert said.code == 0
    shown = guiderail(f"case show {case} --format json").json
    assert (shown["state"], shown["tier"]) == ("in-review", "high")
    assert shown["answers"] == {}


def test_an_interview_that_is_broken_off_keeps_nothing(
    guiderail: Terminal, live: Depot, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    def leave(*_: object, **__: object) -> str:
        raise click.Abort

    monkeypatch.setattr("click.prompt", leave)
    before = live.event_types()
    said = guiderail(f"answer {case} --as nora")
    assert said.code == 4
    assert "Stopped." in said.err
    assert live.event_types() == before


def test_questions_that_only_tell_are_asked_on_demand_and_may_be_left_out(
    guiderail: Terminal, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = typed(monkeypatch, "none", "informs", "?", "A/B test", "-")
    said = guiderail(f"answer {case} --context --as nora")
    assert (said.code, left) == (0, [])
    assert "Leave out the rest" in said.out
    shown = guiderail(f"case show {case} --format json").json
    assert len(shown["answers"]) == 3
    told = guiderail(f"review show {case} --as gina").out
    assert "What people said" in told
    assert "A/B test (answered by nora in" in told
    assert "What changed, as it was measured" in told


def test_without_a_terminal_the_questions_that_only_tell_are_named_and_not_asked(
    guiderail: Terminal, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "none", "informs")
    said = guiderail(f"answer {case} --as nora")
    assert said.code == 0
    assert f"`guiderail answer {case} --context` asks them." in said.err
    again = guiderail(f"answer {case} --as nora")
    assert "Nothing is open" in again.err


def test_whoever_can_know_is_named_where_something_is_not_known(
    guiderail: Terminal, case: str
) -> None:
    guiderail(f"answer {case} --leave-open --as nora")
    told = " ".join(guiderail(f"case show {case}").out.split())
    assert "Not known yet" in told
    assert "domain expert can know." in told.lower()
