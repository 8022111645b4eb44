"""What a runner does: measure a release anew and write the statement that it vouches for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from guiderail.attest.ci_token import audience_for
from guiderail.attest.runner_key import find_key, sign
from guiderail.attest.strict_json import read_json
from guiderail.core.digest import sha256_digest
from guiderail.core.errors import ConflictError, InputError
from guiderail.facts.evidence.outside import recognise
from guiderail.manifest.load import load_release
from guiderail.service.check import Checked
from guiderail.service.facts_statement import FACTS, facts_statement
from guiderail.service.vouching import read_file


@dataclass(frozen=True, slots=True)
class Written:
    """signed: whether a key signed it. digest: of the statement, for the audience of a token."""

    path: Path
    signed: bool
    digest: str
    facts: int


def write_statement(
    checked: Checked, path: Path, key: Path | None, environment: Mapping[str, str] = os.environ
) -> Written:
    """Write what was measured; signed where there is a key in the file or in the environment.

    Raises ConflictError where the release changed meanwhile, InputError where the key or the file
    cannot be used.
    """
    private = find_key(key, environment)
    if load_release(checked.release.root).digest != checked.release.digest:
        raise ConflictError(
            "a file of the release changed while it was being measured",
            code="release/changed",
            advice="Let the build finish, then measure again.",
        )
    payload = facts_statement(checked.release, checked.facts, checked.standing, checked.at)
    content = payload if private is None else sign(payload, private)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}",
            code="runner/output",
            advice="Name a file in a directory that you may write to.",
        ) from error
    facts = read_json(payload)["predicate"]["facts"]
    return Written(path, private is not None, sha256_digest(payload), len(facts))


def audience_of(path: Path, audience: str) -> str:
    """The audience with which the CI has to be asked for a token about this statement.

    Raises InputError for a file that is no statement of facts.
    """
    content = read_file(path)
    found = recognise(content, str(path))
    payload = found.envelope.payload if found.envelope is not None else content
    if found.predicate_type != FACTS:
        raise InputError(
            f"{path} is no statement of facts",
            code="facts/unreadable",
            advice="Write one with `guiderail check DIR --attest FILE`.",
        )
    return audience_for(audience, sha256_digest(payload))
