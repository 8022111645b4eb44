"""The list of commands, exit codes, and what happens to errors."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from guiderail.core.errors import GuiderailError, InputError

BLOCKED = 1
USAGE = 4

# name -> (module, attribute, the line in the list of commands, the headline it stands under)
COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "init": ("init", "init", "write a guiderail.yaml, pre-filled from what is there", "Prepare"),
    "check": ("check", "check", "pre-flight: what would happen, why, and who will look", "Prepare"),
    "evidence": (
        "evidence",
        "evidence",
        "bind reports of scanners and tests to a release",
        "Prepare",
    ),
    "explain": ("pages", "explain", "the page of a rule, gate, fact or question", "Prepare"),
    "facts": ("pages", "facts", "the catalogue of facts", "Prepare"),
    "measure": ("measure", "measure", "measure data and models without a manifest", "Prepare"),
    "submit": ("case", "submit", "ask for production; green releases deploy themselves", "Release"),
    "answer": ("case", "answer", "answer what only you can know", "Release"),
    "status": ("case", "status", "workloads and cases, and who is waited for", "Release"),
    "case": ("case", "case", "everything about one case", "Release"),
    "review": ("review", "review", "list, read and decide cases", "Release"),
    "deploy": ("deploy", "deploy", "start or go on with a rollout", "Run"),
    "rollout": ("deploy", "rollout", "status, advance, pause or abort a rollout", "Run"),
    "rollback": ("deploy", "rollback", "go back, after showing what that means", "Run"),
    "serve": ("deploy", "serve", "start, stop or look at the local gateway", "Run"),
    "gate": ("gate", "gate", "one yes or no for schedulers; closed without a permit", "Run"),
    "policy": ("policy", "policy", "check a policy pack, or decide on given facts", "Govern"),
    "ledger": ("ledger", "ledger", "the audit trail: log, verify, checkpoint", "Govern"),
    "demo": ("demo", "demo", "watch two real models go through all of it", "Govern"),
}


class LazyCommands(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _, _ = COMMANDS[cmd_name]
        command = getattr(import_module(f"guiderail.cli.{module}"), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"guiderail.cli.{module}.{attribute} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for headline in dict.fromkeys(row[3] for row in COMMANDS.values()):
            rows = [(name, row[2]) for name, row in COMMANDS.items() if row[3] == headline]
            with formatter.section(headline):
                formatter.write_dl(rows)


@click.group(
    cls=LazyCommands,
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
