"""Passphrases come from a variable, a file or a terminal, and go nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guiderail.attest.secrets import NEW_PASSPHRASE, PASSPHRASE, PIN, Secrets, without_secrets
from guiderail.core.errors import InputError

LONG = "correct horse battery"


def file_with(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def code_of(asked: Secrets) -> str:
    with pytest.raises(InputError) as caught:
        asked.passphrase()
    assert caught.value.advice
    return caught.value.code


def test_a_variable_holds_it() -> None:
    assert Secrets({PASSPHRASE: LONG}, None).passphrase() == LONG


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_file_holds_it_with_or_without_an_end_of_line(tmp_path: Path, end: bytes) -> None:
    path = file_with(tmp_path, LONG.encode() + end)
    assert Secrets({PASSPHRASE + "_FILE": str(path)}, None).passphrase() == LONG


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_with(tmp_path, LONG.encode(), mode)
    assert code_of(Secrets({PASSPHRASE + "_FILE": str(path)}, None)) == "keys/open-to-others"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 5000])
def test_a_file_without_a_passphrase_in_it_is_refused(tmp_path: Path, content: bytes) -> None:
    path = file_with(tmp_path, content)
    assert code_of(Secrets({PASSPHRASE + "_FILE": str(path)}, None)) == "keys/passphrase-file"


def test_a_missing_file_and_two_sources_are_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert code_of(Secrets({PASSPHRASE + "_FILE": missing}, None)) == "keys/passphrase-file"
    both = {PASSPHRASE: LONG, PASSPHRASE + "_FILE": missing}
    assert code_of(Secrets(both, None)) == "keys/two-passphrases"


def test_without_a_terminal_nobody_is_asked() -> None:
    assert code_of(Secrets({}, None)) == "keys/no-passphrase"


def test_a_person_is_asked_once() -> None:
    questions: list[str] = []

    def person(question: str) -> str:
        questions.append(question)
        return LONG

    asked = Secrets({}, person)
    assert (asked.passphrase(), asked.passphrase(), len(questions)) == (LONG, LONG, 1)


def test_a_new_passphrase_is_typed_twice_and_has_to_be_long() -> None:
    answers = iter([LONG, LONG + "!", "short", "short", LONG, LONG])
    asked = Secrets({}, lambda _: next(answers))
    for code in ("keys/passphrases-differ", "keys/weak-passphrase"):
        with pytest.raises(InputError) as caught:
            asked.new_passphrase(protected=True)
        assert caught.value.code == code
    assert asked.new_passphrase(protected=True) == LONG


def test_the_old_passphrase_is_never_taken_for_the_new_one() -> None:
    assert Secrets({PASSPHRASE: LONG}, None).new_passphrase(protected=False) == LONG
    with pytest.raises(InputError) as caught:
        Secrets({PASSPHRASE: LONG}, None).new_passphrase(protected=True)
    assert NEW_PASSPHRASE in caught.value.advice


def test_programs_that_are_started_do_not_inherit_them() -> None:
    secret = {
        name + end: "x" for name in (PASSPHRASE, NEW_PASSPHRASE, PIN) for end in ("", "_FILE")
    }
    assert without_secrets({**secret, "PATH": "/bin"}) == {"PATH": "/bin"}


def test_what_is_known_is_not_in_the_words_for_developers() -> None:
    asked = Secrets({}, lambda _: LONG)
    asked.passphrase()
    assert LONG not in repr(asked)


@pytest.mark.skipif(os.name != "posix", reason="NO TERMINAL IS OPENED HERE: this is not POSIX")
def test_a_real_terminal_is_asked_and_does_not_echo(tmp_path: Path) -> None:
    import pty
    import select

    code = (
        "from guiderail.attest.secrets import Secrets; print('got', len(Secrets({}).passphrase()))"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])  # noqa: S606 - no shell is wanted
    seen = b""
    while b"Passphrase of the keys: " not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, LONG.encode() + b"\n")
    while select.select([terminal], [], [], 20)[0]:
        try:
            more = os.read(terminal, 1024)
        except OSError:
            break
        if not more:
            break
        seen += more
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"got 21" in seen
    assert LONG.encode() not in seen


def test_a_process_without_a_terminal_is_not_asked() -> None:
    code = "from guiderail.attest.secrets import Secrets; print(Secrets().prompt)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"None"
