"""Where the passphrase of the keys and the PIN of a hardware token come from.

From an environment variable that holds the secret, or from one that names a file with it, or from a
prompt on a terminal. Never from the command line, where every process of the machine reads it. The
variables are taken out of the environment of programs that Guiderail starts (`SECRET_VARIABLES`).
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from guiderail.core.errors import InputError

PASSPHRASE: Final = "GUIDERAIL_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
NEW_PASSPHRASE: Final = "GUIDERAIL_NEW_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
PIN: Final = "GUIDERAIL_KEY_PIN"
FILE: Final = "_FILE"
SECRET_VARIABLES: Final = (PASSPHRASE, NEW_PASSPHRASE, PIN)
SHORTEST: Final = 12
"""Characters of a new passphrase: a stolen file can be tried out at leisure."""

Prompt = Callable[[str], str]


@dataclass
class Secrets:
    """What is asked for is asked once and kept for as long as this object lives.

    prompt: asks a person; None where there is no terminal.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    prompt: Prompt | None = field(default_factory=lambda: _terminal())
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def passphrase(self) -> str:
        """The passphrase that the key files have now.

        Raises InputError `keys/no-passphrase` where nobody can be asked.
        """
        return self._ask(PASSPHRASE, "Passphrase of the keys: ")

    def new_passphrase(self, *, protected: bool) -> str:
        """The passphrase that they are to have; `protected`: they have another one now.

        Raises InputError `keys/weak-passphrase` for a short one.
        """
        found = self._given(NEW_PASSPHRASE)
        if found is None and not protected:
            found = self._given(PASSPHRASE)
        if found is None and self.prompt is not None:
            found = self.prompt("New passphrase of the keys: ")
            if self.prompt("The same again: ") != found:
                raise InputError(
                    "The two passphrases differ; nothing was changed.",
                    advice="Run the command again.",
                    code="keys/passphrases-differ",
                )
        if found is None:
            variable = NEW_PASSPHRASE if protected else PASSPHRASE
            raise _nobody_to_ask(
                "There is no new passphrase and no terminal to ask for it", variable
            )
        if len(found) < SHORTEST:
            raise InputError(
                f"The passphrase has {len(found)} characters; it needs at least {SHORTEST}.",
                advice="Take a sentence of several words; who steals the files can try at leisure.",
                code="keys/weak-passphrase",
            )
        self._known[PASSPHRASE] = found
        return found

    def copy(self) -> Secrets:
        """The same answers so far: what is asked of one is then not asked of the other."""
        return Secrets(self.environment, self.prompt, dict(self._known))

    def pin(self, what: str) -> str:
        """The PIN of a hardware token. Raises InputError `keys/no-passphrase` as above."""
        return self._ask(PIN, f"PIN for {what}: ")

    def _ask(self, variable: str, question: str) -> str:
        if variable not in self._known:
            found = self._given(variable)
            if found is None and self.prompt is not None:
                found = self.prompt(question)
            if found is None:
                raise _nobody_to_ask("The keys are protected and nobody can be asked", variable)
            self._known[variable] = found
        return self._known[variable]

    def _given(self, variable: str) -> str | None:
        value, path = self.environment.get(variable), self.environment.get(variable + FILE)
        if value and path:
            raise InputError(
                f"{variable} and {variable}{FILE} are both set.",
                advice="Set one of them.",
                code="keys/two-passphrases",
            )
        if path:
            return _read(Path(path), variable + FILE)
        return value or None


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for another program, in which no secret of the keys is."""
    hidden = {name + end for name in SECRET_VARIABLES for end in ("", FILE)}
    return {name: value for name, value in environment.items() if name not in hidden}


def _read(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(4097)
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(
            f"The file {path}, which {variable} names, cannot be read: {why}.",
            advice="Name a file that holds the secret and nothing else.",
            code="keys/passphrase-file",
        ) from error
    if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
        raise InputError(
            f"The file {path}, which {variable} names, can be read by others "
            f"(mode {stat.S_IMODE(mode):o}).",
            advice=f"Run chmod 600 {path}, and change the secret if somebody may have read it.",
            code="keys/open-to-others",
        )
    if not text or len(data) > 4096:
        raise InputError(
            f"The file {path}, which {variable} names, is empty or larger than 4096 bytes.",
            advice="Name a file that holds the secret and nothing else.",
            code="keys/passphrase-file",
        )
    return text


def _terminal() -> Prompt | None:
    if not sys.stdin or not sys.stdin.isatty() or not sys.stderr.isatty():
        return None
    return getpass.getpass


def _nobody_to_ask(what: str, variable: str) -> InputError:
    return InputError(
        f"{what}.",
        advice=f"Set {variable}{FILE} to a file (mode 600) that holds it, or {variable} to the "
        "secret itself, or run the command in a terminal.",
        code="keys/no-passphrase",
    )
