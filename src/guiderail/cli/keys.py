"""`guiderail keys`: show, protect, rotate, retire, compromised, and the chain for targets."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail_verify.trusted_keys import Role

_WHICH = click.Choice(["checkpoint", "permit", "all"])
_uri = click.option(
    "--uri",
    metavar="URI",
    help="Where a key service holds the new key: hsm:, gcpkms:, awskms:, azurekms: or hv:.",
)


@click.group()
def keys() -> None:
    """The private keys of the log: where they are, and how they change."""


@keys.command(epilog="Example: guiderail keys show")
@formats()
def show(format_: str) -> None:
    """Every key, what it signs, and whether its file is encrypted. Asks for no passphrase."""
    from guiderail.render.keys_text import show_lines
    from guiderail.service.key_status import show as run

    document = run(workspace())
    print_json(document) if format_ == "json" else print_lines(show_lines(document))


@keys.command(epilog="Example: guiderail keys protect")
@formats()
def protect(format_: str) -> None:
    """Encrypt the key files with a passphrase, or change it.

    The passphrase is asked for on a terminal, or comes from GUIDERAIL_KEY_PASSPHRASE_FILE (a file
    of mode 600) or GUIDERAIL_KEY_PASSPHRASE. To change it, the new one comes from
    GUIDERAIL_NEW_KEY_PASSPHRASE or GUIDERAIL_NEW_KEY_PASSPHRASE_FILE. Every later command that
    signs needs it, and nobody can recover it.
    """
    from guiderail.service.key_status import protect_keys

    document = protect_keys(workspace())
    if format_ == "json":
        print_json(document)
        return
    did = "have a new passphrase" if document["changed"] else "are encrypted now"
    click.echo(f"{len(document['files'])} key files {did}.")
    click.echo("Keep the passphrase apart from the files; copies made before are not encrypted.")


@keys.command(epilog="Example: guiderail keys unprotect")
@formats()
def unprotect(format_: str) -> None:
    """Write the key files unencrypted again, readable by their owner only."""
    from guiderail.service.key_status import unprotect_keys

    document = unprotect_keys(workspace())
    if format_ == "json":
        print_json(document)
    else:
        click.echo(f"{len(document['files'])} key files are not encrypted any more.")


@keys.command(epilog="Example: guiderail keys rotate --which permit --uri 'hsm:2?label=guiderail'")
@click.option("--which", type=_WHICH, default="all", show_default=True, help="Which keys.")
@_uri
@act_as
@formats()
def rotate(which: str, uri: str | None, act_as: str | None, format_: str) -> None:
    """Add new keys; from now on everything is signed by the old ones too.

    Hand the new public.json or the chain to every target and auditor, then finish with
    guiderail keys retire. A command that dies in between is completed by the next one.
    """
    from guiderail.render.keys_text import changed_lines
    from guiderail.service.key_changes import rotate as run
    from guiderail.service.key_status import show as after

    roles = _roles(which)
    if uri is not None and len(roles) != 1:
        raise click.UsageError("--uri names one key: say --which checkpoint or --which permit.")
    run(workspace(act_as), roles, uri)
    document = {"done": "rotated", **after(workspace(act_as))}
    print_json(document) if format_ == "json" else print_lines(changed_lines(document))


@keys.command(epilog="Example: guiderail keys retire")
@act_as
@formats()
def retire(act_as: str | None, format_: str) -> None:
    """End a rotation: the old keys are destroyed and count for what the log holds until now."""
    from guiderail.render.keys_text import changed_lines
    from guiderail.service.key_changes import retire as run
    from guiderail.service.key_status import show as after

    run(workspace(act_as))
    document = {"done": "retired", **after(workspace(act_as))}
    print_json(document) if format_ == "json" else print_lines(changed_lines(document))


@keys.command(
    epilog="Example: guiderail keys compromised --which permit --since 2026-11-20T08:00 "
    '--reason "The laptop with the backup was stolen."'
)
@click.option("--which", type=_WHICH, required=True, help="Whose keys may be in other hands.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    required=True,
    help="The earliest moment at which somebody else may have had them (UTC).",
)
@click.option("--reason", required=True, help="What happened; it goes into the ledger.")
@click.option("--id", "key", metavar="ID", help="Only the key whose id begins so, retired too.")
@_uri
@act_as
@formats()
def compromised(
    which: str,
    since: datetime,
    reason: str,
    key: str | None,
    uri: str | None,
    act_as: str | None,
    format_: str,
) -> None:
    """End keys at once, make new ones, and say what has to be signed again.

    What they signed counts only as far as the ledger recorded it before that moment; checkpoints
    by them count for nothing. The guide "When a key is lost or stolen" has every step.
    """
    from guiderail.render.keys_text import changed_lines
    from guiderail.service.key_compromise import affected, affected_document, declare_compromised
    from guiderail.service.key_status import show as after

    place = workspace(act_as)
    declare_compromised(place, _roles(which), since.replace(tzinfo=UTC), reason, key=key, uri=uri)
    document = {
        "done": "compromised",
        **after(place),
        "sign_again": affected_document(affected(place)),
    }
    print_json(document) if format_ == "json" else print_lines(changed_lines(document))


@keys.command(epilog="Example: guiderail keys chain > chain.jsonl")
def chain() -> None:
    """Print every version of the public keys, each signed by the one before, for targets."""
    from guiderail.service.key_status import chain_of

    sys.stdout.buffer.write(chain_of(workspace()))


@keys.command(epilog="Example: guiderail keys accept chain.jsonl --pinned public.json")
@click.argument("chain_file", type=click.Path(path_type=Path), metavar="CHAIN")
@click.option(
    "--pinned",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The public keys that this target has; they are brought up to date.",
)
@formats()
def accept(chain_file: Path, pinned: Path, format_: str) -> None:
    """At a target: take newer public keys, if the chain leads to them from those it has.

    Needs no workspace. Exit code 1, and nothing changed, where the chain does not continue them.
    """
    from guiderail.service.key_status import accept_chain

    newest = accept_chain(pinned, chain_file)
    if format_ == "json":
        print_json({"origin": newest.origin, "version": newest.version, "pinned": str(pinned)})
    else:
        click.echo(f"{pinned} holds version {newest.version} of the keys of {newest.origin}.")


def _roles(which: str) -> list[Role]:
    if which == "checkpoint":
        return ["checkpoint"]
    return ["permit"] if which == "permit" else ["checkpoint", "permit"]
