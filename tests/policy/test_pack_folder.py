"""What is read of a pack directory: regular files of the pack itself, and not too much of them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from guiderail.policy import pack_folder
from guiderail.policy.pack_folder import LARGEST_FILE, read_folder
from guiderail.policy.problems import check_pack_directory
from tests.policy.seven_files import FILES, write_small_pack

TODAY = date(2026, 11, 23)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small_pack(tmp_path / "small")


def told(directory: Path) -> list[str]:
    """Every problem as `file: message hint`, the file below the pack."""
    return [
        f"{problem.place.file.removeprefix(f'{directory}/')}: {problem.message} {problem.hint}"
        for problem in check_pack_directory(directory, today=TODAY).problems
    ]


def test_a_whole_pack_is_read_in_the_order_of_its_names(small: Path) -> None:
    folder = read_folder(small)
    assert folder.problems == []
    assert sorted(folder.files) == list(folder.files) == sorted(FILES)
    assert folder.files["pack.yaml"] == FILES["pack.yaml"].encode()
    assert told(small) == []


def test_a_folder_whose_name_is_misspelt_does_not_silently_hold_nothing(small: Path) -> None:
    (small / "tracks").rename(small / "track")
    assert "track: track is no part of a pack: nothing reads it. Did you mean tracks?" in told(
        small
    )


@pytest.mark.parametrize("name", ["packs.yaml", "pack.yml", "limits.yaml"])
def test_a_yaml_file_that_nothing_reads_is_a_problem(small: Path, name: str) -> None:
    (small / name).write_text("id: small\n", "utf-8")
    assert any(one.startswith(f"{name}: {name} is no part of a pack") for one in told(small))


def test_a_readme_and_hidden_files_may_stand_beside_the_pack(small: Path) -> None:
    (small / "README.md").write_text("Ours.\n", "utf-8")
    (small / ".git").mkdir()
    assert told(small) == []


@pytest.mark.parametrize("name", ["cost.yml", "cost.yaml.bak", "cost.py", "cost.yaml~"])
def test_what_is_no_yaml_in_a_section_is_a_problem(small: Path, name: str) -> None:
    (small / "gates" / name).write_text("id: cost\n", "utf-8")
    assert told(small) == [
        f"gates/{name}: {name} is not a .yaml file. A pack holds data only: move it elsewhere."
    ]


def test_the_name_of_a_file_is_ascii(small: Path) -> None:
    (small / "gates" / "t\u0435sted.yaml").write_text(FILES["gates/tested.yaml"], "utf-8")
    (one,) = told(small)
    assert "`\u0435` is CYRILLIC SMALL LETTER IE. Write `e`." in one


def test_a_named_pipe_is_refused_and_not_waited_for(small: Path) -> None:
    os.mkfifo(small / "gates" / "pipe.yaml")
    assert told(small) == [
        "gates/pipe.yaml: This is not a regular file. A pack holds text files only: remove it."
    ]


def test_a_directory_with_the_name_of_a_file_is_refused(small: Path) -> None:
    (small / "gates" / "folder.yaml").mkdir()
    assert told(small) == [
        "gates/folder.yaml: This is not a regular file. A pack holds text files only: remove it."
    ]


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/hostname", "../elsewhere.yaml"])
def test_a_link_out_of_the_pack_is_refused_without_reading_it(small: Path, target: str) -> None:
    (small.parent / "elsewhere.yaml").write_text(FILES["gates/tested.yaml"], "utf-8")
    (small / "gates" / "link.yaml").symlink_to(
        target if target.startswith("/") else small.parent / "elsewhere.yaml"
    )
    (one,) = told(small)
    assert one.startswith("gates/link.yaml: The link leads out of the pack.")


def test_a_folder_that_is_a_link_out_of_the_pack_gives_nothing(small: Path) -> None:
    elsewhere = small.parent / "elsewhere"
    (small / "gates").rename(elsewhere)
    (small / "gates").symlink_to(elsewhere)
    assert any(one.startswith("gates: The link leads out of the pack.") for one in told(small))


def test_links_inside_the_pack_are_followed(small: Path) -> None:
    (small / "gates" / "tested.yaml").rename(small / ".tested")
    (small / "gates" / "tested.yaml").symlink_to("../.tested")
    assert told(small) == []


@pytest.mark.parametrize("target", ["nowhere.yaml", "loop.yaml"])
def test_a_link_that_leads_nowhere_or_to_itself_is_refused(small: Path, target: str) -> None:
    (small / "gates" / "loop.yaml").symlink_to(target)
    (one,) = told(small)
    assert one.startswith("gates/loop.yaml: The file cannot be read:")


def test_a_file_that_is_too_large_is_refused_without_reading_it(small: Path) -> None:
    with (small / "gates" / "huge.yaml").open("wb") as stream:
        stream.truncate(1 << 34)
    assert told(small) == [
        f"gates/huge.yaml: The file is larger than {LARGEST_FILE} bytes. Split the rule, or keep "
        "long texts elsewhere."
    ]


def test_the_number_of_files_and_their_size_together_are_limited(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (small / "gates" / f"g{number}.yaml").write_text("", "utf-8")
    monkeypatch.setattr(pack_folder, "MOST_FILES", 8)
    assert any("The pack has more than 8 files." in one for one in told(small))
    monkeypatch.undo()
    monkeypatch.setattr(pack_folder, "LARGEST_PACK", 1000)
    assert any("larger than 1000 bytes together" in one for one in told(small))


def test_a_directory_with_endless_entries_is_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_folder, "MOST_FILES", 20)
    for number in range(30):
        (small / "gates" / f"g{number}.yaml").write_text("", "utf-8")
    assert any("The directory has more than 20 entries." in one for one in told(small))


HIDING: list[tuple[str, str, str, str]] = [
    ("a comment", "# all safe \u200b\n", "", "tiers/regulated.yaml:1:12"),
    ("a sentence", "sentence: An", "sentence: An\u200d", "tiers/regulated.yaml:9:13"),
    ("an escape", "sentence: An authority looks at this use, in the field of {use.domain}.",
     'sentence: "An authority \\u202e looks"', "tiers/regulated.yaml:9:11"),
    ("an escape sequence of a terminal",
     "sentence: An authority looks at this use, in the field of {use.domain}.",
     'sentence: "An \\x1b[2J authority"', "tiers/regulated.yaml:9:11"),
    ("a letter of two characters", "sentence: An", "sentence: Cafe\u0301 An",
     "tiers/regulated.yaml:9:14"),
    ("a key", "because:", "b\u0435cause:", "tiers/regulated.yaml:10:2"),
    ("a role", "owner: compliance", "owner: c\u043empliance", "tiers/regulated.yaml:3:9"),
    ("an id", "id: regulated", "id: regul\u0430ted", "tiers/regulated.yaml:1:10"),
    ("a day in other digits", '"2026-11-01"', '"\uff12026-11-01"', "tiers/regulated.yaml:4:9"),
    ("a word of a list", "by: design", "by: d\u0435sign", "tiers/regulated.yaml:11:6"),
    ("a fact in an expression", "use.regulated\n  ||", "us\u0435.regulated\n  ||",
     "tiers/regulated.yaml:7:5"),
    ("a literal in an expression", '["credit"', '["cr\u0435dit"', "tiers/regulated.yaml:8:24"),
    ("a fact in a sentence", "{use.domain}.", "{use.d\u043emain}.", "tiers/regulated.yaml:9:65"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "place"), [row[1:] for row in HIDING], ids=[row[0] for row in HIDING]
)
def test_what_hides_or_looks_like_something_else_is_refused_at_its_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    text = FILES["tiers/regulated.yaml"]
    text = old + text if not new else text.replace(old, new, 1)
    assert text != FILES["tiers/regulated.yaml"]
    directory = write_small_pack(tmp_path / "small", tiers__regulated=text)
    places = [str(one.place) for one in check_pack_directory(directory, today=TODAY).problems]
    assert f"{directory}/{place}" in places


def test_prose_may_hold_letters_of_any_script(tmp_path: Path) -> None:
    text = FILES["tiers/regulated.yaml"].replace("An authority", "Eine Behörde (監督 – “BaFin”)")
    assert told(write_small_pack(tmp_path / "small", tiers__regulated=text)) == []
