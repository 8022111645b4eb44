"""The documents do what they say: recipes and the tutorial are followed to the letter."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import click
import pytest

from guiderail.cli.main import cli
from guiderail.core.scales import Verdict
from guiderail.policy.pack import load_pack, load_pack_directory
from guiderail.policy.pack_files import GateFile
from guiderail.policy.pack_reader import read_directory
from guiderail.policy.problems import example_verdict

ROOT = Path(__file__).resolve().parents[1]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PACK_RECIPE = ROOT / "docs" / "how-to" / "write-a-policy-pack.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
DECISIONS = ROOT / "docs" / "adr"
DOCUMENTS = sorted(
    page
    for pages in (
        ROOT.glob("*.md"),
        *((ROOT / folder).rglob("*.md") for folder in ("docs", "examples", "packages")),
    )
    for page in pages
    if "build" not in page.parts
)

FENCE = re.compile(
    r"(?:<!-- exit code (?P<code>\d+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. exit_code: what its commands must end with."""

    kind: str
    body: str
    exit_code: int


def blocks(text: str) -> list[Block]:
    return [
        Block(found["kind"], found["body"], int(found["code"] or 0))
        for found in FENCE.finditer(text)
    ]


def recipe() -> str:
    """The section of CONTRIBUTING.md that adds a gate."""
    return CONTRIBUTING.read_text("utf-8").split("## Add a gate in 20 minutes")[1].split("\n## ")[0]


