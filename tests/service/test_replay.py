"""Replays of real cases from a real store: other packs, incidents, tampering."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from guiderail.core.digest import canonical_json
from guiderail.core.errors import InputError, IntegrityError
from guiderail.core.time import to_text
from guiderail.policy import load_pack, load_pack_directory
from guiderail.policy.diff import diff_packs
from guiderail.service import replay_parts as replay_parts_module
from guiderail.service.packs import compare, pack_named, pack_that_decided
from guiderail.service.replay import as_decided_document, replay_document_of
from guiderail.service.replay_parts import replay_parts
from guiderail.service.roll_back import roll_back
from guiderail.store import tables
from tests.policy.diff.packs import edited, own_pack, shipped
from tests.service.depot import WORKLOAD, Depot

DIGEST = load_pack("model").digest


def replayed(depot: Depot, pack: str | Path, **options: Any) -> dict[str, Any]:
    options = {"since": None, "every": False} | options
    return replay_document_of(depot.acting(), str(pack), **options)


def stricter(folder: Path) -> Path:
    """Every release that is not the first one is red."""
    rule = shipped("tracks/high-risk-use.yaml").replace('tier >= "high"', "baseline.exists")
    rule = rule.replace("id: high-risk-use", "id: every-change")
    return own_pack(folder / "ours", tracks__every_change=rule)


def test_under_the_pack_that_decided_nothing_changes(two_versions: Depot) -> None:
    document = replayed(two_versions, "model")
    assert (document["n"], document["changed"], document["not_replayable"]) == (2, 0, 0)
    assert document["reviewer_hours_delta"] == 0
    assert document["reviewer_hours"]["per_reviewer"] == {"green": 0.0, "yellow": 0.5, "red": 4.0}
    assert document["deviating"] == []


def test_a_stricter_pack_says_which_cases_it_would_have_stopped_and_why(
    two_versions: Depot, tmp_path: Path
) -> None:
    document = replayed(two_versions, stricter(tmp_path))
    assert document["n"] == 2
    assert list(document["by_transition"].values()) == [document["changed"]] == [1]
    (row,) = document["cases"]
    assert (row["case"], row["workload"], row["version"], row["to"]) == (
        "case-0002",
        WORKLOAD,
        "v2",
        "red",
    )
    assert row["heavier"]
    assert row["only_new"] == ["every-change"]
    assert row["because"].endswith(".")
    assert document["reviewer_hours_delta"] > 0


def test_a_fact_that_was_never_recorded_is_named(two_versions: Depot, tmp_path: Path) -> None:
    fact = (
        "id: our.vendor\ntype: bool\nsays: the vendor is certified\nsource: register\nhow: looked "
        "up\nowner: risk-officer\nrisk_direction: down\ncan_change: evidence\nkinds: [model]\n"
    )
    rule = shipped("tracks/high-risk-use.yaml").replace('tier >= "high"', "!our.vendor")
    rule = rule.replace("id: high-risk-use", "id: vendor")
    folder = own_pack(tmp_path / "ours", tracks__vendor=rule)
    (folder / "facts").mkdir()
    (folder / "facts" / "our.vendor.yaml").write_text(fact, "utf-8")
    document = replayed(two_versions, folder)
    assert (document["n"], document["not_replayable"]) == (0, 2)
    assert document["not_replayable_cases"][0] == {
        "case": "case-0001",
        "reason": "missing: our.vendor",
    }


def test_a_release_that_was_taken_back_is_an_incident(two_versions: Depot, tmp_path: Path) -> None:
    roll_back(two_versions.acting(), WORKLOAD)
    document = replayed(two_versions, stricter(tmp_path))
    assert document["incidents"] == {"n": 1, "heavier": ["case-0002"], "lighter": []}
    assert document["cases"][0]["incident"].startswith("it was taken back on ")


def test_a_signal_belongs_to_the_release_that_was_live_when_it_was_opened(
    two_versions: Depot, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with two_versions.acting().store.transaction() as tx:
        tx.execute(
            insert(tables.watch_signal).values(
                workload=WORKLOAD, kind="drift", opened_at=to_text(now + timedelta(hours=1))
            )
        )
        tx.execute(
            insert(tables.watch_signal).values(
                workload=WORKLOAD, kind="drift", opened_at=to_text(now - timedelta(days=30))
            )
        )
    document = replayed(two_versions, stricter(tmp_path))
    assert document["incidents"]["heavier"] == ["case-0002"]
    assert "a signal (drift)" in document["cases"][0]["incident"]
    assert document["incidents"]["n"] == 1


def test_since_leaves_older_decisions_out_and_all_brings_replaced_ones_in(
    two_versions: Depot,
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert replayed(two_versions, "model", since=tomorrow)["n"] == 0
    assert replayed(two_versions, "model", since="2026-01-01")["n"] == 2
    assert replayed(two_versions, "model", every=True)["n"] > 2
    with pytest.raises(InputError):
        replayed(two_versions, "model", since="yesterday")


def test_every_recorded_decision_is_what_its_pack_gives(two_versions: Depot) -> None:
    document = as_decided_document(two_versions.acting(), since=None)
    assert document["n"] >= 2
    assert document["deviating"] == []


@pytest.mark.tampers
def test_a_changed_decision_is_found(two_versions: Depot) -> None:
    dossier = two_versions.dossier("case-0002")
    other = json.loads(json.dumps(dict(dossier.decision)))
    other["track"]["value"] = "red"
    with two_versions.acting().store.transaction() as tx:
        tx.execute(
            update(tables.dossier)
            .where(tables.dossier.c.digest == dossier.digest)
            .values(decision=canonical_json(other))
        )
    (row,) = as_decided_document(two_versions.acting(), since=None)["deviating"]
    assert row["case"] == "case-0002"
    assert "is not the one that was decided on" in row["sentence"]


@pytest.mark.tampers
def test_a_track_that_was_rewritten_consistently_is_still_not_what_the_facts_give(
    two_versions: Depot,
) -> None:
    dossier = two_versions.dossier("case-0002")
    facts = json.loads(json.dumps(dict(dossier.facts)))
    facts["use.regulated"]["value"] = True
    forged = replace(dossier, facts=facts)
    with two_versions.acting().store.transaction() as tx:
        tx.execute(
            update(tables.dossier)
            .where(tables.dossier.c.digest == dossier.digest)
            .values(**forged.columns())
        )
    (row,) = as_decided_document(two_versions.acting(), since=None)["deviating"]
    assert "tier low is recorded, high is what the facts give" in row["sentence"]


@pytest.mark.tampers
def test_a_pack_that_was_changed_in_the_store_decides_nothing(two_versions: Depot) -> None:
    tree = json.loads(json.dumps(load_pack("model").tree))
    tree["tracks"] = tree["tracks"][:2]
    with two_versions.acting().store.transaction() as tx:
        tx.execute(update(tables.pack).values(compiled=canonical_json(tree)))
    with two_versions.acting().store.read() as snapshot, pytest.raises(IntegrityError):
        pack_that_decided(snapshot, DIGEST)
    rows = as_decided_document(two_versions.acting(), since=None)["deviating"]
    assert rows
    assert all("is not the one that decided" in row["sentence"] for row in rows)
    document = replayed(two_versions, "model")
    assert (document["n"], document["not_replayable"]) == (0, 2)


def test_a_pack_is_named_by_name_directory_or_digest(two_versions: Depot, tmp_path: Path) -> None:
    workspace = two_versions.acting()
    edited(tmp_path, ("tracks/architecture.yaml", "raises_to: red", "raises_to: yellow"))
    assert pack_named(DIGEST, workspace).digest == DIGEST
    found = compare(DIGEST, str(tmp_path / "model"), (), workspace)
    assert [change.direction for change in found.changes] == ["lighter"]
    with pytest.raises(InputError, match="No decision of this workspace"):
        pack_named(f"sha256:{'0' * 64}", workspace)
    with pytest.raises(InputError) as caught:
        pack_named(DIGEST, None)
    assert caught.value.code == "workspace/none"
    with pytest.raises(InputError) as caught:
        compare("model", "model", ("app",), workspace)
    assert caught.value.code == "policy/other-kind"


def test_a_stored_pack_decides_without_its_words(two_versions: Depot, tmp_path: Path) -> None:
    with two_versions.acting().store.read() as snapshot:
        stored = pack_that_decided(snapshot, DIGEST)
    assert stored.digest == DIGEST
    edited(tmp_path, ("tracks/architecture.yaml", "raises_to: red", "raises_to: yellow"))
    (change,) = diff_packs(stored, load_pack_directory(tmp_path / "model")).changes
    assert change.direction == "lighter"


def test_several_processes_find_what_one_finds(
    two_versions: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of one case each, so that every process has some; the order stays that of the cases."""
    pack = pack_named(str(stricter(tmp_path)), two_versions.acting())
    workspace = two_versions.acting()
    alone = replay_parts(workspace, pack, None, True)
    monkeypatch.setattr(replay_parts_module, "_PART", 1)
    monkeypatch.setattr(replay_parts_module, "usable_processors", lambda: 3)
    assert replay_parts(workspace, pack, None, True, few=0) == alone
    assert alone.result.n > 2
    assert alone.result.moved


def test_what_an_ended_process_did_not_answer_is_asked_here(
    two_versions: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helpers cannot even open the database that they are told: none of them answers."""
    workspace = two_versions.acting()
    pack = load_pack("model")
    alone = replay_parts(workspace, pack, None, False)
    monkeypatch.setattr(replay_parts_module, "_PART", 1)
    monkeypatch.setattr(replay_parts_module, "usable_processors", lambda: 2)
    elsewhere = replace(workspace, home=workspace.home / "people.yaml")
    elsewhere.__dict__["store"] = workspace.store
    assert replay_parts(elsewhere, pack, None, False, few=0) == alone
