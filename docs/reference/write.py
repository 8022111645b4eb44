"""Write the reference pages from the code: `python docs/reference/write.py`.

With `--check` nothing is written; the exit code is 1 when a page differs from the code.
"""

from __future__ import annotations

import json
import sys
import typing
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from guiderail.cli.main import cli
from guiderail.facts.catalogue import CATALOGUE
from guiderail.manifest.schema import AppManifest, ModelManifest, PipelineManifest
from guiderail.policy.pack import Pack, load_pack

KINDS = ("model", "app", "pipeline")
HERE = Path(__file__).resolve().parent
WRITTEN = "<!-- Written by docs/reference/write.py; edit the code, not this page. -->\n\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "`guiderail --help` and `guiderail COMMAND --help` print the same in the terminal.\n"
    with _context(cli, "guiderail", None) as context:
        yield from _command(cli, context)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """80 columns wide wherever the page is written."""
    return command.make_context(name, [], parent, resilient_parsing=True, terminal_width=80)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                with _context(inner, name, context) as below:
                    yield from _command(inner, below)
        return
    yield f"## {context.command_path}\n"
    yield f"```text\n{context.get_help().rstrip()}\n```\n"


def manifest() -> Iterator[str]:
    yield "# Manifest\n"
    yield "What may stand in `guiderail.yaml`. Keys that are not listed are refused.\n"
    yield "`guiderail init` writes one, with a JSON Schema for your editor beside it.\n"
    for kind, model in (
        ("model", ModelManifest), ("app", AppManifest), ("pipeline", PipelineManifest),
    ):  # fmt: skip
        yield f"## kind: {kind}\n"
        yield from table(("key", "needed", "meaning"), _fields(model, ""))


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        inner, is_list = _section(field)
        key = f"{prefix}{name}"
        needed = "yes" if field.is_required() else "no"
        yield (
            f"`{key}`",
            needed,
            f"{field.description or 'Always ' + model.__name__}{_choices(field)}",
        )
        if inner is not None:
            yield from _fields(inner, f"{key}[]." if is_list else f"{key}.")


def _parts(annotation: object) -> Iterator[object]:
    yield annotation
    for inner in typing.get_args(annotation):
        yield from _parts(inner)


