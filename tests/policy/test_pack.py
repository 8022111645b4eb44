"""Packs: the compiled form, its digests, what the warm path imports, and dates."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guiderail.core.digest import json_digest
from guiderail.core.errors import InputError, IntegrityError
from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.policy import pack as pack_module
from guiderail.policy.pack import COMPILED_FILE, SHIPPED, compiled_text

PACKS = sorted(path.parent.name for path in SHIPPED.glob("*/pack.yaml"))


def copy_of(tmp_path: Path, name: str = "model") -> Path:
    for each in PACKS:
        shutil.copytree(SHIPPED / each, tmp_path / each)
    return tmp_path / name


def edited(directory: Path, file: str, old: str, new: str) -> Pack:
    path = directory / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return load_pack_directory(directory)


def test_there_are_a_baseline_and_a_pack_for_each_kind() -> None:
    assert PACKS == ["app", "baseline", "model", "pipeline"]


@pytest.mark.parametrize("name", ["app", "model", "pipeline"])
def test_a_pack_decides_about_the_kind_of_its_name_and_says_who_looks_and_how_long(
    name: str,
) -> None:
    pack = load_pack(name)
    assert pack.kinds == (name,)
    assert pack.tree["reviewers"]["green"] == []
    assert set(pack.tree["targets_hours"]) == {"green", "yellow", "red"}
    assert pack.tree["targets_hours"]["red"] == 24
    assert set(pack.texts["expected_wait"]) == {"green", "yellow", "red"}
    for track in ("yellow", "red"):
        assert set(pack.tree["reviewers"][track]) <= set(pack.texts["roles"])


def test_every_number_that_a_rule_compares_with_has_a_name() -> None:
    """Counting from zero aside, a limit stands in pack.yaml and nowhere else."""
    for name in PACKS:
        named = {abs(float(value)) for value in load_pack(name).texts["limits"].values()}
        pending: list[object] = list(load_pack(name).tree.values())
        while pending:
            match pending.pop():
                case {"compare": _, "right": {"number": str(text)}}:
                    assert abs(float(text)) in named | {0.0}, (name, text)
                case dict() as part:
                    pending.extend(part.values())
                case list() as parts:
                    pending.extend(parts)


@pytest.mark.parametrize("name", PACKS)
def test_the_compiled_form_is_in_step_with_the_files(name: str) -> None:
    fresh = compiled_text(load_pack_directory(SHIPPED / name))
    assert (SHIPPED / name / COMPILED_FILE).read_text("utf-8") == fresh


def test_both_ways_of_loading_give_the_same_pack() -> None:
    slow, quick = load_pack_directory(SHIPPED / "model"), load_pack("model")
    assert (slow.digest, slow.texts_digest) == (quick.digest, quick.texts_digest)
    assert quick.digest == json_digest(quick.tree)
    assert json.loads(json.dumps(slow.tree)) == quick.tree


def test_comments_order_of_keys_and_layout_do_not_change_the_pack(tmp_path: Path) -> None:
    before = load_pack("model")
    directory = copy_of(tmp_path)
    rule = directory / "tracks" / "architecture.yaml"
    rule.write_text("# A comment.\n\n" + rule.read_text("utf-8"), "utf-8")
    after = edited(
        directory,
        "tracks/architecture.yaml",
        "baseline.exists && change.architecture",
        "(baseline.exists\n    && (change.architecture))",
    )
    assert (after.digest, after.texts_digest) == (before.digest, before.texts_digest)


def test_another_wording_changes_the_texts_and_not_the_policy(tmp_path: Path) -> None:
    before = load_pack("model")
    after = edited(copy_of(tmp_path), "tracks/architecture.yaml", "Tuning alone", "Only tuning")
    assert after.digest == before.digest
    assert after.texts_digest != before.texts_digest


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tracks/performance-medium.yaml", "low <= -limit.performance_yellow", "low <= -6"),
        ("pack.yaml", "performance_yellow: 5", "performance_yellow: 6"),
        ("tracks/architecture.yaml", "raises_to: red", "raises_to: yellow"),
        ("gates/fairness.yaml", "from_tier: medium", "from_tier: high"),
        ("gates/proxies.yaml", "waivable_by: [fair-lending]", "waivable_by: []"),
        ("pack.yaml", "change: measured", "change: verified"),
        ("tiers/pricing.yaml", 'since: "2026-11-01"', 'since: "2026-12-01"'),
    ],
)
def test_whatever_can_change_a_decision_changes_the_digest(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    assert edited(copy_of(tmp_path), file, old, new).digest != load_pack("model").digest


def test_a_rule_counts_from_its_first_day_and_no_more_on_its_last(tmp_path: Path) -> None:
    ended = 'since: "2026-11-01"\nuntil: "2026-12-01"'
    pack = edited(copy_of(tmp_path), "tiers/pricing.yaml", 'since: "2026-11-01"', ended)

    def rules(day: int, month: int = 11) -> set[str]:
        book = pack.rulebook("model", datetime(2026, month, day, tzinfo=UTC))
        return {rule.id for rule in book.tiers}

    assert "pricing" in rules(1)
    assert "pricing" in rules(30)
    assert "pricing" not in rules(1, 12)
    assert rules(30) - rules(1, 12) == {"pricing"}


def test_an_own_pack_extends_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "ours"
    (own / "tracks").mkdir(parents=True)
    (own / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n"
        "expected_wait:\n  red: a week\n",
        "utf-8",
    )
    rule = (SHIPPED / "model" / "tracks" / "features-removed.yaml").read_text("utf-8")
    rule = rule.replace("id: features-removed", "id: tuning-changed")
    rule = rule.replace("change.removed_features > 0", "change.tuning")
    (own / "tracks" / "tuning-changed.yaml").write_text(rule, "utf-8")
    pack = load_pack_directory(own)
    model = load_pack("model")
    ids = {part["id"] for part in pack.tree["tracks"]}
    assert ids == {part["id"] for part in model.tree["tracks"]} | {"tuning-changed"}
    assert pack.texts["expected_wait"]["red"] == "a week"
    assert pack.texts["expected_wait"]["yellow"] == model.texts["expected_wait"]["yellow"]


def test_other_names_and_other_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("modal", "../model", ""):
        with pytest.raises(InputError) as caught:
            load_pack(name)
        assert caught.value.advice.startswith("Packs: app, baseline, model, pipeline.")
    copy_of(tmp_path)
    compiled = tmp_path / "model" / COMPILED_FILE
    compiled.write_text(compiled.read_text("utf-8").replace('"-5"', '"-6"', 1), "utf-8")
    monkeypatch.setattr(pack_module, "SHIPPED", tmp_path)
    with pytest.raises(IntegrityError, match="not the one that was shipped"):
        load_pack("model")


HEAVY = ("lark", "yaml", "pydantic", "numpy", "scipy", "duckdb", "sqlalchemy", "pandas", "sklearn")


def test_the_warm_path_imports_neither_yaml_nor_grammar_nor_anything_heavy() -> None:
    program = (
        "import sys\n"
        "from datetime import datetime, timezone\n"
        "from guiderail.core.errors import Place\n"
        "from guiderail.policy import decide, load_pack\n"
        "at = datetime(2026, 11, 23, tzinfo=timezone.utc)\n"
        "place = lambda key: Place('guiderail.yaml')\n"
        "decide(load_pack('model'), {}, kind='model', at=at, place=place)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_packs_hold_data_only() -> None:
    suffixes = {path.suffix for path in SHIPPED.rglob("*") if path.is_file()}
    assert suffixes == {".yaml", ".json"}
