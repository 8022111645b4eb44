"""Help: every command explains itself with an example that its own options accept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from guiderail.cli.main import COMMANDS, cli
from tests.cli.terminal import Terminal


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and group by the words that call it."""

    def walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=path)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walk(f"{path} {name}", found)

    context = click.Context(cli, info_name="guiderail")
    for name in COMMANDS:
        found = cli.get_command(context, name)
        assert found is not None
        yield from walk(name, found)


ALL = list(commands())
LEAVES = [(path, command) for path, command in ALL if not isinstance(command, click.Group)]


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_the_example_of_a_command_is_one_that_it_accepts(path: str, command: click.Command) -> None:
    text = command.epilog or ""
    assert text.startswith("Example: guiderail "), f"{path} has no example"
    example = text.removeprefix("Example: guiderail ").split(" > ")[0]
    words = shlex.split(example)
    assert " ".join(words[: len(path.split())]) == path
    command.make_context(path, words[len(path.split()) :])


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_help_is_printed_within_80_columns_and_every_option_explains_itself(
    guiderail: Terminal, path: str, command: click.Command
) -> None:
    said = guiderail(f"{path} --help")
    assert said.code == 0
    assert all(len(line) <= 80 for line in said.out.splitlines())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts[0]} has no help"
    if not isinstance(command, click.Group):
        assert "Example: guiderail" in said.out


def test_the_list_of_commands_names_every_command_once(guiderail: Terminal) -> None:
    said = guiderail("--help")
    assert said.code == 0
    for name, (_, _, line, _) in COMMANDS.items():
        assert f"  {name} " in said.out
        assert line.split()[0] in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_the_version_is_the_packages(guiderail: Terminal) -> None:
    from importlib.metadata import version

    assert guiderail("--version").out == f"guiderail {version('guiderail')}\n"


@pytest.mark.parametrize(
    ("typed", "meant"), [("chek", "check"), ("rolback", "rollback"), ("sumbit", "submit")]
)
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(
    guiderail: Terminal, typed: str, meant: str
) -> None:
    said = guiderail(f"{typed} {Path()}")
    assert said.code == 4
    assert f"Did you mean {meant}?" in said.err


def test_a_word_like_no_command_gets_no_guess(guiderail: Terminal) -> None:
    said = guiderail("xyzzy")
    assert said.code == 4
    assert "There is no command 'xyzzy'." in said.err
    assert "Did you mean" not in said.err
