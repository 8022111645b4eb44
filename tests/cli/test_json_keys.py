"""JSON keys: the contract of the command line. More keys may be added; these stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.service import parcels
from tests.service.depot import WORKLOAD, Depot

DECISION = "tier track gates findings lighter reviewers expected_wait policy"
CHECK = f"kind name digest {DECISION} facts"
REASON = "rule sentence facts page"
FACT_SHOWN = "name value source known_by"
GATE = "id verdict sentence needs waivable_by page"
FINDING = "rule severity sentence location fix page"
RATES = "selection_rate tpr fpr fnr ppv npv accuracy"


def has(document: Mapping[str, Any], keys: str) -> None:
    missing = set(keys.split()) - set(document)
    assert not missing, f"keys are missing: {sorted(missing)}"


def each(rows: Iterable[Mapping[str, Any]], keys: str) -> None:
    listed = list(rows)
    assert listed, f"no row to look for {keys} in"
    for row in listed:
        has(row, keys)


def decision_keys(document: Mapping[str, Any]) -> None:
    has(document, DECISION)
    has(document["tier"], "value reasons")
    has(document["track"], "value best_case reasons")
    each(document["tier"]["reasons"], REASON)
    each(document["gates"], GATE)
    has(document["policy"], "pack version digest")


@pytest.mark.parametrize("name", ["green", "yellow", "red", "tree", "blocked"])
def test_check(guiderail: Terminal, live: Depot, name: str) -> None:
    document = guiderail(f"check {getattr(live.releases, name)} --format json").json
    has(document, CHECK)
    decision_keys(document)
    each(document["facts"].values(), "value source known_by")
    if name not in ("green", "blocked"):
        each(document["track"]["reasons"], REASON)
        for reason in document["track"]["reasons"]:
            each(reason["facts"], FACT_SHOWN)
        each(document["lighter"], "to by actions rules")
        each(document["reviewers"], "role because")
    if document["findings"]:
        each(document["findings"], FINDING)
        each((finding["location"] for finding in document["findings"]), "file line column")


def test_submit_status_and_case_show(guiderail: Terminal, live: Depot) -> None:
    submitted = guiderail(f"submit {live.releases.red} --as nora --format json").json
    has(submitted, "case state waiting_for")
    assert submitted["waiting_for"] == ["ml-governance-analyst", "risk-officer"]
    shown = guiderail(f"case show {submitted['case']} --format json").json
    has(shown, "case state dossier_digest decision answers reviews permit events")
    decision_keys(shown["decision"])
    each(shown["events"], "seq at type sentence")
    assert guiderail(f"status {submitted['case']} --format json").json == shown
    listed = guiderail("status --format json").json
    each(listed["cases"], "case state waiting_for")
    each(listed["workloads"], "workload kind production rollout")
    reviewed = guiderail(f"review approve {submitted['case']} --as gina --format json").json
    has(reviewed, "case state waiting_for")
    each(reviewed["reviews"], "person role verdict reason conditions at dossier_digest counts")
    each(guiderail("review list --all --as gina --format json").json["cases"], "case state")
    withdrawn = guiderail(f"case withdraw {submitted['case']} --as nora --format json").json
    assert (withdrawn["state"], withdrawn["waiting_for"]) == ("withdrawn", [])


def test_deploy_rollout_and_rollback(guiderail: Terminal, live: Depot) -> None:
    case = live.submit(live.releases.green).case.id
    first = guiderail(f"deploy {case} --one-step --as nora --format json").json
    has(first, "permit steps state")
    assert (first["state"], first["percent"]) == ("rolling", 10)
    state = guiderail(f"rollout status {WORKLOAD} --format json").json
    assert state["workloads"][0]["rollout"]["percent"] == 10
    assert state["gateway"]["running"] is True
    has(guiderail(f"rollout pause {WORKLOAD} --as nora --format json").json, "state percent")
    has(guiderail(f"rollout advance {WORKLOAD} --as nora --format json").json, "state percent")
    has(guiderail(f"deploy {case} --as nora --format json").json, "permit steps state")
    planned = guiderail(f"rollback {WORKLOAD} --dry-run --as nora --format json").json
    has(planned, "from to to_version allowed contract sentences directions groups teams done")
    assert planned["done"] is False
    done = guiderail(f"rollback {WORKLOAD} --as nora --format json --yes").json
    has(done, "from to teams done seconds")
    assert done["done"] is True


def test_ledger_and_gate(guiderail: Terminal, live: Depot) -> None:
    verified = guiderail("ledger verify --format json").json
    has(verified, "size root checkpoint problems")
    assert verified["problems"] == []
    has(guiderail("ledger checkpoint --format json").json, "size checkpoint")
    exported = guiderail(f"ledger export {live.root / 'pack'} --format json").json
    has(exported, "size root checkpoint problems directory files cases scope")
    assert (exported["root"], exported["problems"]) == (verified["root"], [])
    entries = guiderail("ledger log --format json").json["entries"]
    each(entries, "seq at type subject subject_no outcome sentence")
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    assert len(guiderail("ledger log --limit 2 --format json").json["entries"]) == 2
    has(guiderail(f"gate {live.releases.first} --format json").json, "allowed reason permit")


def test_answer_and_confirm_use(guiderail: Terminal, live: Depot, tmp_path: Path) -> None:
    directory = parcels.variant(
        live.releases.green,
        tmp_path / "asking",
        {"use": {"affects_people": True, "decision": None}},
    )
    case = live.submit(directory).case.id
    answered = guiderail(f"answer {case} --set use.decision=none --as nora --format json").json
    has(answered, "case state waiting_for")
    assert answered["answers"]["use.decision"]["value"] == "none"
    confirmed = guiderail(f"review confirm-use {case} --as rita --format json").json
    assert confirmed["tier"] == "low"


@pytest.fixture
def decided(tmp_path: Path) -> Path:
    """A table of decisions of two versions, with labels, scores and two attributes."""
    import numpy as np
    import pandas as pd

    numbers = np.random.default_rng(7)
    n = 400
    frame = pd.DataFrame(
        {
            "old": numbers.random(n).round(3),
            "sex": numbers.choice(["f", "m"], n),
            "age": numbers.choice(["young", "older"], n),
        }
    )
    frame["new"] = (frame["old"] + numbers.normal(scale=0.05, size=n)).clip(0, 1).round(3)
    frame["label"] = (frame["old"] + numbers.normal(scale=0.3, size=n) > 0.5).astype(int)
    frame["decision"] = (frame["new"] > 0.5).astype(int)
    frame["before"] = (frame["old"] > 0.5).astype(int)
    path = tmp_path / "decided.csv"
    frame.to_csv(path, index=False)
    return path


def test_measure_performance(guiderail: Terminal, decided: Path) -> None:
    document = guiderail(
        f"measure performance {decided} --label label --score new --baseline-score old "
        "--metric roc_auc --format json"
    ).json
    has(document, "metric value low high delta n method")
    has(document["delta"], "value low high relative_pct")
    has(document["delta"]["relative_pct"], "value low high")


def test_measure_fairness(guiderail: Terminal, decided: Path) -> None:
    command = f"measure fairness {decided} --label label --prediction decision --by sex,age"
    document = guiderail(f"{command} --format json").json
    each(document["groups"], f"by n tn fp fn tp {RATES}")
    each(document["comparisons"], "metric group reference ratio difference low high verdict")
    single = guiderail(f"{command} --no-intersections --format json").json
    assert len(single["groups"]) < len(document["groups"])


def test_measure_drift(guiderail: Terminal, decided: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    command = f"measure drift {decided} {decided} --profile {profile} --format json"
    document = guiderail(command).json
    has(document, "columns profile_digest")
    each(
        document["columns"],
        "name type psi ks js wasserstein chi2 n_reference n_current",
    )
    assert guiderail(command).json == document
    assert json.loads(profile.read_text(encoding="utf-8"))


def test_measure_flips(guiderail: Terminal, decided: Path) -> None:
    document = guiderail(
        f"measure flips {decided} --old before --new decision --by sex --format json"
    ).json
    has(document, "n flips rate directions groups")
    has(document["rate"], "value low high")
    each(document["groups"], "by n flips")


def test_measure_fingerprint_columns_and_model(
    guiderail: Terminal, live: Depot, decided: Path
) -> None:
    has(
        guiderail(f"measure fingerprint {decided} --format json").json,
        "rows columns schema fingerprint",
    )
    found = guiderail(f"measure columns {decided} --format json").json["columns"]
    each(found, "name class kind confidence why")
    assert {row["name"] for row in found if row["class"] == "protected"} == {"sex", "age"}
    model = guiderail(f"measure model {live.releases.first / parcels.MODEL} --format json").json
    has(model, "format safe reasons inputs architecture tuning threshold")
    assert model["safe"] is True


def test_policy_eval_and_check(guiderail: Terminal, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"use.prohibited": False, "use.domain": "credit"}))
    decision_keys(guiderail(f"policy eval model --facts {facts} --format json").json)
    (tmp_path / "pack.yaml").write_text("id: ours\nversion: 1\n", encoding="utf-8")
    problems = guiderail(f"policy check {tmp_path} --format json").json["problems"]
    each(problems, "file line column message hint")


def test_explain_and_facts(guiderail: Terminal) -> None:
    has(
        guiderail("explain fairness --format json").json,
        "id what why good fix tools refs",
    )
    facts = guiderail("facts --kind model --format json").json["facts"]
    each(facts, "name type unit source risk_direction")


def test_init_and_evidence(guiderail: Terminal, live: Depot, tmp_path: Path) -> None:
    import shutil

    for name in (parcels.MODEL, "training.csv"):
        shutil.copyfile(live.releases.first / name, tmp_path / name)
    written = guiderail("init . --format json").json
    has(written, "written unknown")
    assert (tmp_path / "guiderail.yaml").is_file()
    again = guiderail("init .")
    assert again.code != 0
    assert "Traceback" not in again.err
    copied = parcels.copy(live.releases.first, tmp_path / "copied")
    bound = guiderail(f"evidence {copied} --format json").json
    has(bound, "release written missing")


def test_as_of_and_card(guiderail: Terminal, live: Depot) -> None:
    document = guiderail(f"as-of {live.clock().date()} --format json").json
    has(document, "at entries inventory cases policy people registers untold")
    each(document["inventory"], "workload release version share case tier track owner since")
    each(document["cases"], "id workload release tier track state submitter")
    each(document["policy"], "kind pack version digest effective_at change")
    each(document["people"], "person roles competence manager")
    has(guiderail("card case-0001 --format json").json, "case card")
    assert guiderail("card case-0001 --format cyclonedx").json["specVersion"] == "1.7"
