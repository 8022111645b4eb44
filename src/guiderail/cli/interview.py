"""The interview in a terminal: one question at a time, each with its reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click


def ask(questions: Sequence[Any]) -> dict[str, Any]:
    """Ask the questions (`OpenQuestion`); what is not known is left out.

    A minus sign ends the questions that decide nothing.
    """
    values: dict[str, Any] = {}
    for number, item in enumerate(questions, start=1):
        _print_question(item, number, len(questions))
        value = _value(item.question)
        if value == "-" and item.question.context:
            break
        if value is not None:
            values[item.question.fact] = value
    return values


def offer(count: int, case: str, *, asked_for: bool) -> bool:
    """Should the questions that decide nothing be asked too? Without a terminal only on demand."""
    if asked_for:
        return True
    more = "1 more question helps" if count == 1 else f"{count} more questions help"
    click.echo(f"\n{more} reviewers to understand the release; none decides anything.", err=True)
    if sys.stdin.isatty():
        return click.confirm("Answer them now?", default=False, err=True)
    click.echo(f"`guiderail answer {case} --context` asks them.", err=True)
    return False


def _print_question(item: Any, number: int, of: int) -> None:
    from guiderail.render.interview_text import origin

    question = item.question
    click.echo(f"\nQuestion {number} of {of}: {question.text}")
    click.echo(f"  Why we ask: {question.why}")
    click.echo(f"  A good answer: {question.good}")
    if question.help:
        click.echo(f"  {question.help}")
    for shown in item.shown:
        told = origin({"source": shown.source, "days": shown.days})
        click.echo(f"  Known: {shown.says} is {shown.words} ({told}).")
    for choice in question.choices:
        click.echo(f"    {choice.typed:<12} {choice.label}")
    click.echo("    ?            I don't know")
    if question.context:
        click.echo("    -            Leave out the rest")


def _value(question: Any) -> Any:
    """A value of the question's fact, None for not known, `-` for no more."""
    from guiderail.service.answer_values import choices, parse_answer

    while True:
        text = click.prompt("Your answer", default="?", show_default=False).strip()
        if text == "?":
            return None
        if text == "-" and question.context:
            return text
        value = parse_answer(question.type, text)
        if value is not None:
            return value
        click.echo(f"  Please type {' or '.join(choices(question.type))}, or ?.")
