"""How facts come to be verified or attested, and every way in which they do not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from guiderail.core.digest import sha256_digest
from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy, Track
from guiderail.core.time import system_clock
from guiderail.facts.fact import Fact
from guiderail.review.states import State
from guiderail.service.attach import attach
from guiderail.service.audit_pack import export
from guiderail.service.check import Checked, check, evaluate
from guiderail.service.facts_statement import Vouched, baselines, with_vouched
from guiderail.service.packs import load_pack
from guiderail.service.runner import audience_of
from guiderail.service.signers import add_token, remove
from guiderail.service.submit import Submitted, submit
from guiderail_verify.audit import verify_pack
from tests.service.depot import Depot
from tests.service.runners import Runner, measure, new_runner, payload_of, register, stated

ISSUER, AUDIENCE = "https://gitlab.example.org", "guiderail.example.org"
CI_KEY = RSAKey.generate_key(2048, {"kid": "ci", "use": "sig"})
CLAIMS = {"project_path": "acme/parcels", "ref": "main"}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return new_runner(tmp_path)


def submitted(depot: Depot, directory: Path, facts: Path, token: Path | None = None) -> Submitted:
    return submit(directory, depot.acting(), facts=facts, token=token)


def refused(depot: Depot, directory: Path, facts: Path, token: Path | None = None) -> str:
    """The error's code, after making sure that no case was opened."""
    before = depot.event_types()
    with pytest.raises(GuiderailError) as caught:
        submitted(depot, directory, facts, token)
    assert depot.event_types() == before
    assert caught.value.advice
    return caught.value.code


def known_by(facts: dict[str, Fact] | Any) -> dict[str, str]:
    return {name: fact.known_by.value for name, fact in facts.items()}


