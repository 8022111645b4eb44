"""Own facts of an organisation: declared in the manifest and typed, or unknown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, Value
from guiderail.manifest.load import load_release
from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.service.own_facts import with_own_facts
from tests.policy.test_layers import FACT, RULE
from tests.service.parcels import Releases


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack with facts of its own, one of each type."""
    folder = tmp_path_factory.mktemp("packs") / "ours"
    for name in ("facts", "tracks"):
        (folder / name).mkdir(parents=True)
    (folder / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n",
        "utf-8",
    )
    (folder / "tracks" / "poor-vendor.yaml").write_text(RULE, "utf-8")
    (folder / "facts" / "our.vendor_rating.yaml").write_text(FACT, "utf-8")
    for kind in ("bool", "integer", "number", "text", "set"):
        text = FACT.replace("our.vendor_rating", f"our.{kind}").replace(
            "type: enum", f"type: {kind}"
        )
        text = text.replace("values: [good, fair, poor]\n", "")
        text = text.replace("risk_direction: up", "risk_direction: none")
        (folder / "facts" / f"our.{kind}.yaml").write_text(text, "utf-8")
    return load_pack_directory(folder)


def declaring(releases: Releases, folder: Path, facts: str, pack: Pack) -> dict[str, Fact]:
    shutil.copytree(releases.first, folder)
    manifest = folder / "guiderail.yaml"
    manifest.write_text(f"{manifest.read_text('utf-8')}\nfacts:\n{facts}", "utf-8")
    return with_own_facts({}, load_release(folder), pack)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("our.vendor_rating", "fair", "fair"),
        ("our.bool", "true", True),
        ("our.integer", "3", 3),
        ("our.number", "2.5", 2.5),
        ("our.number", "2", 2.0),
        ("our.text", '"as it is"', "as it is"),
        ("our.set", "[b, a, b]", ("a", "b")),
    ],
)
def test_a_declared_value_is_typed_and_names_its_line(
    parcel_releases: Releases, tmp_path: Path, pack: Pack, name: str, written: str, value: Value
) -> None:
    facts = declaring(parcel_releases, tmp_path / "release", f"  {name}: {written}\n", pack)
    assert facts[name].value == value
    assert type(facts[name].value) is type(value)
    assert facts[name].known_by is KnownBy.DECLARED
    assert "guiderail.yaml:" in facts[name].source


def test_what_is_not_declared_is_unknown(parcel_releases: Releases, pack: Pack) -> None:
    facts = with_own_facts({}, load_release(parcel_releases.first), pack)
    assert set(facts) == set(pack.vocabulary.own)
    assert all(isinstance(fact.value, Unknown) for fact in facts.values())


@pytest.mark.parametrize(
    ("written", "code", "advice"),
    [
        ("our.vendor_rating: excellent", "manifest/own-fact-value", "guiderail explain"),
        ("our.bool: 'yes'", "manifest/own-fact-value", "guiderail explain"),
        ("our.integer: true", "manifest/own-fact-value", "guiderail explain"),
        ("our.vendor_ratin: fair", "manifest/unknown-own-fact", "Did you mean our.vendor_rating?"),
        ("use.domain: other", "manifest/unknown-own-fact", "Facts of its own"),
    ],
)
def test_a_claim_that_nobody_could_read_is_refused(
    parcel_releases: Releases, tmp_path: Path, pack: Pack, written: str, code: str, advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        declaring(parcel_releases, tmp_path / "release", f"  {written}\n", pack)
    assert caught.value.code == code
    assert caught.value.place is not None
    assert caught.value.place.line is not None
    assert advice in caught.value.advice


def test_what_is_known_already_stays(parcel_releases: Releases, pack: Pack) -> None:
    measured = Fact("change.flips", Interval(1.0, 0.5, 1.5), "both versions", KnownBy.MEASURED)
    facts = with_own_facts({measured.name: measured}, load_release(parcel_releases.first), pack)
    assert facts["change.flips"] is measured


def test_a_release_without_own_facts_keeps_its_digest(
    parcel_releases: Releases, tmp_path: Path
) -> None:
    plain = load_release(parcel_releases.first)
    assert "facts" not in plain.canonical
    shutil.copytree(parcel_releases.first, tmp_path / "release")
    manifest = tmp_path / "release" / "guiderail.yaml"
    manifest.write_text(f"{manifest.read_text('utf-8')}\nfacts: {{}}\n", "utf-8")
    assert load_release(tmp_path / "release").digest == plain.digest
    manifest.write_text(f"{manifest.read_text('utf-8').replace('{}', '{our.bool: true}')}", "utf-8")
    assert load_release(tmp_path / "release").digest != plain.digest
