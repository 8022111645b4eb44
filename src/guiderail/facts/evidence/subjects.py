"""What evidence may be about: the release, its artefacts, and the files in their directories."""

from __future__ import annotations

from collections.abc import Mapping

from guiderail.core.digest import Digest, file_digest, files_below
from guiderail.core.errors import RefusedError
from guiderail.facts.evidence.outside import Outside
from guiderail.manifest.release import Release

RELEASE = "the release"


def subjects_of(release: Release) -> dict[Digest, str]:
    """Digest -> name of everything in a release that has one."""
    found = {digest: name for name, digest in release.artefacts.items()}
    for name in release.artefacts:
        path = release.path(name)
        if path.is_dir():
            found |= {file_digest(file): f"{name}/{inner}" for inner, file in files_below(path)}
    return {**found, release.digest: RELEASE}


def matched(
    evidence: Outside, subjects: Mapping[Digest, str], file: str
) -> tuple[Digest, ...] | None:
    """Digests of the release that the evidence is about; None where its form cannot say it.

    Raises RefusedError `evidence/other-subject` where it is about something else.
    """
    about = tuple(dict.fromkeys(one.digest for one in evidence.about if one.digest in subjects))
    if evidence.kind == "model-signature":
        _refuse_other_file(evidence, subjects, file)
    if about:
        return about
    if evidence.about:
        named = evidence.about[0]
        raise RefusedError(
            f"{file} is about {named.name or 'something'} {named.digest[:19]}..., "
            "which is no part of this release",
            code="evidence/other-subject",
            advice="Make it for the files that were submitted: the release or one of its artefacts "
            "has to be named by its SHA-256 (`guiderail case show` prints the release's).",
        )
    any_of = tuple(dict.fromkeys(one.digest for one in evidence.any_of if one.digest in subjects))
    return any_of or None


def _refuse_other_file(evidence: Outside, subjects: Mapping[Digest, str], file: str) -> None:
    """A model signature covers whole models: a file of the same name has to be the same file."""
    for one in evidence.about:
        for digest, name in subjects.items():
            same = name == one.name or name.endswith(f"/{one.name}")
            if same and digest != one.digest and one.digest not in subjects:
                raise RefusedError(
                    f"{file} signs another {one.name} than the one in this release",
                    code="evidence/other-subject",
                    advice="Sign the model again after its last change.",
                )
