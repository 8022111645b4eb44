"""A whole pack of seven files, small enough to be damaged hundreds of times."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "pack.yaml": """id: small
version: "1"
title: A small pack
effective_from: "2026-11-01"
owner: risk-officer
kinds: [model]
limits: {moved: 5}
minimum_known_by:
  change: measured
reviewers:
  green: []
  yellow: [risk-officer]
  red: [risk-officer, compliance]
targets_hours: {green: 0, yellow: 3, red: 24}
expected_wait: {green: at once, yellow: some hours, red: some days}
roles:
  risk-officer: Risk Officer
  compliance: Compliance
""",
    "tiers/regulated.yaml": """id: regulated
title: A regulated use
owner: compliance
since: "2026-11-01"
raises_to: high
when: |-
  use.regulated
  || use.domain in ["credit", "law"]
sentence: An authority looks at this use, in the field of {use.domain}.
because: "its field of use is {use.domain}"
by: design
to_lighten: Use it elsewhere.
where: use.regulated
page: {what: The use., why: It is regulated., good: It is not., fix: Change it., tools: []}
""",
    "tracks/moved.yaml": """id: moved
title: It moved
owner: risk-officer
since: "2026-11-01"
levels:
  - raises_to: yellow
    when: change.flips.high > limit.moved
    sentence: More than {limit.moved} decisions in a hundred may flip ({change.flips}).
  - raises_to: red
    when: |-
      tier == "high" && !(change.flips.low <= 10)
    sentence:
      - when: change.flips.high > 20
        says: Very many decisions flip[[, {change.flips}]].
      - says: Many decisions flip. {unknown}.
    adds_reviewers: [compliance]
by: evidence
to_lighten: Train it again.
page:
  what: Decisions that flip.
  why: People notice.
  good: Fewer than {limit.moved} %.
  fix: Look at them.
  tools: [guiderail measure flips]
  refs:
    - clause: Art. 1
      about: Records of changes.
      jurisdiction: EU
      valid_from: "2026-01-01"
      source: https://example.org/law
      verified: true
      verified_on: "2026-11-01"
""",
    "gates/tested.yaml": """id: tested
title: Tests ran
owner: risk-officer
since: "2026-11-01"
kinds: {model: enforced}
from_tier: low
pass_when: tests.ran > 0
fail_when: tests.failed > 0
waivable_by: [risk-officer]
where: evidence.tests
sentences:
  pass: Tests ran, {tests.ran} of them.
  fail: Tests failed, {tests.failed} of them.
  insufficient: Whether tests ran is not known. {unknown}.
do:
  fail: Correct what fails.
  insufficient: Run the tests.
page:
  what: Tests.
  why: They find mistakes.
  matters_to: Everybody.
  good: All pass.
  fix: Correct them.
  tools: [pytest]
  evidence: A report.
  waiver: For an hour.
examples:
  - {name: all ran, verdict: pass, facts: {tests.ran: 3, tests.failed: 0}}
  - {name: one failed, verdict: fail, facts: {tests.ran: 3, tests.failed: 1}}
  - {name: nothing known, verdict: insufficient, facts: {}}
""",
    "advice/worse.yaml": """id: worse
title: Worse
owner: risk-officer
since: "2026-11-01"
when: change.performance.high < -5
sentence: It is {change.performance:abs} worse.
fix: Say why.
page: {what: Performance., why: It counts., good: Not worse., fix: Train., tools: []}
""",
    "questions/q05-regulated.yaml": """id: q05-regulated
number: 5
owner: compliance
since: "2026-11-01"
fact: use.regulated
question: Does an authority look at it?
why: It decides the tier.
good: A plain answer.
choices:
  - {value: true, label: "Yes"}
  - {value: false, label: "No"}
""",
    "controls/SEC-1.yaml": """id: SEC-1
title: Tests
owner: risk-officer
since: "2026-11-01"
kinds: [model]
from_tier: low
statement: Changes are tested.
evidence: The gate tested.
""",
}


def write_small_pack(folder: Path, **changed: str | bytes) -> Path:
    """Write the pack; `changed` replaces files by name (`tiers__regulated` for a path)."""
    files: dict[str, str | bytes] = {**FILES}
    for name, content in changed.items():
        files[f"{name.replace('__', '/')}.yaml"] = content
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return folder
