"""`guiderail demo`: two real models go through all of it, by the ordinary commands."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.output import coloured, print_lines
from guiderail.core.errors import ConflictError
from guiderail.render.lines import Line, paragraph

if TYPE_CHECKING:
    from guiderail.service.workspace import Workspace

SUBMITTER = "ana.duarte"
RED_REVIEWS = (
    ("ml-governance-analyst", "Read the group rates and the flips; fine for a supervised start."),
    ("risk-officer", "Exposure is inside the limit for this product."),
    ("data-steward", "The licence allows it and the purpose matches."),
    ("fair-lending", "Sex and age are no inputs; stand-ins are to be measured next quarter."),
    ("compliance", "The adverse-action notice is drafted by hand until reasons are measured."),
    ("domain-expert", "I read ten decisions with their inputs; an applicant would understand."),
    ("finance-owner", "One small process; the cost is in the budget."),
    ("release-manager", "Steps and stop rule are agreed with the branch."),
    ("ml-platform-engineer", "Looked at the comparison with production."),
    ("security", "The report has no open finding."),
)


@click.command(epilog="Example: guiderail demo")
@click.option(
    "--pause", is_flag=True, help="Wait for Enter after every step, to read at your own pace."
)
def demo(pause: bool) -> None:
    """Watch two real models go from manifest to production, through review, and back.

    A credit model (German Credit data) and a reader of handwritten digits are trained here, on
    this machine. Everything is done by the commands that you see; the workspace stays for you to
    explore. Nothing leaves this machine.
    """
    from guiderail.service.demo import build_releases, find_examples, fresh_workspace

    root = Path.cwd()
    started = time.monotonic()
    os.environ.pop("GUIDERAIL_HOME", None)
    examples = find_examples(root)
    story = Story(pause)
    story.chapter(
        "Prepare",
        "Seven releases are trained: four versions of a model that decides on credit, three of a "
        "model that reads digits on internal mail. Their tests and a security scanner run too.",
    )
    place = fresh_workspace(root, examples)
    build_releases(examples, root / "demo")
    click.echo("  trained, tested and scanned into demo/")
    try:
        _tell(story, place, root, examples)
    finally:
        _stop(place)
    story.chapter("That was it", f"It took {time.monotonic() - started:.0f} seconds.")
    for text in _EXPLORE:
        print_lines(paragraph(text, indent=2))


def _tell(story: Story, place: Workspace, root: Path, examples: Path) -> None:
    _first_credit_release(story, place)
    _retrain(story, place)
    _heavier_changes(story)
    _mail_sorting(story)
    story.chapter(
        "Going back",
        "The branch complains about v2. Going back needs no new review: contract, flips and the "
        "teams to be told are shown first.",
    )
    story.run("rollback credit-decisions --yes --as ingrid.solberg")
    story.ask(place, examples / "credit", 100)
    story.chapter("The ledger", "Every step is in it. Everything is recomputed from the bytes.")
    story.run("ledger verify")


def _first_credit_release(story: Story, place: Workspace) -> None:
    story.chapter(
        "A first release that decides on credit",
        "Before submitting, going back is rehearsed and the pre-flight check is read.",
    )
    story.run(f"rollback credit-decisions --rehearse examples/credit --as {SUBMITTER}")
    story.run("check examples/credit")
    story.run(f"submit examples/credit --as {SUBMITTER}", quiet=True)
    story.chapter(
        "The interview asks only what nobody could read",
        "The manifest leaves one thing out. The answer is kept and not asked again for v2.",
    )
    story.run(f"answer case-0001 --set use.reversible=yes --as {SUBMITTER}")
    story.chapter("Nobody approves their own work", "The rule and the reason are named.")
    story.run(f'review approve case-0001 --reason "I know it works" --as {SUBMITTER}', expect=1)
    story.chapter(
        "The people who must look, look", "Each in one role; each accepts only what is theirs."
    )
    _review_red(story, place, "case-0001")
    story.run(f"deploy case-0001 --as {SUBMITTER}")
    story.ask(place, Path("examples/credit"), 100)


def _retrain(story: Story, place: Workspace) -> None:
    story.chapter(
        "A retrain of the credit model",
        "v2 is trained on a hundred more rows. By its change alone it would be yellow; because it "
        "decides on credit it stays red.",
    )
    story.run("check demo/credit/v2 --brief")
    story.run(f"submit demo/credit/v2 --as {SUBMITTER}", quiet=True)
    _review_red(story, place, "case-0002")
    story.run(f"deploy case-0002 --one-step --as {SUBMITTER}")
    story.ask(place, Path("demo/credit/v2"), 300)
    story.run(f"deploy case-0002 --as {SUBMITTER}")


def _heavier_changes(story: Story) -> None:
    story.chapter(
        "What a new feature and a moved threshold do",
        "v3 uses a feature that nobody has approved; v4 moves the threshold out of its envelope.",
    )
    story.run("check demo/credit/v3 --brief")
    story.run("check demo/credit/v4 --brief")


def _mail_sorting(story: Story) -> None:
    story.chapter(
        "A model with little at stake",
        "Reading digits on internal mail. Its use is confirmed once by risk; its first release has "
        "one reviewer.",
    )
    story.run("rollback internal-mail-digits --rehearse examples/mail-sorting --as jonas.lind")
    story.run("submit examples/mail-sorting --as jonas.lind", quiet=True)
    officer = story.who("risk-officer")
    story.run(f"review confirm-use case-0003 --as {officer}")
    engineer = story.who("ml-platform-engineer")
    story.run(f'review approve case-0003 --reason "first release, watched" --as {engineer}')
    story.run("deploy case-0003 --as jonas.lind")
    story.chapter("A green retrain deploys itself", "Every gate passed; nobody has to look.")
    story.run("submit demo/mail-sorting/v2 --as jonas.lind")
    story.chapter("The next version is yellow", "A new, approved feature: one engineer looks.")
    story.run("submit demo/mail-sorting/v3 --as jonas.lind")
    story.run(
        f'review approve case-0005 --reason "feature is approved, flips are few" --as {engineer}'
    )
    story.run("deploy case-0005 --as jonas.lind")


def _review_red(story: Story, place: Workspace, case: str) -> None:
    from guiderail.service.documents import case_document

    reasons = dict(RED_REVIEWS)
    for item in case_document(place, case)["waiting"]:
        role = item["role"]
        reason = shlex.quote(reasons.get(role, "Looked at it."))
        if not item["people"]:
            raise ConflictError(
                f"nobody in examples/people.yaml may decide as {role}",
                code="demo/people",
                advice="Give the role and its training to somebody in that file.",
            )
        story.run(f"review approve {case} --role {role} --reason {reason} --as {item['people'][0]}")


def _stop(place: Workspace) -> None:
    from guiderail.service.status import stop_gateway

    stop_gateway(place)


_EXPLORE = (
    "Look around: guiderail status, guiderail case show case-0002, guiderail ledger log, "
    "guiderail check examples/credit --format json, guiderail explain high-risk-use.",
    "The command is .venv/bin/guiderail; `source .venv/bin/activate` lets you leave the path out.",
    "The gateway is stopped; guiderail serve start brings back what was served last.",
)


class Story:
    """Prints chapters, and runs commands as a person would type them."""

    def __init__(self, pause: bool) -> None:
        self._pause = pause

    def chapter(self, title: str, text: str) -> None:
        print_lines([Line(""), Line(f"=== {title} ===", "bold"), *paragraph(text)])

    def run(self, arguments: str, *, expect: int = 0, quiet: bool = False) -> None:
        """Show and run one command; any other exit code than expected ends the demo.

        quiet: a submission shows the check that was just read; only its outcome is shown again.
        """
        from guiderail.cli.main import main

        shown = f"$ guiderail {arguments}"
        click.echo("")
        click.echo(click.style(shown, bold=True) if coloured(sys.stdout) else shown)
        words = shlex.split(arguments)
        if quiet:
            words.append("--brief")
        code = main(words)
        if code != expect:
            raise ConflictError(
                f"`guiderail {arguments}` ended with {code}, not {expect}",
                code="demo/exit-code",
                advice="Run that command by itself to see more.",
            )
        if self._pause:
            click.prompt("Enter to go on", default="", show_default=False)

    def who(self, role: str) -> str:
        """Somebody of the demo who may decide in that role."""
        from guiderail.service.workspace import open_workspace

        people = open_workspace(Path.cwd()).register.in_role(role)
        return people[0].id

    def ask(self, place: Workspace, directory: Path, requests: int) -> None:
        """Send real requests and say who answered."""
        from guiderail.service.demo import send_traffic

        answers = send_traffic(place, directory, requests)
        parts = ", ".join(f"{version} answered {n}" for version, n in answers.by_version.items())
        click.echo(f"\n  {answers.asked} requests to the gateway: {parts}")
