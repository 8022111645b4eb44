"""Bad input to the policy, one row each: refused with a place and advice, and nothing decides."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from guiderail.core.errors import InputError, Place, RefusedError
from guiderail.policy import decide, load_pack, load_pack_directory
from guiderail.policy.facts_file import read_facts
from guiderail.policy.problem import PackError
from guiderail.policy.problems import check_pack_directory
from tests.policy.seven_files import FILES, write_small_pack

TODAY = date(2026, 11, 23)
PACK, TIER, TRACK = FILES["pack.yaml"], FILES["tiers/regulated.yaml"], FILES["tracks/moved.yaml"]
GATE, QUESTION = FILES["gates/tested.yaml"], FILES["questions/q05-regulated.yaml"]

# what, file, its text, where, what is said and advised; compiled packs are refused as a whole.
REFUSED: list[tuple[str, str, str, str, str]] = [
    ("an example with a value that the fact never has", "gates/tested.yaml",
     GATE.replace("{tests.ran: 3, tests.failed: 1}", "{tests.ran: many, tests.failed: 1}"),
     "29:58", 'tests.ran cannot be "many". Write a whole number'),
    ("an unknown fact", "tiers/regulated.yaml", TIER.replace("use.regulated\n", "use.regulatd\n"),
     "7:3", "There is no fact use.regulatd. Did you mean use.regulated?"),
    ("an unknown fact in a list of absences", "gates/tested.yaml",
     GATE.replace("waivable_by", "may_be_absent: [tests.fail]\nwaivable_by"),
     "9:16", "There is no fact tests.fail. Did you mean tests.failed?"),
    ("an unknown limit", "tracks/moved.yaml", TRACK.replace("limit.moved\n", "limit.movd\n"),
     "7:31", "There is no limit movd. Did you mean moved?"),
    ("a member that the enum does not have", "tiers/regulated.yaml", TIER.replace('"law"', '"lav"'),
     "8:31", 'use.domain is never "lav". Did you mean law?'),
    ("a wrong type in an expression", "tracks/moved.yaml",
     TRACK.replace("change.flips.high > limit.moved", "use.regulated > 5"),
     "7:27", "Write for example use.regulated."),
    ("a wrong type of a value", "tiers/regulated.yaml", TIER.replace("by: design", "by: 3"),
     "11:5", "by cannot be this. Choices: evidence, design or no."),
    ("a text where a list belongs", "gates/tested.yaml",
     GATE.replace("waivable_by: [risk-officer]", "waivable_by: risk-officer"),
     "9:14", "waivable_by is not a list. Write [one, two]"),
    ("a number where text belongs", "tiers/regulated.yaml", TIER.replace("A regulated use", "7"),
     "2:8", "title is not text. Put it in quotes"),
    ("a tier that raises to a track", "tiers/regulated.yaml", TIER.replace("to: high", "to: red"),
     "5:12", "red is none of the tiers. Choices: low, medium, high, prohibited."),
    ("a track that raises to a tier", "tracks/moved.yaml", TRACK.replace("to: red", "to: high"),
     "9:16", "high is none of the tracks. Choices: green, yellow, red."),
    ("a rule without a condition", "tiers/regulated.yaml",
     re.sub(r"when: \|-\n(  .*\n)+", "", TIER),
     "1:1", "A rule has one condition, or levels, and not both. Write raises_to, when and"),
    ("an empty file", "gates/tested.yaml", "", "1:1", "The file is empty. Write at least one key."),
    ("an empty pack.yaml", "pack.yaml", "", "1:1", "The file is empty. Write at least one key."),
    ("a pack without reviewers", "pack.yaml",
     PACK.replace("red: [risk-officer, compliance]", "red: []"),
     "1:1", "Nobody reviews a red release. Name the roles: `reviewers: {red: [...]}`."),
    ("a track without its usual wait", "pack.yaml", PACK.replace(", red: some days", ""),
     "15:1", "expected_wait says nothing about red releases. Write one line for each track"),
    ("two rules with one id", "tracks/regulated.yaml", TRACK.replace("id: moved", "id: regulated"),
     "1:5", "The id regulated is used twice. Ids are the names of pages: give each part its own."),
    ("a cyclic extension", "pack.yaml",
     PACK.replace("kinds: [model]", "extends: small\nkinds: [model]"),
     "6:10", "The packs extend each other in a circle: small -> small. Let one of them"),
    ("an extension of nothing", "pack.yaml", PACK.replace("kinds:", "extends: modle\nkinds:"),
     "6:10", "There is no pack modle to extend here. A pack extends one that stands beside it"),
    ("an extension without a pin", "pack.yaml", PACK.replace("kinds:", "extends: model\nkinds:"),
     "6:10", "The pack extends model without saying which. Pin what you have read"),
    ("a day that no calendar has", "pack.yaml", PACK.replace("2026-11-01", "2026-02-30"),
     "4:17", "effective_from is not a day of the calendar. Correct it."),
    ("a day in another form", "pack.yaml", PACK.replace('"2026-11-01"', "next monday"),
     "4:17", "effective_from has another form. It must match"),
    ("a rule that ends before it begins", "tiers/regulated.yaml",
     TIER.replace("raises_to", 'until: "2026-10-01"\nraises_to'),
     "5:8", "It ends on 2026-10-01 and begins on 2026-11-01: it never holds."),
    ("a number that a float cannot hold", "pack.yaml", PACK.replace("moved: 5", "moved: 1e300"),
     "7:17", "less than or equal to"),
    ("a computed fact where it is not known yet", "tiers/regulated.yaml",
     TIER.replace("use.regulated\n", 'tier == "low"\n', 1),
     "7:3", "tier is not known yet where this rule decides."),
]  # fmt: skip

# The same for what compiles and must be corrected all the same before the pack comes into force.
LINT: list[tuple[str, str, str, str, str]] = [
    ("a mapping out of date", "tracks/moved.yaml",
     TRACK.replace('verified_on: "2026-11-01"', 'verified_on: "2026-05-01"'),
     "32:20", "Art. 1 was last looked up on 2026-05-01. Read the source again"),
    ("a clause that has ended", "tracks/moved.yaml",
     TRACK.replace("verified: true", 'valid_to: "2026-06-30"\n      verified: true'),
     "26:7", "Art. 1 ended on 2026-06-30. Write status: ended, and add what holds now"),
    ("a rule that ends before the pack begins", "tiers/regulated.yaml",
     TIER.replace('"2026-11-01"', '"2026-01-01"\nuntil: "2026-06-01"'),
     "5:8", "It ends on 2026-06-01; the pack holds from 2026-11-01. Remove it"),
    ("an owner that is no role", "gates/tested.yaml",
     GATE.replace("owner: risk-officer", "owner: risk-oficer"),
     "3:8", "There is no role risk-oficer. Did you mean risk-officer?"),
    ("a reviewer that is no role", "pack.yaml",
     PACK.replace("yellow: [risk-officer]", "yellow: [risk]"),
     "12:12", "There is no role risk. "),
    ("an added reviewer that is no role", "tracks/moved.yaml",
     TRACK.replace("adds_reviewers: [compliance]", "adds_reviewers: [complience]"),
     "16:22", "There is no role complience. Did you mean compliance?"),
    ("a waiver by nobody there is", "gates/tested.yaml",
     GATE.replace("waivable_by: [risk-officer]", "waivable_by: [auditor]"),
     "9:15", "There is no role auditor. Give it a title under `roles` in pack.yaml."),
    ("a prefix that no fact begins with", "pack.yaml",
     PACK.replace("change: measured", "chance: measured"),
     "9:3", "No fact begins with chance. Did you mean change?"),
    ("a manifest key that does not exist", "gates/tested.yaml",
     GATE.replace("where: evidence.tests", "where: evidence.test"),
     "10:8", "guiderail.yaml has no key evidence.test. Did you mean evidence.tests?"),
    ("a limit that nobody reads", "pack.yaml", PACK.replace("{moved: 5}", "{moved: 5, flipped: 3}"),
     "7:20", "No rule reads limit.flipped."),
    ("a question for another kind", "questions/q05-regulated.yaml",
     QUESTION.replace("fact:", "kinds: [app]\nfact:"),
     "5:1", "small decides nothing about workloads of kind app. Its kinds are model."),
    ("choices that miss an answer", "questions/q05-regulated.yaml",
     QUESTION.replace('  - {value: false, label: "No"}\n', ""),
     "10:3", "The choices are not the values of use.regulated. Offer each of: True, False."),
    ("a brace without its partner", "tiers/regulated.yaml",
     TIER.replace("{use.domain}.", "{use.domain."),
     "9:11", "`{` has no partner in this text."),
    ("a section without its end", "tracks/moved.yaml", TRACK.replace("}]]", "}"),
     "14:15", "`[[` has no partner in this text."),
    ("a fact in a text that is not filled in", "tracks/moved.yaml",
     TRACK.replace("title: It moved", "title: It moved by {change.flips}"),
     "2:8", "{change.flips} is not filled in here. Facts are filled into sentences only."),
    ("a because that the rule does not ask for", "tiers/regulated.yaml",
     TIER.replace("its field of use is {use.domain}", "it decides {use.decision}"),
     "10:10", "{use.decision} is not filled in here."),
    ("a gate without a failing example", "gates/tested.yaml",
     re.sub(r"  - \{name: one failed.*\n", "", GATE),
     "28:3", "No example shows the verdict fail. Add one: facts and the verdict they give."),
    ("an example that gives another verdict", "gates/tested.yaml",
     GATE.replace("tests.failed: 1}", "tests.failed: 0}"),
     "29:33", "For kind model the example one failed gives pass, not fail."),
    ("ids that look alike", "tracks/rnoved.yaml", TRACK.replace("id: moved", "id: rnoved"),
     "1:5", "The ids moved and rnoved are easily taken for one another."),
]  # fmt: skip


def damaged(tmp_path: Path, file: str, text: str) -> Path:
    assert text != FILES.get(file)
    return write_small_pack(
        tmp_path / "small", **{file.removesuffix(".yaml").replace("/", "__"): text}
    )


@pytest.mark.parametrize(
    ("file", "text", "place", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_input_is_refused_with_place_and_advice(
    tmp_path: Path, file: str, text: str, place: str, said: str
) -> None:
    directory = damaged(tmp_path, file, text)
    with pytest.raises(PackError) as caught:
        load_pack_directory(directory)
    assert caught.value.advice
    found = [(str(one.place), f"{one.message} {one.hint}") for one in caught.value.problems]
    assert any(at == f"{directory}/{file}:{place}" and said in told for at, told in found), found
    assert all(one.hint for one in caught.value.problems)


@pytest.mark.parametrize(
    ("file", "text", "place", "said"), [row[1:] for row in LINT], ids=[row[0] for row in LINT]
)
def test_what_leads_nowhere_is_found_before_it_decides(
    tmp_path: Path, file: str, text: str, place: str, said: str
) -> None:
    directory = damaged(tmp_path, file, text)
    checked = check_pack_directory(directory, today=TODAY)
    assert checked.pack is not None, checked.problems
    found = [(str(one.place), f"{one.message} {one.hint}") for one in checked.problems]
    assert any(at == f"{directory}/{file}:{place}" and said in told for at, told in found), found


def test_an_empty_directory_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        load_pack_directory(tmp_path)
    assert caught.value.what == "There is no pack.yaml here."
    assert str(caught.value.place) == f"{tmp_path}/pack.yaml"
    assert "Name the directory of a pack" in caught.value.advice


def test_a_pack_that_is_not_in_force_yet_does_not_decide(tmp_path: Path) -> None:
    directory = damaged(tmp_path, "pack.yaml", PACK.replace("2026-11-01", "2027-01-01"))
    pack = load_pack_directory(directory)
    with pytest.raises(RefusedError) as caught:
        decide(pack, {}, kind="model", at=datetime(2026, 11, 23, tzinfo=UTC),
               place=lambda _: Place("guiderail.yaml"))  # fmt: skip
    assert caught.value.code == "policy/not-in-force"
    assert "in force from 2027-01-01; the date asked for is 2026-11-23" in caught.value.what
    assert "Name a later date" in caught.value.advice


def test_a_pack_that_would_hold_before_the_one_it_extends_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2025-01-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n",
        "utf-8",
    )
    with pytest.raises(PackError) as caught:
        load_pack_directory(tmp_path)
    assert str(caught.value.place) == f"{tmp_path}/pack.yaml:4:17"
    assert "before model, which it extends, does: from 2026-11-01" in caught.value.what
    assert "Write that day or a later one." in caught.value.advice


def test_a_pin_that_is_missing_further_down_the_chain_is_found(tmp_path: Path) -> None:
    for name, extends in (("lower", "model"), ("upper", "lower")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.yaml").write_text(
            f"id: {name}\nversion: '1'\ntitle: T\neffective_from: '2026-11-01'\n"
            f"owner: risk-officer\nextends: {extends}\nkinds: [model]\n",
            "utf-8",
        )
    with pytest.raises(PackError) as caught:
        load_pack_directory(tmp_path / "upper")
    assert str(caught.value.place) == f"{tmp_path}/lower/pack.yaml:6:10"
    assert "extends model without saying which" in caught.value.what


def test_a_pack_that_drops_a_gate_with_examples_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: risk-officer\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n"
        "drops: {cost: Nothing costs anything here.}\n",
        "utf-8",
    )
    checked = check_pack_directory(tmp_path, today=TODAY)
    assert checked.problems == ()
    assert checked.pack is not None
    assert "cost" not in {gate["id"] for gate in checked.pack.tree["gates"]}


def test_a_fact_that_does_not_exist_and_one_of_another_type_stop_the_facts_file(
    tmp_path: Path,
) -> None:
    for text, said in (
        ('{"use.regulatd": true}', "There is no fact use.regulatd."),
        ('{"use.regulated": "yes"}', 'use.regulated cannot be "yes".'),
    ):
        file = tmp_path / "facts.json"
        file.write_text(text, "utf-8")
        with pytest.raises(InputError) as caught:
            read_facts(file)
        assert caught.value.what == said
        assert caught.value.advice
        assert str(caught.value.place) == str(file)