def _section(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    parts = list(_parts(field.annotation))
    for part in parts:
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part, any(typing.get_origin(other) is tuple for other in parts)
    return None, False


def _choices(field: FieldInfo) -> str:
    for part in _parts(field.annotation):
        if typing.get_origin(part) is typing.Literal:
            return " One of: " + ", ".join(f"`{value}`" for value in typing.get_args(part)) + "."
    return ""


def facts() -> Iterator[str]:
    yield "# Facts\n"
    yield "Everything that a policy can ask about. A fact that no provider measures yet is unknown,"
    yield "and a gate that needs it is insufficient.\n"
    rows = (
        (
            f"`{fact.name}`",
            fact.type + (f": {', '.join(fact.values)}" if fact.values else ""),
            fact.unit,
            {"up": "more", "down": "less", "none": ""}[fact.risk_direction],
            fact.says,
            f"{fact.source}: {fact.how}",
            ", ".join(fact.kinds),
        )
        for fact in CATALOGUE
    )
    yield from table(
        ("fact", "type", "unit", "riskier when", "meaning", "where it comes from", "kinds"), rows
    )
    yield "For yes and no, riskier when `more` means: yes is riskier. Values of an enumeration are"
    yield "listed from the safest on where they have a direction.\n"


def policy() -> Iterator[str]:
    yield "# Policy\n"
    yield "One pack for each kind of workload; all of them extend `baseline`."
    yield "`guiderail explain NAME` shows the whole page of each name below; `--kind` chooses where"
    yield "kinds have pages of their own.\n"
    for kind in KINDS:
        yield from _pack(load_pack(kind), kind)
    yield "## Roles\n"
    roles = {
        name: title for kind in KINDS for name, title in load_pack(kind).texts["roles"].items()
    }
    yield from table(("role", "title"), ((f"`{name}`", roles[name]) for name in sorted(roles)))


def _pack(pack: Pack, kind: str) -> Iterator[str]:
    since = pack.tree["effective_from"]
    yield f"## {pack.texts['title']}\n"
    yield f"The pack `{pack.id}`, version {pack.version}, in force from {since}.\n"
    yield from table(("track", "who looks", "usually"), _tracks(pack))
    for title, section, column in (
        ("Tier rules", "tiers", "raises the tier to"),
        ("Track rules", "tracks", "raises the track to"),
    ):
        yield f"### {title}: {kind}\n"
        yield from table(("rule", "about", column, "what it checks"), _rules(pack, section))
    yield f"### Gates: {kind}\n"
    yield "A gate is asked for from its tier on; below it, it is shown for information.\n"
    yield from table(("gate", "about", "from tier", "owner", "what it checks"), _gates(pack, kind))
    yield f"### Limits: {kind}\n"
    yield "The numbers that rules and texts name. An extending pack changes one in one line.\n"
    yield from table(("limit", "value"), _limits(pack))
    yield f"### Advice: {kind}\n"
    yield "Advice never blocks and never asks for a person.\n"
    yield from table(("advice", "about"), _about(pack, "advice"))
    yield f"### Questions: {kind}\n"
    yield "Asked only when no file answers them and the answer could change something.\n"
    yield from table(("question", "fact", "what is asked"), _questions(pack))


def _tracks(pack: Pack) -> Iterator[tuple[str, str, str]]:
    for track in ("green", "yellow", "red"):
        roles = pack.tree["reviewers"][track]
        who = ", ".join(pack.role_title(role) for role in roles) or "nobody"
        yield track, who, pack.texts["expected_wait"][track]


def _limits(pack: Pack) -> Iterator[tuple[str, str]]:
    for name, value in sorted(pack.texts["limits"].items()):
        yield f"`{name}`", value


def _rules(pack: Pack, section: str) -> Iterator[tuple[str, str, str, str]]:
    levels: dict[str, list[str]] = {}
    for rule in pack.tree[section]:
        levels.setdefault(rule["id"], []).append(rule["raises_to"])
    for name, raised in levels.items():
        texts = pack.part_texts(name)
        to = ", ".join(dict.fromkeys(raised))
        yield f"`{name}`", texts["title"], to, texts["page"]["what"]


def _gates(pack: Pack, kind: str) -> Iterator[tuple[str, str, str, str, str]]:
    for gate in pack.tree["gates"]:
        how = gate["kinds"].get(kind)
        if how is None:
            continue
        texts = pack.part_texts(gate["id"])
        tier = how["from_tier"] if how["effect"] == "enforced" else "never, it warns"
        yield f"`{gate['id']}`", texts["title"], tier, f"`{gate['owner']}`", texts["page"]["what"]


def _about(pack: Pack, section: str) -> Iterator[tuple[str, str]]:
    for part in pack.tree[section]:
        yield f"`{part['id']}`", pack.part_texts(part["id"])["title"]


def _questions(pack: Pack) -> Iterator[tuple[str, str, str]]:
    for part in sorted(pack.tree["questions"], key=lambda part: (part["number"], part["id"])):
        texts = pack.part_texts(part["id"])
        yield f"`{part['id']}`", f"`{part['fact']}`", texts["title"]


PAGES = (
    ("commands.md", commands),
    ("manifest.md", manifest),
    ("facts.md", facts),
    ("policy.md", policy),
)


def main(arguments: Sequence[str]) -> int:
    differing = []
    for name, lines in PAGES:
        text = WRITTEN + "\n".join(lines()).rstrip() + "\n"
        page = HERE / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            differing.append(name)
            if "--check" not in arguments:
                page.write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps({"differing": differing}) + "\n")
    return 1 if differing and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