def bash(
    script: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("bash")
    assert shell is not None, "the documents show commands for bash"
    return subprocess.run(
        [shell, "-e", "-o", "pipefail", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def clean_environment(home: Path) -> dict[str, str]:
    """What a new terminal has: no workspace, no settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": tools, "NO_COLOR": "1"}


def words(text: str) -> str:
    """Text without its line breaks, which depend on how long a digest or a number is."""
    return " ".join(text.split())


# --- Add a gate -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_the_gate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the source tree after the recipe was followed, and what its commands printed."""
    copy = tmp_path_factory.mktemp("checkout")
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "src", copy / "src", ignore=unwanted)
    environment = {**clean_environment(copy), "PYTHONPATH": str(copy / "src")}
    named = re.search(r"Create `(src/[^`]+\.yaml)`", recipe())
    assert named is not None
    printed = []
    for block in blocks(recipe()):
        if block.kind == "yaml":
            (copy / named[1]).write_text(block.body, "utf-8")
        elif block.kind == "json":
            (copy / "facts.json").write_text(block.body, "utf-8")
        elif block.kind == "sh":
            done = bash(block.body, copy, environment)
            assert done.returncode == block.exit_code, f"{block.body}\n{done.stdout}{done.stderr}"
            printed.append(done.stdout)
    return copy, "\n".join(printed)


def test_the_recipe_adds_a_gate_that_is_shown_and_decides(
    with_the_gate: tuple[Path, str],
) -> None:
    copy, printed = with_the_gate
    assert "The evaluation data are large enough to decide on" in printed
    assert "The evaluation data have 120 rows; intervals on them are wide." in words(printed)
    compiled = json.loads((copy / "src/guiderail/packs/model/compiled.json").read_text("utf-8"))
    assert "evaluation-size" in {gate["id"] for gate in compiled["tree"]["gates"]}


def test_every_example_of_the_new_gate_gives_its_verdict(with_the_gate: tuple[Path, str]) -> None:
    copy, _ = with_the_gate
    directory = copy / "src" / "guiderail" / "packs" / "model"
    pack = load_pack_directory(directory)
    gates = [
        source.part
        for sources in read_directory(directory).packs
        for source in sources.sections["gates"]
        if isinstance(source.part, GateFile) and source.part.id == "evaluation-size"
    ]
    assert len(gates) == 1
    verdicts = {
        example.name: example_verdict(gates[0], example, pack) for example in gates[0].examples
    }
    assert verdicts == {example.name: example.verdict for example in gates[0].examples}
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.FAIL, Verdict.INSUFFICIENT}


# --- Write a policy pack --------------------------------------------------------------------------


NAMED_FILE = re.compile(r"Create\s+`(policies/[^`]+)`:\s*$")


def test_the_policy_pack_recipe_works_and_prints_what_is_shown(tmp_path: Path) -> None:
    text = PACK_RECIPE.read_text("utf-8")
    environment = {**clean_environment(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    printed, end = "", 0
    for found in FENCE.finditer(text):
        before, end = text[end : found.start()], found.end()
        (block,) = blocks(found.group())
        named = NAMED_FILE.search(before)
        if block.kind == "yaml":
            assert named is not None
            file = tmp_path / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.body, "utf-8")
        elif block.kind == "json" and "`facts.json`" in before:
            (tmp_path / "facts.json").write_text(block.body, "utf-8")
        elif block.kind == "text":
            assert words(block.body) in words(printed), f"not printed: {block.body}\n{printed}"
        elif block.kind == "sh":
            done = bash(block.body, tmp_path, environment)
            printed = done.stdout + done.stderr
            assert done.returncode == block.exit_code, f"{block.body}\n{printed}"
    ours = load_pack_directory(tmp_path / "policies" / "ours").texts["overrides"]
    shipped = load_pack("model").texts["overrides"]
    assert ours == {**shipped, "features-removed": "model"}


# --- The tutorial ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_command_of_the_tutorial_works_and_prints_what_is_shown(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    environment = clean_environment(tmp_path)
    where, state = checkout, tmp_path / "where"
    printed = ""
    try:
        for block in blocks(TUTORIAL.read_text("utf-8")):
            if block.kind == "text":
                assert words(block.body) in words(printed), f"not printed: {block.body}\n{printed}"
                continue
            assert block.kind == "sh"
            done = bash(f"trap 'pwd > {state}' EXIT\n{block.body}", where, environment)
            printed = done.stdout + done.stderr
            assert done.returncode == block.exit_code, f"{block.body}\n{printed}"
            where = Path(state.read_text("utf-8").strip())
    finally:
        bash("guiderail serve stop || true", where, environment)
    assert where.name == "wine-lab"
    assert "The ledger verifies" in printed


# --- Reference ------------------------------------------------------------------------------------


def test_the_reference_pages_are_in_step_with_the_code() -> None:
    command = [sys.executable, str(ROOT / "docs" / "reference" / "write.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run python docs/reference/write.py: {done.stdout}{done.stderr}"


def commands_shown() -> Iterator[tuple[str, str]]:
    """Every `guiderail ...` line in a shell block, with the document that shows it.

    A line that ends in a backslash goes on in the next one.
    """
    for document in DOCUMENTS:
        for block in blocks(document.read_text("utf-8")):
            if block.kind == "sh":
                for line in re.sub(r"\\\n\s*", "", block.body).splitlines():
                    if line.startswith("guiderail "):
                        yield document.relative_to(ROOT).as_posix(), line


@pytest.mark.parametrize(("document", "line"), sorted(set(commands_shown())))
def test_every_command_that_a_document_shows_exists_with_its_options(
    document: str, line: str
) -> None:
    arguments = shlex.split(re.split(r" \|\|? ", line)[0])[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="guiderail")
    while isinstance(command, click.Group):
        name = arguments.pop(0)
        inner = command.get_command(context, name)
        assert inner is not None, f"{document}: there is no {name} in: {line}"
        command, context = inner, click.Context(inner, info_name=name, parent=context)
    known = {option for parameter in command.params for option in parameter.opts}
    own = list(takewhile(lambda argument: argument != "--", arguments))
    used = {argument.split("=")[0] for argument in own if argument.startswith("--")}
    assert used <= known, f"{document}: {line}"


# --- Links and decisions --------------------------------------------------------------------------


def anchors(document: Path) -> set[str]:
    """The names that a code host gives to the headings of a page."""
    text = FENCE.sub("", document.read_text("utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_inside_the_repository_lead_somewhere(document: Path) -> None:
    text = FENCE.sub("", document.read_text("utf-8"))
    for found in LINK.finditer(text):
        path, _, anchor = found["target"].partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{found['target']} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{found['target']} has no such heading"


def test_every_decision_is_complete_and_listed_once() -> None:
    index = (DECISIONS / "README.md").read_text("utf-8")
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(len(pages)))
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {page.name[:4]}: ")
        assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequence"]
        assert index.count(f"({page.name})") == 1


def test_the_make_verbs_of_the_contributing_page_are_those_of_the_makefile() -> None:
    verbs = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M))
    table = CONTRIBUTING.read_text("utf-8").split("## House rules")[0]
    assert set(re.findall(r"`make ([a-z]+)`", table)) == verbs


COMMAND_IN_A_PAGE = re.compile(r"(?<![\w/.])guiderail ((?:[a-z][a-z-]+ ?)+)")


def test_every_command_that_a_page_of_the_policy_names_exists() -> None:
    pages = sorted((ROOT / "src" / "guiderail" / "packs").rglob("*.yaml"))
    shown = [
        (page.stem, found[1].split())
        for page in pages
        for found in COMMAND_IN_A_PAGE.finditer(page.read_text("utf-8"))
    ]
    assert len(shown) > 20
    missing = [(page, names) for page, names in shown if not command_exists(names)]
    assert missing == []


def command_exists(names: list[str]) -> bool:
    """Whether the first words are a command; what follows a command are arguments or prose."""
    command: click.Command = cli
    context = click.Context(cli, info_name="guiderail")
    for name in names:
        if not isinstance(command, click.Group):
            return True
        inner = command.get_command(context, name)
        if inner is None:
            return False
        command = inner
    return True
