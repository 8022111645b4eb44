"""Evidence from outside: kept verbatim, bound to the release, and never believed too easily."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import GuiderailError
from guiderail.facts.evidence.outside import JUNIT, MODEL_SIGNATURE, SARIF, SLSA
from guiderail.manifest.load import load_release
from guiderail.service.attach import attach
from guiderail.service.audit_pack import export
from guiderail.service.evidence import bind_reports
from guiderail.service.evidence_list import evidence_document
from guiderail.service.signers import add_key, remove
from guiderail.service.status import show_case
from guiderail.service.withdraw import withdraw
from guiderail_verify.audit import verify_pack
from tests.facts.test_outside import CYCLONEDX, MODEL, PROVENANCE
from tests.service import parcels
from tests.service.depot import Depot
from tests.service.runners import Runner, new_runner, register


@pytest.fixture
def case(live_depot: Depot) -> str:
    """A case in review, of the yellow release."""
    return live_depot.submit(live_depot.releases.yellow).case.id


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return new_runner(tmp_path)


def model_digest(depot: Depot) -> str:
    return load_release(depot.releases.yellow).artefacts[parcels.MODEL]


def about(digest: str, **changes: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": parcels.MODEL, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": SLSA,
        "predicate": PROVENANCE,
        **changes,
    }


def written(path: Path, content: Any) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def refused(depot: Depot, case: str, *files: Path, person: str = "nora") -> GuiderailError:
    """The error, after making sure that nothing was kept."""
    before = depot.event_types(), evidence_document(depot.acting(), case)
    with pytest.raises(GuiderailError) as caught:
        attach(depot.acting(person), case, files)
    assert (depot.event_types(), evidence_document(depot.acting(), case)) == before
    assert caught.value.advice
    return caught.value


def test_provenance_that_a_registered_key_signed_is_verified(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "builder", "evidence")
    content = runner.sign(about(model_digest(live_depot)))
    file = written(tmp_path / "provenance.intoto.json", content)

    _, (added,) = attach(live_depot.acting(), case, [file])

    assert (added.kind, added.known_by, added.signer) == ("provenance", "verified", "builder")
    assert live_depot.acting().blobs.read(sha256_digest(content)) == content
    (row,) = evidence_document(live_depot.acting(), case, predicate_type=SLSA)["evidence"]
    assert (row["about"], row["signer"]) == ([model_digest(live_depot)], "builder")
    assert live_depot.event_types()[-1] == "evidence.added"
    event = show_case(live_depot.acting(), case).events[-1].sentence
    assert "added provenance provenance.intoto.json" in event
    assert event.endswith("it is verified.")


def test_evidence_is_found_by_what_it_is_about_and_its_type(
    live_depot: Depot, case: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "x.json", about(model_digest(live_depot)))
    attach(live_depot.acting(), case, [file])
    look = live_depot.acting()
    found = evidence_document(look, None, about=model_digest(live_depot), predicate_type=SLSA)
    assert [row["case"] for row in found["evidence"]] == [case]
    assert evidence_document(look, None, about=MODEL)["evidence"] == []


def test_an_unknown_or_missing_signature_is_only_a_claim(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    said = about(model_digest(live_depot))
    signed = written(tmp_path / "signed.json", runner.sign(said))
    bare = written(tmp_path / "bare.json", said)

    _, added = attach(live_depot.acting(), case, [signed, bare])

    assert [one.words for one in added] == ["signed by somebody unknown", "not signed"]
    assert {one.known_by for one in added} == {"declared"}


def test_a_removed_or_ended_key_is_somebody_unknown(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "gone", "evidence")
    remove(live_depot.acting("adam"), "gone", "the laptop was stolen")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    other = new_runner(tmp_path, "other")
    register(live_depot, other, "ending", "evidence", until=tomorrow)
    said = about(model_digest(live_depot))
    files = [written(tmp_path / f"{n}.json", one.sign(said)) for n, one in
             (("a", runner), ("b", other))]  # fmt: skip

    _, (removed,) = attach(live_depot.acting(), case, files[:1])
    live_depot.clock.days = 3
    _, (ended,) = attach(live_depot.acting(), case, files[1:])

    assert (removed.words, ended.words) == ("signed by somebody unknown",) * 2


def test_reports_and_a_list_of_components_are_bound_by_their_statement_or_their_digests(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "scanner", "evidence")
    bom = json.loads(json.dumps(CYCLONEDX).replace(MODEL[7:], model_digest(live_depot)[7:]))
    copied = shutil.copytree(live_depot.releases.yellow, tmp_path / "copy")
    bind_reports(copied, key=runner.path)

    _, added = attach(
        live_depot.acting(), case,
        [copied / "scan.sarif", copied / "tests.xml", written(tmp_path / "bom.json", bom)],
    )  # fmt: skip

    assert [(one.kind, one.known_by) for one in added] == [
        ("sarif", "verified"), ("junit", "verified"), ("sbom", "declared"),
    ]  # fmt: skip
    assert [one.predicate_type for one in added[:2]] == [SARIF, JUNIT]
    kept = evidence_document(live_depot.acting(), case)["evidence"]
    assert sum(row["name"] == "binding" for row in kept) == 2
    again = live_depot.releases.yellow / "tests.xml"
    assert refused(live_depot, case, again).code == "evidence/twice"


def test_a_report_that_names_no_release_or_another_one_is_refused(
    live_depot: Depot, case: str, tmp_path: Path
) -> None:
    alone = shutil.copy(live_depot.releases.yellow / "tests.xml", tmp_path / "tests.xml")
    assert refused(live_depot, case, Path(alone)).code == "evidence/unbound"
    other = live_depot.releases.green / "tests.xml"
    assert refused(live_depot, case, other).code == "evidence/other-subject"


def test_a_report_that_changed_after_it_was_bound_is_refused(
    live_depot: Depot, case: str, tmp_path: Path
) -> None:
    copied = shutil.copytree(live_depot.releases.yellow, tmp_path / "copy")
    text = (copied / "tests.xml").read_text().replace("test_it_answers", "test_it_dances")
    (copied / "tests.xml").write_text(text)
    error = refused(live_depot, case, copied / "tests.xml")
    assert error.code == "evidence/tampered"
    assert "tests.xml" in str(error.place)


def test_tampered_evidence_is_refused(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "builder", "evidence")
    envelope = json.loads(runner.sign(about(model_digest(live_depot))))
    other = json.loads(
        runner.sign(about(model_digest(live_depot), predicate={**PROVENANCE, "x": 1}))
    )
    envelope["payload"] = other["payload"]
    error = refused(live_depot, case, written(tmp_path / "x.json", envelope))
    assert error.code == "evidence/tampered"


def test_evidence_about_another_release_is_refused(
    live_depot: Depot, case: str, tmp_path: Path
) -> None:
    other = load_release(live_depot.releases.red).digest
    for name, content in (("a.json", about(other)), ("b.json", about(MODEL))):
        error = refused(live_depot, case, written(tmp_path / name, content))
        assert error.code == "evidence/other-subject"


def test_the_same_file_twice_is_refused_and_one_bad_file_keeps_out_all(
    live_depot: Depot, case: str, tmp_path: Path
) -> None:
    good = written(tmp_path / "good.json", about(model_digest(live_depot)))
    bad = written(tmp_path / "bad.json", b"{")
    assert refused(live_depot, case, good, bad).code == "evidence/unreadable"
    assert refused(live_depot, case, good, good).code == "evidence/twice"
    attach(live_depot.acting(), case, [good])
    assert refused(live_depot, case, good).code == "evidence/twice"
    assert refused(live_depot, case, tmp_path / "none.json").code == "evidence/missing"


def test_a_case_that_ended_takes_nothing_more(live_depot: Depot, case: str, tmp_path: Path) -> None:
    withdraw(live_depot.acting(), case)
    file = written(tmp_path / "x.json", about(model_digest(live_depot)))
    assert refused(live_depot, case, file).code == "evidence/ended"


def test_the_audit_pack_holds_what_was_attached_and_verifies(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "builder", "evidence")
    verdict = about(model_digest(live_depot),
                    predicateType="https://slsa.dev/verification_summary/v1")  # fmt: skip
    simple = about(
        model_digest(live_depot), predicateType="https://in-toto.io/attestation/svr/v0.1"
    )
    files = [
        written(tmp_path / f"{number}.json", runner.sign(one))
        for number, one in enumerate((about(model_digest(live_depot)), verdict, simple))
    ]
    attach(live_depot.acting(), case, files)

    made = export(live_depot.acting(), tmp_path / "pack")

    assert made["problems"] == []
    assert verify_pack(tmp_path / "pack").ok
    for file in files:
        name = sha256_digest(file.read_bytes())[7:]
        assert (tmp_path / "pack" / "evidence" / name).read_bytes() == file.read_bytes()


def test_a_model_signature_of_openssf_is_kept_with_the_release_it_signs(
    live_depot: Depot, case: str
) -> None:
    here = Path(__file__).parents[1] / "facts" / "outside"
    add_key(live_depot.acting("adam"), "modeller", (here / "model.pub").read_bytes(), "evidence")
    error = refused(live_depot, case, here / "model.sig")
    assert error.code == "evidence/other-subject"
    assert MODEL_SIGNATURE


def test_only_an_administrator_registers_and_removes(live_depot: Depot, runner: Runner) -> None:
    for act in (
        lambda: add_key(live_depot.acting("nora"), "mine", runner.pem, "runner"),
        lambda: remove(live_depot.acting("gina"), "mine", "no reason"),
    ):
        with pytest.raises(GuiderailError) as caught:
            act()
        assert caught.value.code == "authz/signer"


def test_a_name_or_key_is_registered_once_and_can_come_back(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "one")
    for other, name in ((new_runner(tmp_path, "b"), "one"), (runner, "two")):
        with pytest.raises(GuiderailError) as caught:
            register(live_depot, other, name)
        assert caught.value.code == "signer/twice"
    remove(live_depot.acting("adam"), "one", "rebuilt")
    register(live_depot, new_runner(tmp_path, "c"), "one")
    assert live_depot.event_types()[-3:] == ["signer.added", "signer.removed", "signer.added"]


@pytest.mark.tampers
def test_a_registry_whose_key_was_changed_in_the_database_is_damage(
    live_depot: Depot, case: str, runner: Runner, tmp_path: Path
) -> None:
    from guiderail.store import tables

    register(live_depot, runner, "builder", "evidence")
    with live_depot.acting().store.transaction() as tx:
        tx.execute(tables.signer.update().values(material="nonsense"))
    file = written(tmp_path / "x.json", runner.sign(about(model_digest(live_depot))))
    assert refused(live_depot, case, file).code == "signer/broken"