def test_what_a_registered_runner_measured_is_verified(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.green
    file = measure(live_depot, release, runner, tmp_path / "facts.json")

    found = submitted(live_depot, release, file)

    fact = found.facts["tests.failed"]
    assert fact.known_by is KnownBy.VERIFIED
    assert fact.source == "tests.xml, measured by the trusted runner build-runner"
    assert fact.detail["vouched_by"] == {
        "signer": "build-runner", "statement": sha256_digest(file.read_bytes()),
    }  # fmt: skip
    assert found.facts["use.domain"].known_by is KnownBy.DECLARED
    assert "evidence.added" in live_depot.event_types()
    assert found.decision.track is Track.GREEN


def test_a_runner_believes_no_cache(live_depot: Depot, runner: Runner, tmp_path: Path) -> None:
    release, cache = live_depot.releases.green, live_depot.home / "cache"
    kept = shutil.copytree(cache, tmp_path / "cache", symlinks=False)
    cache.unlink()
    kept.rename(cache)
    check(release, live_depot.acting(), clock=live_depot.clock)
    for path in (cache / "facts").glob("*.json"):
        _, text = path.read_text().split("\n", 1)
        lie = re.sub(r'("name": ?"data.personal", ?"value": ?)false', r"\1true", text)
        path.write_text(f"{hashlib.sha256(lie.encode()).hexdigest()}\n{lie}")

    stale = measure(live_depot, release, runner, tmp_path / "stale.json")
    fresh = measure(live_depot, release, runner, tmp_path / "fresh.json", fresh=True)

    told = [
        payload_of(one.read_bytes())["predicate"]["facts"]["data.personal"]["value"]
        for one in (stale, fresh)
    ]
    assert told == [True, False]


def test_the_records_keep_who_vouches_and_the_audit_pack_verifies(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.yellow
    file = measure(live_depot, release, runner, tmp_path / "facts.json")
    case = submitted(live_depot, release, file).case

    stored = live_depot.dossier(case.id).facts["tests.failed"]
    assert stored["known_by"] == "verified"
    assert stored["detail"]["vouched_by"]["signer"] == "build-runner"
    assert export(live_depot.acting(), tmp_path / "pack")["problems"] == []
    audit = verify_pack(tmp_path / "pack")
    assert audit.ok
    (vouched,) = [one for one in audit.checks if one.id == "vouched"]
    assert vouched.looked_at > 10


def test_facts_that_are_attached_later_decide_the_case_again(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.yellow
    case = live_depot.submit(release).case
    file = measure(live_depot, release, runner, tmp_path / "facts.json")

    after, (added,) = attach(live_depot.acting(), case.id, [file])

    assert added.kind == "facts"
    assert after.dossier_digest != case.dossier_digest
    assert live_depot.dossier(case.id).facts["tests.failed"]["known_by"] == "verified"
    assert live_depot.event_types()[-2:] == ["evidence.added", "case.decided"]
    assert (after.track, after.state) == (case.track, State.IN_REVIEW)


def test_a_statement_without_a_signature_is_refused(live_depot: Depot, tmp_path: Path) -> None:
    file = measure(live_depot, live_depot.releases.green, None, tmp_path / "facts.json")
    assert refused(live_depot, live_depot.releases.green, file) == "facts/unknown-signer"


def test_an_unknown_or_removed_runner_vouches_for_nothing(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    release = live_depot.releases.green
    file = measure(live_depot, release, runner, tmp_path / "facts.json")
    assert refused(live_depot, release, file) == "facts/unknown-signer"
    register(live_depot, runner, "build-runner")
    remove(live_depot.acting("adam"), "build-runner", "rebuilt")
    assert refused(live_depot, release, file) == "facts/unknown-signer"


def test_a_key_that_is_registered_for_documents_vouches_for_no_facts(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "scanner", "evidence")
    release = live_depot.releases.green
    file = measure(live_depot, release, runner, tmp_path / "facts.json")
    assert refused(live_depot, release, file) == "facts/not-a-runner"


def test_a_forged_tampered_or_foreign_statement_is_refused(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.green
    content = measure(live_depot, release, runner, tmp_path / "facts.json").read_bytes()

    def given(value: Any) -> Path:
        return write(tmp_path / f"{secrets.token_hex(4)}.json", value)

    lighter = payload_of(content)
    lighter["predicate"]["facts"]["tests.failed"]["value"] = {"number": "0"}
    lighter["predicate"]["measuredAt"] = "2026-11-29T12:00:00.000001Z"
    tampered = json.loads(content)
    tampered["payload"] = base64.b64encode(json.dumps(lighter).encode()).decode()
    assert refused(live_depot, release, given(tampered)) == "evidence/tampered"

    stranger = new_runner(tmp_path, "stranger")
    forged = json.loads(stranger.sign(payload_of(content)))
    forged["signatures"][0]["keyid"] = json.loads(content)["signatures"][0]["keyid"]
    assert refused(live_depot, release, given(forged)) == "evidence/tampered"

    other = measure(live_depot, live_depot.releases.red, runner, tmp_path / "other.json")
    assert refused(live_depot, release, other) == "evidence/other-subject"

    for strange in (b"{}", b"nonsense", runner.sign(stated(release, {"x": 1})),
                    runner.sign({**stated(release, {}), "predicateType": "https://x.org/y"}),
                    runner.sign({**stated(release, {}), "predicate": {}})):  # fmt: skip
        assert refused(live_depot, release, given(strange)) == "facts/unreadable"


def write(path: Path, value: Any) -> Path:
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


@pytest.mark.parametrize(
    ("days", "code"), [(8, "facts/expired"), (-1, "facts/future")]
)  # fmt: skip
def test_an_old_statement_and_one_from_the_future_are_refused(
    live_depot: Depot, runner: Runner, tmp_path: Path, days: int, code: str
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.green
    live_depot.clock.days = max(0, -days)
    file = measure(live_depot, release, runner, tmp_path / "facts.json")
    live_depot.clock.days = max(0, days)
    assert refused(live_depot, release, file) == code


def test_a_system_of_record_attests_what_nobody_can_measure_here(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "git-host", "system-of-record")
    release = live_depot.releases.green
    said = stated(release, {"code.approvals": {"value": {"number": "2"}, "source": "pull 17"}})
    file = write(tmp_path / "record.json", runner.sign(said))

    fact = submitted(live_depot, release, file).facts["code.approvals"]

    assert (fact.value, fact.known_by) == (2, KnownBy.ATTESTED)
    assert fact.source == "pull 17, stated by the system of record git-host"


def test_a_runner_cannot_say_what_only_this_workspace_knows(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.yellow
    before = check(release, live_depot.acting(), clock=live_depot.clock).facts["use.confirmed"]
    lie = {"use.confirmed": {"value": not before.value, "source": "me", "known_by": "measured"}}
    file = write(tmp_path / "lie.json", runner.sign(stated(release, lie)))
    after = submitted(live_depot, release, file).facts["use.confirmed"]
    assert (after.value, after.known_by) == (before.value, before.known_by)


def test_what_was_said_about_a_change_holds_only_for_the_same_baselines(
    live_depot: Depot, runner: Runner, tmp_path: Path
) -> None:
    register(live_depot, runner, "build-runner")
    release = live_depot.releases.green
    payload = payload_of(measure(live_depot, release, runner, tmp_path / "facts.json").read_bytes())
    payload["predicate"]["comparedWith"]["production"] = "sha256:" + "00" * 32
    file = write(tmp_path / "stale.json", runner.sign(payload))

    facts = submitted(live_depot, release, file).facts

    assert facts["change.flips"].known_by is KnownBy.MEASURED
    assert facts["tests.failed"].known_by is KnownBy.VERIFIED


# --- Tokens of a CI -----------------------------------------------------------------------------


def add_ci(depot: Depot) -> None:
    jwks = json.dumps(KeySet([CI_KEY]).as_dict(private=False)).encode()
    add_token(depot.acting("adam"), "gitlab", issuer=ISSUER, audience=AUDIENCE, claims=CLAIMS,
              jwks=jwks)  # fmt: skip


def ci_token(folder: Path, audience: str, key: RSAKey = CI_KEY, **changes: Any) -> Path:
    now = int(system_clock().timestamp())
    claims = {"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300, **CLAIMS, **changes}
    path = folder / f"{secrets.token_hex(4)}.jwt"
    path.write_text(jwt.encode({"alg": "RS256", "kid": "ci"}, claims, key) + "\n")
    return path


def test_a_job_of_the_ci_vouches_with_a_token_for_this_statement(
    live_depot: Depot, tmp_path: Path
) -> None:
    add_ci(live_depot)
    release = live_depot.releases.green
    file = measure(live_depot, release, None, tmp_path / "facts.json")
    token = ci_token(tmp_path, audience_of(file, AUDIENCE))

    found = submitted(live_depot, release, file, token)

    fact = found.facts["tests.failed"]
    assert (fact.known_by, fact.detail["vouched_by"]["signer"]) == (KnownBy.VERIFIED, "gitlab")  # type: ignore[index]
    stored = json.loads(live_depot.acting().blobs.read(fact.detail["vouched_by"]["statement"]))  # type: ignore[index]
    assert stored["statement"].encode() == file.read_bytes()


def test_the_auditor_sees_that_the_ci_vouched(live_depot: Depot, tmp_path: Path) -> None:
    add_ci(live_depot)
    release = live_depot.releases.yellow
    file = measure(live_depot, release, None, tmp_path / "facts.json")
    submitted(live_depot, release, file, ci_token(tmp_path, audience_of(file, AUDIENCE)))
    assert export(live_depot.acting(), tmp_path / "pack")["problems"] == []


def test_a_token_is_no_good_for_another_release_or_another_time(
    live_depot: Depot, tmp_path: Path
) -> None:
    add_ci(live_depot)
    releases = live_depot.releases
    mine = measure(live_depot, releases.green, None, tmp_path / "mine.json")
    other = measure(live_depot, releases.red, None, tmp_path / "other.json")
    right = audience_of(mine, AUDIENCE)
    stranger = RSAKey.generate_key(2048, {"kid": "ci"})
    for token, code in (
        (ci_token(tmp_path, audience_of(other, AUDIENCE)), "token/audience"),
        (ci_token(tmp_path, AUDIENCE), "token/audience"),
        (ci_token(tmp_path, right, exp=1), "token/expired"),
        (ci_token(tmp_path, right, iss="https://evil.example.org"), "token/issuer"),
        (ci_token(tmp_path, right, project_path="mallory/parcels"), "token/claim"),
        (ci_token(tmp_path, right, stranger), "token/signature"),
    ):
        assert refused(live_depot, releases.green, mine, token) == code
    good = ci_token(tmp_path, right)
    assert refused(live_depot, releases.red, other, good) == "token/audience"
    assert refused(live_depot, releases.red, mine, good) == "evidence/other-subject"


def test_without_a_registered_ci_no_token_counts(live_depot: Depot, tmp_path: Path) -> None:
    file = measure(live_depot, live_depot.releases.green, None, tmp_path / "facts.json")
    token = ci_token(tmp_path, audience_of(file, AUDIENCE))
    assert refused(live_depot, live_depot.releases.green, file, token) == "token/nobody"


# --- The platform itself ------------------------------------------------------------------------


def test_the_platform_measures_its_own_copy_and_believes_no_report(live_depot: Depot) -> None:
    platform = replace(live_depot.acting(), is_platform=True)
    found = submit(live_depot.releases.green, platform)
    assert found.facts["model.file"].known_by is KnownBy.VERIFIED
    assert found.facts["model.file"].source.endswith(", by the platform")
    assert found.facts["tests.failed"].known_by is KnownBy.MEASURED
    assert found.decision.track is Track.GREEN


def test_on_the_authors_machine_nothing_is_better_than_measured(live_depot: Depot) -> None:
    found = live_depot.submit(live_depot.releases.green)
    assert KnownBy.VERIFIED not in {fact.known_by for fact in found.facts.values()}


# --- The law ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(live_template: Depot) -> list[Checked]:
    releases = live_template.releases
    return [
        check(one, live_template.acting(), clock=live_template.clock)
        for one in (releases.green, releases.yellow, releases.red)
    ]


@settings(max_examples=40)
@given(data=st.data())
def test_better_evidence_never_makes_heavier_and_weaker_never_lighter(
    measured: list[Checked], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(measured))
    level = st.sampled_from(list(KnownBy))
    weaker = {name: fact if fact.is_unknown else replace(fact, known_by=data.draw(level))
              for name, fact in one.facts.items()}  # fmt: skip
    some = data.draw(st.sets(st.sampled_from(sorted(weaker))))
    better = {
        name: replace(fact, known_by=max(fact.known_by, data.draw(level), key=lambda x: x.rank))
        if name in some and not fact.is_unknown
        else fact
        for name, fact in weaker.items()
    }
    pack = load_pack("model")
    low = evaluate(one.release, weaker, one.at, pack)
    high = evaluate(one.release, better, one.at, pack)
    assert high.track.rank <= low.track.rank
    assert high.tier.rank <= low.tier.rank
    assert {gate.id: gate.verdict for gate in high.gates} == {g.id: g.verdict for g in low.gates}


@settings(max_examples=40)
@given(data=st.data())
def test_a_runner_that_measured_the_same_never_makes_a_release_heavier(
    measured: list[Checked], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(measured))
    names = [name for name, fact in one.facts.items()
             if fact.known_by is KnownBy.MEASURED and not fact.is_unknown]  # fmt: skip
    said = data.draw(st.sets(st.sampled_from(sorted(names))))
    vouched = Vouched({name: one.facts[name] for name in said}, baselines(one.standing), one.at,
                      "runner", KnownBy.VERIFIED, sha256_digest(b"x"))  # fmt: skip
    merged = with_vouched(one.facts, vouched, one.standing, one.at)
    pack = load_pack("model")
    assert set(merged.taken) == said
    before = evaluate(one.release, one.facts, one.at, pack)
    after = evaluate(one.release, merged.facts, one.at, pack)
    assert after.track.rank <= before.track.rank
