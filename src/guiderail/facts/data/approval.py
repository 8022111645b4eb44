"""The data steward's answer on the personal data of this release."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import seen_columns, sources
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    """Approved only when every source with personal data is; one refusal is enough to refuse."""
    name, recorded = "data.personal_approval", "the workspace's data approvals"
    concerned = _concerned(inputs)
    if not concerned:
        yield unknown(name, "no training source is named that an approval could name", recorded)
        return
    answers = {source: _answer(inputs, source) for source in concerned}
    if "refused" in answers.values():
        value = "refused"
    else:
        value = "approved" if set(answers.values()) == {"approved"} else "none"
    yield known(name, value, recorded, KnownBy.ATTESTED, {"sources": answers})


def _concerned(inputs: Inputs) -> tuple[str, ...]:
    """Names of sources with personal data; all of them where only the evaluation data have any."""
    personal = {
        column.file
        for column in seen_columns(inputs.release, inputs)
        if column.cls in ("personal", "protected", "unknown")
    }
    named = sources(inputs.release)
    found = tuple(source.name for source in named if source.data in personal)
    return found or tuple(source.name for source in named)


def _answer(inputs: Inputs, source: str) -> str:
    """The latest valid decision on this source for this workload's purpose, else `none`."""
    manifest = inputs.release.manifest
    purposes = {manifest.purpose, manifest.served_as}
    valid = [
        approval
        for approval in inputs.standing.data_approvals
        if approval.source == source
        and approval.purpose in purposes
        and approval.until > inputs.now
    ]
    if not valid:
        return "none"
    return "approved" if max(valid, key=lambda one: one.until).granted else "refused"


DATA_APPROVAL = Provider(
    id="data.approval",
    version=1,
    kinds=("model", "pipeline"),
    gives=("data.personal_approval",),
    run=_run,
)
