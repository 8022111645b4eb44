"""Attaching evidence, registering signers and measuring as a runner, as typed and read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from guiderail.cli.main import BLOCKED, USAGE
from tests.attest.test_public_key import OPENSSL
from tests.cli.terminal import Terminal
from tests.service.depot import Depot

pytestmark = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")


def openssl(*arguments: str) -> None:
    subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """The private key of a runner; its public half lies beside it."""
    private = tmp_path / "runner.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(private))
    openssl("pkey", "-in", str(private), "-pubout", "-out", str(private.with_suffix(".pub")))
    return private


def test_a_runner_measures_and_its_facts_are_verified(
    guiderail: Terminal, live: Depot, runner: Path, tmp_path: Path
) -> None:
    public, facts = runner.with_suffix(".pub"), tmp_path / "facts.json"
    added = guiderail(f"signer add build-runner {public} --trust runner --as adam")
    assert added.code == 0
    assert "build-runner: facts it measured are verified; counts" in added.out

    said = guiderail(
        f"check {live.releases.yellow} --brief --attest {facts} --key {runner} --audience ours"
    )
    assert re.search(r"wrote .*facts\.json: \d+ facts, signed", said.err)
    assert re.search(r"audience: ours#sha256:[0-9a-f]{64}", said.err)
    checked = guiderail(f"check {live.releases.yellow} --facts {facts} --format json").json
    assert checked["facts"]["tests.failed"]["known_by"] == "verified"

    submitted = guiderail(
        f"submit {live.releases.yellow} --facts {facts} --no-deploy --as nora --format json"
    ).json
    assert submitted["facts"]["tests.failed"]["known_by"] == "verified"
    shown = guiderail(f"case show {submitted['case']}").out
    assert "Evidence" in shown
    assert re.search(r"facts +verified +by build-runner", shown)
    assert "added facts facts.json to case" in shown


def test_attach_and_list(guiderail: Terminal, live: Depot, tmp_path: Path) -> None:
    case = live.submit(live.releases.yellow).case
    provenance = tmp_path / "provenance.json"
    subject = {"name": "x", "digest": {"sha256": case.release_digest[7:]}}
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [subject],
        "predicateType": "https://example.org/looked-at/v1", "predicate": {},
    }  # fmt: skip
    provenance.write_text(json.dumps(statement))

    said = guiderail(f"attach {case.id} {provenance} --as nora")

    assert said.code == 0
    assert "not signed, so it is declared" in said.out.replace("\n ", "")
    assert f"{case.id} is in-review on the track yellow." in said.out
    rows = guiderail(f"case evidence {case.id} --format json").json["evidence"]
    assert {row["name"] for row in rows} >= {"security", "tests", "gates", "statement"}
    found = guiderail("case evidence --type https://example.org/looked-at/v1 --format json").json
    assert [row["about"] for row in found["evidence"]] == [[case.release_digest]]
    again = guiderail(f"attach {case.id} {provenance} --as nora")
    assert (again.code, "evidence/twice" in again.err) == (BLOCKED, True)


def test_what_is_no_evidence_or_no_signer_is_said_in_words(
    guiderail: Terminal, live: Depot, runner: Path, tmp_path: Path
) -> None:
    case = live.submit(live.releases.yellow).case.id
    (tmp_path / "junk.json").write_text("{}")
    (tmp_path / "jwks.json").write_text('{"keys": []}')
    issuer = "--issuer https://ci.example.org --audience ours"
    for line, code, says in (
        (f"attach {case} {tmp_path}/junk.json --as nora", USAGE, "evidence/unreadable"),
        (f"attach {case} {tmp_path}/none.json --as nora", USAGE, "evidence/missing"),
        (f"attach case-9999 {tmp_path}/junk.json --as nora", USAGE, "case/unknown"),
        (f"signer add x {runner} --as adam", USAGE, "signer/private-key"),
        (f"signer add x {runner.with_suffix('.pub')} --as nora", BLOCKED, "authz/signer"),
        (f"signer add x {runner.with_suffix('.pub')} --until soon --as adam", USAGE, "input/date"),
        (f"signer add-ci x {issuer} --jwks {tmp_path}/jwks.json --claim repository=a/b --as adam",
         USAGE, "signer/identity"),
        (f"signer add-ci x {issuer} --jwks {tmp_path}/jwks.json --claim oops --as adam",
         USAGE, "signer/claim"),
        ("signer remove nobody --reason gone --as adam", USAGE, "signer/unknown"),
        (f"submit {live.releases.green} --facts {tmp_path}/junk.json --as nora", USAGE,
         "facts/unreadable"),
        (f"check {live.releases.green} --attest {tmp_path}/f --key {tmp_path}/junk.json", USAGE,
         "runner/key"),
    ):  # fmt: skip
        said = guiderail(line)
        assert (said.code, says in said.err) == (code, True), (line, said.err)
        assert "Traceback" not in said.err


def test_nobody_is_registered_at_first(guiderail: Terminal, live: Depot) -> None:
    assert "Nobody is registered" in guiderail("signer list").out
    assert guiderail("signer list --format json").json == {"signers": []}
