"""What Guiderail states itself: signed, bound to the release, found by type, without names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fsspec
import pytest

from guiderail.attest.keys import read_trusted
from guiderail.attest.statement import GATE_RESULT, REVIEW, ROLLOUT, TEST_RESULT
from guiderail.core.errors import InputError, IntegrityError
from guiderail.facts.evidence.outside import JUNIT, SARIF
from guiderail.service.audit_pack import export
from guiderail.service.evidence_list import evidence_document
from guiderail.service.roll_back import roll_back
from guiderail.service.workspace import SETTINGS, open_workspace
from guiderail_verify.audit import verify_pack
from guiderail_verify.dsse import open_envelope
from guiderail_verify.permit import VERIFICATION_RESULT
from tests.service.depot import REASON, WORKLOAD, Depot


def statements(depot: Depot, type_: str, case: str | None = None) -> list[dict[str, Any]]:
    """The statements of a type, each opened with the workspace's public key."""
    keys = read_trusted(depot.home).permit
    rows = evidence_document(depot.acting(), case, predicate_type=type_)["evidence"]
    found = []
    for row in rows:
        opened = open_envelope(depot.acting().blobs.read(row["digest"]), keys)
        statement = json.loads(opened.payload)
        assert [f"sha256:{one['digest']['sha256']}" for one in statement["subject"]] == row["about"]
        assert statement["predicateType"] == type_
        found.append(statement["predicate"])
    return found


def test_a_submission_keeps_its_reports_their_result_and_what_the_gates_said(
    live_depot: Depot,
) -> None:
    case = live_depot.submit(live_depot.releases.yellow).case

    rows = {row["predicate_type"]: row["known_by"]
            for row in evidence_document(live_depot.acting(), case.id)["evidence"]}  # fmt: skip
    assert rows == {
        SARIF: "declared", JUNIT: "declared", TEST_RESULT: "declared", GATE_RESULT: "attested",
    }  # fmt: skip
    (result,) = statements(live_depot, TEST_RESULT, case.id)
    assert (result["result"], result["failedTests"]) == ("PASSED", [])
    (gates,) = statements(live_depot, GATE_RESULT, case.id)
    decision = live_depot.dossier(case.id).decision
    assert gates["dossier"] == case.dossier_digest
    assert [(one["id"], one["verdict"]) for one in gates["gates"]] == [
        (one["id"], one["verdict"]) for one in decision["gates"]
    ]
    assert gates["track"] == "yellow"


def test_a_review_and_a_rollout_are_statements_without_names(live_depot: Depot) -> None:
    case = live_depot.make_live(live_depot.releases.yellow)

    reviews = statements(live_depot, REVIEW, case)
    (rollout,) = statements(live_depot, ROLLOUT, case)

    assert {one["verdict"] for one in reviews} == {"approve"}
    assert all(one["dossier"] == live_depot.case(case).dossier_digest for one in reviews)
    assert (rollout["outcome"], rollout["to"]) == ("live", live_depot.case(case).release_digest)
    told = json.dumps([*reviews, rollout])
    assert not any(name in told for name in ("emil", "Emil", "edda", "nora", REASON))
    permits = evidence_document(live_depot.acting(), case, predicate_type=VERIFICATION_RESULT)
    assert len(permits["evidence"]) == 1


def test_going_back_is_a_statement_too(two_versions: Depot) -> None:
    roll_back(two_versions.acting(), WORKLOAD)
    assert [one["outcome"] for one in statements(two_versions, ROLLOUT)][-1] == "rolled-back"


def test_evidence_in_an_object_store_is_exported_and_its_loss_is_noticed(
    live_depot: Depot, tmp_path: Path
) -> None:
    url = f"memory://{tmp_path.name}"
    (live_depot.home / SETTINGS).write_text(f"guiderail: 1\ndemo: true\nblobs: {url}\n")
    remote = fsspec.filesystem("memory")
    for path in (live_depot.home / "blobs").rglob("*"):
        if path.is_file():
            name = path.relative_to(live_depot.home / "blobs")
            remote.makedirs(f"/{tmp_path.name}/{name.parent}", exist_ok=True)
            remote.put_file(str(path), f"/{tmp_path.name}/{name}")

    workspace = open_workspace(live_depot.root, act_as="nora")
    digest = workspace.blobs.put_bytes(b"kept there")

    assert not (live_depot.home / "blobs" / "sha256" / digest[7:9] / digest[7:]).exists()
    assert export(workspace, tmp_path / "pack")["problems"] == []
    assert verify_pack(tmp_path / "pack").ok
    (row, *_) = evidence_document(workspace, "case-0001", predicate_type=GATE_RESULT)["evidence"]
    remote.rm(f"/{tmp_path.name}/sha256/{row['digest'][7:9]}/{row['digest'][7:]}")
    with pytest.raises(IntegrityError) as caught:
        export(workspace, tmp_path / "again")
    assert caught.value.code == "blob/missing"


@pytest.mark.parametrize(
    "more", ["blob: s3://x", "blobs: 3", "platform: maybe", "platform: 1", "demo: perhaps"]
)
def test_a_misspelt_setting_of_the_workspace_is_refused(live_depot: Depot, more: str) -> None:
    (live_depot.home / SETTINGS).write_text(f"guiderail: 1\n{more}\n")
    with pytest.raises(InputError) as caught:
        open_workspace(live_depot.root)
    assert caught.value.code == "workspace/settings"
