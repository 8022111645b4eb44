"""`guiderail signer`: whose signatures count in this workspace."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines

until_day = click.option("--until", metavar="DAY", help="The last day on which it counts.")


@click.group()
def signer() -> None:
    """Whose signatures count: keys of tools and runners, and jobs of a CI.

    What an unknown key signed counts as signed by somebody unknown, which is as good as not signed.
    """


@signer.command(epilog="Example: guiderail signer add build-runner runner.pub --trust runner")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path), metavar="KEY")
@click.option(
    "--trust",
    type=click.Choice(("evidence", "runner", "system-of-record")),
    default="evidence",
    show_default=True,
    help="What it counts for: documents; facts that it measured; facts that it states.",
)
@until_day
@act_as
@formats()
def add(
    name: str, file: Path, trust: str, until: str | None, act_as: str | None, format_: str
) -> None:
    """Register the public key in KEY (PEM) under a name. Administrators only."""
    from guiderail.service.signer_list import add_key_file, signer_document

    place = workspace(act_as)
    document = signer_document(add_key_file(place, name, file, trust, until), place.clock())
    _print(document, format_)


@signer.command(
    "add-ci",
    epilog="Example: guiderail signer add-ci github --issuer "
    "https://token.actions.githubusercontent.com --audience guiderail.example.org --jwks jwks.json "
    "--claim repository=acme/credit --claim ref=refs/heads/main",
)
@click.argument("name")
@click.option("--issuer", required=True, metavar="URL", help="Who issues the tokens.")
@click.option("--audience", required=True, metavar="NAME", help="What they are asked for.")
@click.option(
    "--jwks",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The public keys of the issuer (JWKS); only these count.",
)
@click.option(
    "--claim",
    "claims",
    multiple=True,
    metavar="NAME=VALUE",
    help="What a token must say; repository or project_path is needed.",
)
@until_day
@act_as
@formats()
def add_ci(
    name: str,
    issuer: str,
    audience: str,
    jwks: Path,
    claims: tuple[str, ...],
    until: str | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Register jobs of a CI as trusted runners, by the tokens that it gives them."""
    from guiderail.service.signer_list import add_ci_file, signer_document

    place = workspace(act_as)
    made = add_ci_file(place, name, issuer, audience, jwks, claims, until)
    _print(signer_document(made, place.clock()), format_)


@signer.command(epilog='Example: guiderail signer remove build-runner --reason "rebuilt"')
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the ledger keeps it.")
@act_as
@formats()
def remove(name: str, reason: str, act_as: str | None, format_: str) -> None:
    """Count a signer no more. What was accepted before stays as it was recorded."""
    from guiderail.service.signer_list import signer_document
    from guiderail.service.signers import remove as run

    place = workspace(act_as)
    _print(signer_document(run(place, name, reason), place.clock()), format_)


@signer.command("list", epilog="Example: guiderail signer list --format json")
@formats()
def list_(format_: str) -> None:
    """Everybody who is or was registered, and what their signature counts for."""
    from guiderail.render.evidence_text import signer_lines
    from guiderail.service.signer_list import signers_document

    document = signers_document(workspace())
    print_json(document) if format_ == "json" else print_lines(signer_lines(document["signers"]))


def _print(document: dict[str, object], format_: str) -> None:
    from guiderail.render.evidence_text import signer_lines

    print_json(document) if format_ == "json" else print_lines(signer_lines([document]))
