"""Changing the policy: who decides, from when, and what stays in force whatever goes wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import insert

from guiderail.attest.activation import sign_activation
from guiderail.attest.keys import Keyring, read_kept, read_trusted
from guiderail.core.digest import Digest
from guiderail.core.errors import (
    ConflictError,
    GuiderailError,
    InputError,
    IntegrityError,
)
from guiderail.core.time import to_text
from guiderail.ledger.read import entries
from guiderail.ledger.verify import verify
from guiderail.policy import Pack, load_pack
from guiderail.policy.pack import compiled_text
from guiderail.policy.problem import PackError
from guiderail.review.policy_change import owners_to_ask
from guiderail.service.policy_change import decide_change, propose, withdraw_change
from guiderail.service.policy_in_force import pack_for, recorded_pack
from guiderail.service.policy_status import policy_status, show_change
from guiderail.service.set_up import create
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail_verify.activation import Activation
from tests.service.depot import Shifted
from tests.service.own_pack import write_own_pack

_PEOPLE: dict[str, list[str]] = {
    "ann": [],
    "gina": ["ml-governance-analyst"],
    "gustav": ["ml-governance-analyst"],
    "emil": ["ml-platform-engineer"],
    "both": ["ml-governance-analyst", "ml-platform-engineer"],
    "rita": ["risk-officer"],
    "adam": ["administrator", "ml-governance-analyst"],
    "lapsed": ["ml-governance-analyst"],
}


@dataclass(frozen=True, slots=True)
class Office:
    """A workspace whose policy is changed, and a pack of its own beside it."""

    root: Path
    clock: Shifted

    def acting(self, person: str = "ann") -> Workspace:
        return Workspace(self.root / ".guiderail", True, person, self.clock)

    @property
    def today(self) -> str:
        return self.clock().date().isoformat()

    def day(self, days: int) -> str:
        return (self.clock().date() + timedelta(days=days)).isoformat()

    def write(self, effective: str = "", **more: str) -> str:
        """The directory of an own pack; it takes effect today."""
        return str(write_own_pack(self.root / "ours", effective or self.today, **more))

    def propose(self, name: str, person: str = "ann", **more: Any) -> str:
        return propose(self.acting(person), name, reason="Removed features surprised us", **more).id

    def approve(self, change: str, *people: str) -> None:
        for person in people:
            decide_change(self.acting(person), change, "approve")

    def in_force(self, moment: datetime | None = None) -> Pack:
        """The pack in force, which the file and the store must agree about."""
        place, now = self.acting(), moment or self.clock()
        with place.store.read() as snapshot:
            stored = recorded_pack(snapshot, place, "model", now)
        quick = pack_for(place, "model", now)
        assert quick.digest == stored.digest
        return stored

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        with self.acting().store.read() as snapshot:
            return [(entry.type, dict(entry.payload or {})) for entry in entries(snapshot)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    until = (datetime.now(UTC).date() + timedelta(days=400)).isoformat()
    past = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    rows = [
        {
            "id": person,
            "name": person.title(),
            "roles": roles,
            "git_emails": [f"{person}@example.org"],
            "competence": [
                {"role": role, "kinds": ["model"], "until": past if person == "lapsed" else until}
                for role in roles
                if role != "administrator"
            ],
        }
        for person, roles in _PEOPLE.items()
    ]
    clock = Shifted()
    people = yaml.safe_dump({"people": rows})
    create(tmp_path, demo=True, people=people, features="features: []\n", clock=clock)
    return Office(tmp_path, clock)


MODEL = load_pack("model")


def refusal(action: Callable[[], object]) -> GuiderailError:
    with pytest.raises(GuiderailError) as caught:
        action()
    return caught.value


def test_a_new_workspace_signs_that_the_shipped_packs_are_in_force(office: Office) -> None:
    assert office.in_force().digest == MODEL.digest
    document = policy_status(office.acting())
    assert "model" in [row["kind"] for row in document["in_force"]]
    assert document["refused"] == []
    assert document["changes"] == []


def test_a_change_is_in_force_once_the_owners_of_what_changes_approved_it(office: Office) -> None:
    change = office.propose(office.write())
    needs = {row["role"]: row["because"] for row in show_change(office.acting(), change)["needs"]}
    assert needs["ml-platform-engineer"] == ["features-removed"]
    assert "effective_from" in needs["ml-governance-analyst"]
    office.approve(change, "emil")
    assert office.in_force().digest == MODEL.digest
    office.approve(change, "gina")
    pack = office.in_force()
    assert pack.id == "ours"
    types = [name for name, _ in office.events()]
    assert types[-4:] == [
        "policy.proposed",
        "policy.reviewed",
        "policy.reviewed",
        "policy.activated",
    ]
    payload = office.events()[-1][1]
    assert payload["digest"] == pack.digest
    assert payload["replaces"] == {"model": MODEL.digest}
    home = office.acting().home
    report = verify(office.acting().store, read_trusted(home), kept=read_kept(home))
    assert report.problems == ()


def test_a_decision_is_made_under_the_pack_of_its_day(office: Office) -> None:
    before = office.clock()
    office.approve(office.propose(office.write()), "emil", "gina")
    assert office.in_force().id == "ours"
    assert office.in_force(before).id == "model"


@pytest.mark.parametrize(
    ("person", "rule"),
    [
        ("ann", "authz/own-work"),
        ("adam", "authz/administrator"),
        ("lapsed", "authz/competence"),
        ("rita", "authz/role-not-needed"),
    ],
)
def test_nobody_decides_without_being_an_independent_trained_owner(
    office: Office, person: str, rule: str
) -> None:
    change = office.propose(office.write())
    error = refusal(lambda: decide_change(office.acting(person), change, "approve"))
    assert error.code == rule
    assert office.in_force().digest == MODEL.digest


def test_an_author_with_the_right_role_does_not_approve(office: Office) -> None:
    change = office.propose(office.write(), "gina")
    assert refusal(lambda: office.approve(change, "gina")).code == "authz/own-work"
    office.approve(change, "gustav", "emil")
    assert office.in_force().id == "ours"


def test_whoever_committed_to_the_pack_is_an_author(office: Office) -> None:
    folder = Path(office.write())
    git = shutil.which("git")
    assert git is not None
    identity = ["-c", "user.name=Gina", "-c", "user.email=gina@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "Our pack"]):
        subprocess.run([git, *command], cwd=folder, check=True)
    change = office.propose(str(folder))
    assert refusal(lambda: office.approve(change, "gina")).code == "authz/own-work"


def test_one_person_does_not_approve_in_two_roles(office: Office) -> None:
    change = office.propose(office.write())
    error = refusal(lambda: office.approve(change, "both"))
    assert error.code == "review/which-role"
    decide_change(office.acting("both"), change, "approve", role="ml-platform-engineer")
    error = refusal(
        lambda: decide_change(
            office.acting("both"), change, "approve", role="ml-governance-analyst"
        )
    )
    assert error.code == "authz/two-people"


def test_a_proposed_pack_has_no_say_in_who_owns_it(office: Office) -> None:
    change = office.propose(office.write(owner="risk-officer", part_owner="risk-officer"))
    needs = {row["role"] for row in show_change(office.acting(), change)["needs"]}
    assert needs == {"ml-governance-analyst", "ml-platform-engineer"}
    assert refusal(lambda: office.approve(change, "rita")).code == "authz/role-not-needed"


def test_owners_of_parts_that_are_added_dropped_or_reworded_are_asked() -> None:
    texts = json.loads(json.dumps(MODEL.texts))
    texts["parts"]["cost"]["page"]["why"] = "Another reason."
    reworded = Pack(MODEL.tree, texts, MODEL.digest, Digest(f"sha256:{'1' * 64}"))
    assert owners_to_ask(MODEL, reworded) == {
        "ml-governance-analyst": (),
        "finance-owner": ("cost",),
    }
    del texts["parts"]["cost"]
    assert owners_to_ask(MODEL, reworded)["finance-owner"] == ("cost",)
    assert owners_to_ask(reworded, MODEL)["finance-owner"] == ("cost",)


def test_a_pack_with_problems_is_refused_with_its_place(office: Office) -> None:
    folder = Path(office.write())
    rule = folder / "tracks" / "features-removed.yaml"
    rule.write_text(rule.read_text("utf-8").replace("removed_features > 0", "remvd_features > 0"))
    with pytest.raises(PackError) as caught:
        office.propose(str(folder))
    assert str(caught.value.place).endswith("features-removed.yaml:8:22")
    assert "Did you mean change.removed_features?" in caught.value.advice
    assert office.in_force().digest == MODEL.digest
    assert policy_status(office.acting())["changes"] == []


def test_a_policy_never_takes_effect_backwards(office: Office) -> None:
    folder = office.write(effective=office.day(-1))
    error = refusal(lambda: office.propose(folder))
    assert error.code == "policy/effective-date"
    assert str(error.place).endswith("pack.yaml:4:17")
    assert refusal(lambda: office.propose(folder, effective=office.day(-1))).place is None
    office.propose(folder, effective=office.today)


def test_a_day_before_the_one_the_pack_names_is_refused(office: Office) -> None:
    folder = office.write(effective=office.day(5))
    error = refusal(lambda: office.propose(folder, effective=office.today))
    assert "which is after" in error.what


def test_an_approved_change_waits_for_its_day(office: Office) -> None:
    change = office.propose(office.write(effective=office.day(3)))
    office.approve(change, "emil", "gina")
    assert office.in_force().digest == MODEL.digest
    (coming,) = policy_status(office.acting())["scheduled"]
    assert coming["change"] == change
    assert office.in_force(office.clock() + timedelta(days=3)).id == "ours"
    office.clock.days = 3
    assert office.in_force().id == "ours"
    error = refusal(lambda: withdraw_change(office.acting(), change))
    assert error.code == "policy/in-force"


def test_a_change_can_be_withdrawn_before_its_day(office: Office) -> None:
    change = office.propose(office.write(effective=office.day(3)))
    office.approve(change, "emil", "gina")
    assert refusal(lambda: withdraw_change(office.acting("rita"), change)).code == "authz/not-yours"
    withdraw_change(office.acting("gustav"), change, reason="Not yet")
    assert office.in_force(office.clock() + timedelta(days=3)).digest == MODEL.digest
    assert office.events()[-1][0] == "policy.withdrawn"


def test_a_rejected_change_changes_nothing_and_says_why(office: Office) -> None:
    change = office.propose(office.write())
    assert refusal(lambda: decide_change(office.acting("gina"), change, "reject")).code == (
        "review/reason"
    )
    decide_change(office.acting("gina"), change, "reject", reason="Too strict")
    assert show_change(office.acting(), change)["state"] == "rejected"
    assert refusal(lambda: office.approve(change, "emil")).code == "policy/closed-change"
    assert office.in_force().digest == MODEL.digest


def test_one_change_at_a_time(office: Office) -> None:
    change = office.propose(office.write(effective=office.day(2)))
    assert refusal(lambda: office.propose(office.write())).code == "policy/open-change"
    office.approve(change, "emil", "gina")
    assert refusal(lambda: office.propose(office.write())).code == "policy/scheduled-change"


def test_what_is_in_force_already_is_not_proposed_again(office: Office) -> None:
    assert refusal(lambda: office.propose("model")).code == "policy/unchanged"


def test_going_back_is_a_change_like_any_other(office: Office) -> None:
    office.approve(office.propose(office.write()), "emil", "gina")
    back = office.propose(MODEL.digest)
    assert office.in_force().id == "ours"
    office.approve(back, "emil", "gina")
    assert office.in_force().digest == MODEL.digest
    with pytest.raises(InputError, match="was ever in force here"):
        office.propose(f"sha256:{'0' * 64}")


def unsigned(office: Office, pack: Pack, keyring: Keyring | None) -> bytes:
    """An activation that this workspace did not sign: by another key, or by none at all."""
    place = office.acting()
    compiled = place.blobs.put_bytes(compiled_text(pack).encode())
    activation = Activation("model", pack.id, pack.version, pack.digest, pack.texts_digest,
                            compiled, office.clock(), MODEL.digest, "change-0007")  # fmt: skip
    if keyring is not None:
        return sign_activation(activation, keyring)
    envelope = json.loads(sign_activation(activation, place.keyring))
    return json.dumps(envelope | {"signatures": []}).encode()


@pytest.mark.parametrize("signed_by", ["nobody", "a stranger"])
@pytest.mark.parametrize("where", ["file", "store"])
def test_a_pack_signed_by_nobody_we_trust_decides_nothing(
    office: Office, tmp_path_factory: pytest.TempPathFactory, signed_by: str, where: str
) -> None:
    from guiderail.policy import load_pack_directory

    lighter = load_pack_directory(Path(office.write(raises_to="green")))
    stranger = (
        Keyring.open(tmp_path_factory.mktemp("stranger")) if "stranger" in signed_by else None
    )
    envelope = unsigned(office, lighter, stranger)
    place = office.acting()
    path = place.home / "policy" / "in-force.json"
    if where == "file":
        content = json.loads(path.read_text())
        content["activations"].append(json.loads(envelope))
        path.write_text(json.dumps(content))
    else:
        with place.store.transaction() as tx:
            tx.execute(
                insert(tables.policy_activation).values(
                    kind="model", effective_at=to_text(office.clock()), envelope=envelope
                )
            )
    assert office.in_force().digest == MODEL.digest
    (told,) = policy_status(office.acting())["refused"]
    assert ("in-force.json, entry" if where == "file" else "the store, activation") in told
    assert "It decides nothing." in told


def test_a_missing_or_damaged_pack_is_an_error_and_never_another_pack(office: Office) -> None:
    office.approve(office.propose(office.write()), "emil", "gina")
    place = office.acting()
    path = place.home / "policy" / "in-force.json"
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(IntegrityError, match="nobody can say which policy is in force"):
        pack_for(place, "model", office.clock())
    policy_status(place)
    assert path.read_bytes() == kept
    # Each process reads a pack once: another folder stands for another process.
    moved = office.root / "moved"
    (office.root / ".guiderail").rename(moved)
    other = Workspace(moved, True, "ann", office.clock)
    for blob in (moved / "blobs" / "sha256").glob("*/*"):
        blob.chmod(0o600)
        blob.write_bytes(blob.read_bytes().replace(b'"raises_to": "red"', b'"raises_to": "green"'))
    with pytest.raises(IntegrityError):
        pack_for(other, "model", office.clock())


def test_a_reason_is_needed(office: Office) -> None:
    with pytest.raises(InputError, match="needs a reason"):
        propose(office.acting(), office.write(), reason=" ")


def test_a_change_under_another_policy_than_it_was_compared_with_is_stale(office: Office) -> None:
    change = office.propose(office.write())
    with office.acting().store.transaction() as tx:
        tx.execute(tables.policy_change.update().values(replaces=json.dumps({"model": "sha256:x"})))
    with pytest.raises(ConflictError) as caught:
        office.approve(change, "emil")
    assert caught.value.code == "policy/stale-change"


def test_unknown_changes_are_refused(office: Office) -> None:
    with pytest.raises(InputError, match="there is no policy change change-0009"):
        show_change(office.acting(), "change-0009")
