"""The list of commands, exit codes, and what happens to errors."""

from __future__ import annotations

import os
import sys

import click

from guiderail.cli.lazy import Entry, LazyGroup
from guiderail.core.errors import GuiderailError, InputError

BLOCKED = 1
USAGE = 4
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Numeric libraries take every core unless told otherwise. The matrices here are small: threads
cost more than they bring, many times more on a busy machine, and change the last digits."""

COMMANDS: dict[str, Entry] = {
    "init": Entry(
        "init", "init", "write a guiderail.yaml, pre-filled from what is there", "Prepare"
    ),
    "check": Entry(
        "check", "check", "pre-flight: what would happen, why, and who will look", "Prepare"
    ),
    "fetch": Entry("fetch", "fetch", "copy and pin what guiderail.yaml names of MLflow", "Prepare"),
    "evidence": Entry(
        "evidence",
        "evidence",
        "bind reports of scanners and tests to a release",
        "Prepare",
    ),
    "explain": Entry("pages", "explain", "the page of a rule, gate, fact or question", "Prepare"),
    "facts": Entry("pages", "facts", "the catalogue of facts", "Prepare"),
    "measure": Entry("measure", "measure", "measure data and models without a manifest", "Prepare"),
    "submit": Entry(
        "case", "submit", "ask for production; green releases deploy themselves", "Release"
    ),
    "answer": Entry("case", "answer", "answer what only you can know", "Release"),
    "status": Entry("case", "status", "workloads and cases, and who is waited for", "Release"),
    "case": Entry("case", "case", "everything about one case", "Release"),
    "attach": Entry("attach", "attach", "keep evidence from outside with a case", "Release"),
    "review": Entry("review", "review", "list, read and decide cases", "Release"),
    "deploy": Entry("deploy", "deploy", "start or go on with a rollout", "Run"),
    "rollout": Entry("deploy", "rollout", "status, advance, pause or abort a rollout", "Run"),
    "rollback": Entry("deploy", "rollback", "go back, after showing what that means", "Run"),
    "serve": Entry("deploy", "serve", "start, stop or look at the local gateway", "Run"),
    "gate": Entry("gate", "gate", "one yes or no for schedulers; closed without a permit", "Run"),
    "policy": Entry("policy", "policy", "write, check, compare and change the policy", "Govern"),
    "permit": Entry("permit", "permit", "take permits back, and tell targets about it", "Govern"),
    "keys": Entry("keys", "keys", "the private keys: show, protect, rotate", "Govern"),
    "signer": Entry("signer", "signer", "whose signatures count, and for what", "Govern"),
    "people": Entry("people", "people", "erase what is kept about somebody", "Govern"),
    "ledger": Entry("ledger", "ledger", "the audit trail: log, verify, checkpoint", "Govern"),
    "as-of": Entry("look_back", "as_of", "what ran, and who had which role, on any day", "Govern"),
    "card": Entry("look_back", "card", "a release as model card, CycloneDX or OSCAL", "Govern"),
    "witness": Entry(
        "witness", "witness", "remember other people's ledgers: for internal audit", "Govern"
    ),
    "demo": Entry("demo", "demo", "watch two real models go through all of it", "Govern"),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First steps: guiderail init, then guiderail check. Everything explained: "
    "guiderail explain high-risk-use.",
)
@click.version_option(package_name="guiderail", message="guiderail %(version)s")
def cli() -> None:
    """The governed way into production for apps, ML models and data pipelines.

    Green deploys itself, yellow needs an ML platform engineer, red needs a full review. The
    platform chooses the track from what is changing and says why, before you deploy.

    Exit codes: 0 nothing blocks, 1 blocked or refused, 4 something is wrong with the input. With
    --detailed-exit-code: 2 people have to look, 3 not measurable.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; errors are printed, never traced back."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    try:
        result = cli.main(args=arguments, prog_name="guiderail", standalone_mode=False)
    except GuiderailError as error:
        _print_error(error)
        return USAGE if isinstance(error, InputError) else BLOCKED
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped. Nothing was left half-done.", err=True)
        return USAGE
    except Exception as error:
        if os.environ.get("GUIDERAIL_DEBUG"):
            raise
        _print_bug(error)
        return USAGE
    return result if isinstance(result, int) else 0


def _print_bug(error: Exception) -> None:
    """What nobody foresaw: its transaction was rolled back; the person reads how to report it."""
    click.echo(
        f"Something went wrong that should not: {type(error).__name__}: {error}\n"
        "  [internal/bug] Nothing was left half-done. Run the command again with GUIDERAIL_DEBUG=1 "
        "and report what it prints.",
        err=True,
    )


def _print_error(error: GuiderailError) -> None:
    from guiderail.cli.output import print_error

    print_error(error)


if __name__ == "__main__":
    sys.exit(main())
